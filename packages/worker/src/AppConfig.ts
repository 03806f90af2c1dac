/**
 * The worker's configuration, read once from the environment. An empty variable counts as unset; a wrong one stops the
 * start with a sentence that names it. The README has the table.
 */
import { WorkerId } from "@englog/domain/Ids"
import type { TlsFiles } from "@englog/rpc/grpc/GrpcTls"
import { LogFormat, LogLevel } from "@englog/rpc/telemetry/Telemetry"
import { Config, Context, Effect, Layer, Option, Random, type Redacted, Runtime, Schema } from "effect"
import * as os from "node:os"

export class ConfigurationError extends Schema.TaggedError<ConfigurationError>()("ConfigurationError", {
  variable: Schema.String,
  message: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = 1
}

export const LlmProvider = Schema.Literals(["auto", "ollama", "openai", "builtin"])
export type LlmProvider = typeof LlmProvider.Type

export interface LlmConfig {
  readonly provider: LlmProvider
  /** Set only where the user set it: `auto` uses Ollama only then. */
  readonly ollamaUrl: Option.Option<string>
  readonly ollamaModel: string
  readonly openaiBaseUrl: string
  readonly openaiApiKey: Option.Option<Redacted.Redacted<string>>
  readonly openaiModel: string
}

export class AppConfig extends Context.Service<AppConfig, {
  /** `host:port` each; never empty. */
  readonly apiAddresses: ReadonlyArray<string>
  readonly workerId: WorkerId
  readonly workerName: string
  readonly maxConcurrent: number
  readonly queues: ReadonlyArray<string>
  readonly healthHost: string
  /** None: the next free one from 8091. */
  readonly healthPort: Option.Option<number>
  readonly enrollmentToken: Option.Option<Redacted.Redacted<string>>
  readonly tls: TlsFiles
  readonly llm: LlmConfig
  readonly otlpEndpoint: Option.Option<string>
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}>()("@englog/worker/AppConfig") {
  static readonly layer = Layer.effect(AppConfig, Effect.suspend(() => read))
}

const fail = (variable: string, rule: string) => new ConfigurationError({ variable, message: `${variable} ${rule}` })

/** Reads one variable; `rule` completes the sentence "VARIABLE …" that the user sees where the value breaks it. */
const variable = <A>(name: string, rule: string, config: Config.Config<A>) =>
  Effect.mapError(config, () => fail(name, rule))

const text = (name: string) => variable(name, "must be text", Config.option(Config.NonEmptyString(name)))
const textOr = (name: string, otherwise: string) => Effect.map(text(name), Option.getOrElse(() => otherwise))
const secret = (name: string) => variable(name, "must be text", Config.option(Config.Redacted(name)))

const list = (value: string) => value.split(",").map((item) => item.trim()).filter((item) => item !== "")

const ADDRESS = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/

const addresses = Effect.gen(function*() {
  const name = "API_SERVER_GRPC_ADDRESS"
  const found = list(yield* textOr(name, "127.0.0.1:50051"))
  const rule = "must be a comma-separated list of host:port, such as api-1.internal:50051,api-2.internal:50051"
  if (found.length === 0) return yield* fail(name, rule)
  for (const address of found) {
    const port = Number(ADDRESS.exec(address)?.[1] ?? 0)
    if (port < 1 || port > 65_535) return yield* fail(name, rule)
  }
  return found
})

const workerId = Effect.gen(function*() {
  const given = yield* text("WORKER_ID")
  const suffix = (yield* Random.nextIntBetween(0, 0x1000000)).toString(16).padStart(6, "0")
  const id = Option.getOrElse(given, () => `${os.hostname().slice(0, 100)}-${process.pid}-${suffix}`)
  return yield* Schema.decodeEffect(WorkerId)(id).pipe(
    Effect.mapError(() => fail("WORKER_ID", "must have 1 to 200 characters"))
  )
})

const port = (name: string) => variable(name, "must be a port from 1 to 65535", Config.option(Config.Port(name)))

const httpUrl = (name: string) =>
  variable(name, "must be a URL such as http://localhost:11434", Config.option(Config.URL(name))).pipe(
    Effect.filterOrFail(
      Option.match({ onNone: () => true, onSome: (url) => url.protocol === "http:" || url.protocol === "https:" }),
      () => fail(name, "must start with http:// or https://")
    ),
    Effect.map(Option.map((url) => url.href.replace(/\/+$/, "")))
  )

const llm = Effect.gen(function*() {
  const config: LlmConfig = {
    provider: yield* variable(
      "LLM_PROVIDER",
      "must be auto, ollama, openai or builtin",
      Config.schema(LlmProvider, "LLM_PROVIDER").pipe(Config.withDefault("auto" as const))
    ),
    ollamaUrl: yield* httpUrl("OLLAMA_URL"),
    ollamaModel: yield* textOr("OLLAMA_MODEL", "llama3.2:3b"),
    openaiBaseUrl: Option.getOrElse(yield* httpUrl("OPENAI_BASE_URL"), () => OPENAI_PUBLIC),
    openaiApiKey: yield* secret("OPENAI_API_KEY"),
    openaiModel: yield* textOr("OPENAI_MODEL", "gpt-4o-mini")
  }
  if (config.provider === "openai" && Option.isNone(config.openaiApiKey) && config.openaiBaseUrl === OPENAI_PUBLIC) {
    return yield* fail("OPENAI_API_KEY", "must be set, because LLM_PROVIDER is openai and OPENAI_BASE_URL is not set")
  }
  return config
})

const OPENAI_PUBLIC = "https://api.openai.com/v1"

const tls = Effect.gen(function*() {
  const files: TlsFiles = {
    certFile: yield* text("TLS_CERT_FILE"),
    keyFile: yield* text("TLS_KEY_FILE"),
    caFile: yield* text("TLS_CA_FILE"),
    serverName: yield* text("TLS_SERVER_NAME")
  }
  return files
})

const logLevel = Effect.gen(function*() {
  const given = (yield* textOr("LOG_LEVEL", "info")).toLowerCase()
  return yield* Schema.decodeUnknownEffect(LogLevel)(given === "warning" ? "warn" : given).pipe(
    Effect.mapError(() => fail("LOG_LEVEL", `must be one of ${LogLevel.literals.join(", ")}`))
  )
})

const read = Effect.gen(function*() {
  const id = yield* workerId
  const maxConcurrent = yield* variable(
    "WORKER_MAX_CONCURRENT",
    "must be a whole number from 1 to 1000",
    Config.schema(Schema.FiniteFromString.pipe(Schema.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 1000 }))), "WORKER_MAX_CONCURRENT")
      .pipe(Config.withDefault(5))
  )
  return AppConfig.of({
    apiAddresses: yield* addresses,
    workerId: id,
    workerName: yield* textOr("WORKER_NAME", "EngLog Worker"),
    maxConcurrent,
    queues: list(yield* textOr("WORKER_QUEUES", "default")),
    healthHost: yield* textOr("WORKER_HEALTH_HOST", "127.0.0.1"),
    healthPort: yield* port("WORKER_HEALTH_PORT"),
    enrollmentToken: yield* secret("WORKER_ENROLLMENT_TOKEN"),
    tls: yield* tls,
    llm: yield* llm,
    otlpEndpoint: yield* httpUrl("OTEL_EXPORTER_OTLP_ENDPOINT"),
    logLevel: yield* logLevel,
    logFormat: yield* variable(
      "LOG_FORMAT",
      "must be json or pretty",
      Config.schema(LogFormat, "LOG_FORMAT").pipe(Config.withDefault(process.stdout.isTTY ? "pretty" as const : "json" as const))
    )
  })
})
