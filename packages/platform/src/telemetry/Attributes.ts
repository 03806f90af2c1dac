/**
 * The registry of attribute names on spans. Where OpenTelemetry's semantic conventions have a name it is theirs; what they
 * know nothing of starts with `englog.`. They are spelled out because the package of the conventions costs every process
 * memory; a test holds them against it. Values are ids, kinds, counts and model names: never text that a person wrote.
 */
export const Attribute = {
  taskId: "englog.task.id",
  taskKind: "englog.task.kind",
  /** 1-based; the fence. */
  taskAttempt: "englog.task.attempt",
  /** Completed, Failed or Stopped. */
  taskOutcome: "englog.task.outcome",
  workerId: "englog.worker.id",
  userId: "englog.user.id",
  requestId: "englog.request.id",

  serviceName: "service.name",
  serviceVersion: "service.version",
  /** New at each start of a process. */
  serviceInstanceId: "service.instance.id",
  exceptionType: "exception.type",
  exceptionStacktrace: "exception.stacktrace",
  httpMethod: "http.request.method",
  httpRoute: "http.route",
  httpStatus: "http.response.status_code",
  urlFull: "url.full",
  urlPath: "url.path",
  urlQuery: "url.query",
  /** Where the address holds a secret: what is told in its place. */
  urlTemplate: "url.template",
  urlScheme: "url.scheme",
  serverAddress: "server.address",
  serverPort: "server.port",
  errorType: "error.type",
  dbSystem: "db.system.name",
  /** Statements have parameters where values would stand. */
  dbStatement: "db.query.text",
  rpcSystem: "rpc.system.name",
  /** With its service. */
  rpcMethod: "rpc.method",
  rpcStatus: "rpc.status_code",
  messagingSystem: "messaging.system.name",
  messagingOperation: "messaging.operation.name",
  messagingOperationType: "messaging.operation.type",
  messagingMessageId: "messaging.message.id",
  genAiOperation: "gen_ai.operation.name",
  genAiProvider: "gen_ai.provider.name",
  genAiModel: "gen_ai.request.model",
  genAiFinishReasons: "gen_ai.response.finish_reasons",
  genAiInputTokens: "gen_ai.usage.input_tokens",
  genAiOutputTokens: "gen_ai.usage.output_tokens"
} as const
export type Attribute = typeof Attribute[keyof typeof Attribute]

/** What libraries put on spans and never leaves a process: where people are and what they use, and Effect's own names. */
export const withheld: ReadonlySet<string> = new Set([
  "client.address",
  "network.peer.address",
  "user_agent.original",
  "url.query",
  "effect.sql.method",
  "effect.fiber.interrupted"
])
