/**
 * The worker's configuration, read once from the environment. An empty variable counts as unset; a wrong one stops the
 * start with a sentence that names it. The README has the table.
 */
import { WorkerId } from "@englog/domain/Ids"
import * as Environment from "@englog/platform/Environment"
import type { TlsFiles } from "@englog/rpc/grpc/GrpcTls"
import { Config, Context, Effect, Layer, Option, Random, type Redacted, Schema } from "effect"
import * as os from "node:os"
import * as path from "node:path"
import { type MailConfig, mailConfig } from "./mail/MailConfig.ts"

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

/** Builtin: none is configured. */
export type EmbeddingsConfig =
  | { readonly _tag: "Builtin" }
  | { readonly _tag: "Ollama"; readonly url: string; readonly model: string }
  | {
    readonly _tag: "OpenRouter" | "OpenAi"
    readonly baseUrl: string
    readonly apiKey: Option.Option<Redacted.Redacted<string>>
    readonly model: string
  }

export class AppConfig extends Context.Service<AppConfig, {
  /** `host:port` each; never empty. */
  readonly apiAddresses: ReadonlyArray<string>
  readonly workerId: WorkerId
  readonly workerName: string
  readonly maxConcurrent: number
  /** Tasks wanted beside those that can run, at most. */
  readonly prefetch: number
  /** A slot is free again when the outcome is recorded, instead of when the handler returns. */
  readonly slotHeld: boolean
  readonly queues: ReadonlyArray<string>
  readonly healthHost: string
  /** None: the next free one from 8091. */
  readonly healthPort: Option.Option<number>
  readonly enrollmentToken: Option.Option<Redacted.Redacted<string>>
  readonly tls: TlsFiles
  readonly llm: LlmConfig
  /** None: this worker sends no mail. */
  readonly mail: Option.Option<MailConfig>
  /** URLs that users name may be plain HTTP and lead to private addresses. */
  readonly webAllowPrivate: boolean
  /** Where n8n may be in a private network: `host` or `host:port`. */
  readonly n8nPrivateHosts: ReadonlyArray<string>
  readonly embeddings: EmbeddingsConfig
  /** Folders with git repositories that may be imported; empty: none may. Absolute. */
  readonly gitRoots: ReadonlyArray<string>
  /** PATH: where git is looked for. */
  readonly searchPath: string
  readonly telemetry: Environment.TelemetryConfig
}>()("@englog/worker/AppConfig") {
  static readonly layer = Layer.effect(AppConfig, Effect.suspend(() => read))
}

const ADDRESS = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/

const addresses = Effect.gen(function*() {
  const name = "API_SERVER_GRPC_ADDRESS"
  const found = Environment.list(yield* Environment.textOr(name, "127.0.0.1:50051"))
  const rule = "must be a comma-separated list of host:port, such as api-1.internal:50051,api-2.internal:50051"
  if (found.length === 0) return yield* Environment.fail(name, rule)
  for (const address of found) {
    const port = Number(ADDRESS.exec(address)?.[1] ?? 0)
    if (port < 1 || port > 65_535) return yield* Environment.fail(name, rule)
  }
  return found
})

const workerId = Effect.gen(function*() {
  const given = yield* Environment.text("WORKER_ID")
  const suffix = (yield* Random.nextIntBetween(0, 0x1000000)).toString(16).padStart(6, "0")
  const id = Option.getOrElse(given, () => `${os.hostname().slice(0, 100)}-${process.pid}-${suffix}`)
  return yield* Schema.decodeEffect(WorkerId)(id).pipe(
    Effect.mapError(() => Environment.fail("WORKER_ID", "must have 1 to 200 characters"))
  )
})

const llm = Effect.gen(function*() {
  const config: LlmConfig = {
    provider: yield* Environment.variable(
      "LLM_PROVIDER",
      "must be auto, ollama, openai or builtin",
      Config.schema(LlmProvider, "LLM_PROVIDER").pipe(Config.withDefault("auto" as const))
    ),
    ollamaUrl: yield* Environment.httpUrl("OLLAMA_URL"),
    ollamaModel: yield* Environment.textOr("OLLAMA_MODEL", "llama3.2:3b"),
    openaiBaseUrl: Option.getOrElse(yield* Environment.httpUrl("OPENAI_BASE_URL"), () => OPENAI_PUBLIC),
    openaiApiKey: yield* Environment.secret("OPENAI_API_KEY"),
    openaiModel: yield* Environment.textOr("OPENAI_MODEL", "gpt-4o-mini")
  }
  if (config.provider === "openai" && Option.isNone(config.openaiApiKey) && config.openaiBaseUrl === OPENAI_PUBLIC) {
    return yield* Environment.fail("OPENAI_API_KEY", "must be set, because LLM_PROVIDER is openai and OPENAI_BASE_URL is not set")
  }
  return config
})

const OPENAI_PUBLIC = "https://api.openai.com/v1"

const n8nPrivateHosts = Effect.gen(function*() {
  const found = Environment.list(yield* Environment.textOr("N8N_PRIVATE_HOSTS", ""))
  const wrong = found.find((host) => URL.parse(`http://${host}/`)?.host !== host.replace(/:80$/, ""))
  if (wrong === undefined) return found
  return yield* Environment.fail("N8N_PRIVATE_HOSTS", "must be a comma-separated list of host or host:port in lower case, such as n8n.internal:5678")
})

const OPENROUTER_PUBLIC = "https://openrouter.ai/api/v1"
const OPENROUTER_MODEL = "openai/text-embedding-3-small"

export const EmbeddingProvider = Schema.Literals(["auto", "ollama", "openai", "openrouter", "builtin"])

/** A model of Ollama or OpenAI is used where one is named; a key for OpenRouter is for nothing else (seed 002). */
const embeddings = (llm: LlmConfig) => Effect.gen(function*() {
  const rule = "must be auto, ollama, openai, openrouter or builtin"
  const provider = yield* Environment.variable(
    "EMBEDDING_PROVIDER",
    rule,
    Config.schema(EmbeddingProvider, "EMBEDDING_PROVIDER").pipe(Config.withDefault("auto" as const))
  )
  const named = yield* Environment.text("EMBEDDING_MODEL")
  const openRouterKey = yield* Environment.secret("OPENROUTER_API_KEY")
  if (Option.exists(named, (name) => !/^[\x21-\x7e]{1,180}$/.test(name))) {
    return yield* Environment.fail("EMBEDDING_MODEL", "must be a model's name: 1 to 180 printable characters without spaces")
  }
  return yield* embeddingsOf(provider !== "auto" ? provider : automatic(llm, named, openRouterKey), llm, named, openRouterKey)
})

const automatic = (llm: LlmConfig, named: Option.Option<string>, openRouterKey: Option.Option<unknown>) =>
  Option.isSome(openRouterKey)
    ? "openrouter" as const
    : Option.isNone(named)
    ? "builtin" as const
    : Option.isSome(llm.ollamaUrl)
    ? "ollama" as const
    : Option.isSome(llm.openaiApiKey)
    ? "openai" as const
    : "builtin" as const

const embeddingsOf = Effect.fnUntraced(function*(
  provider: Exclude<typeof EmbeddingProvider.Type, "auto">,
  { ollamaUrl, openaiApiKey, openaiBaseUrl }: LlmConfig,
  named: Option.Option<string>,
  openRouterKey: Option.Option<Redacted.Redacted<string>>
) {
  const model = (otherwise: string) => Option.getOrElse(named, () => otherwise)
  const found = (config: EmbeddingsConfig) => config
  switch (provider) {
    case "builtin":
      return found({ _tag: "Builtin" })
    case "ollama":
      return found({ _tag: "Ollama", url: Option.getOrElse(ollamaUrl, () => "http://localhost:11434"), model: model("nomic-embed-text") })
    case "openrouter":
      if (Option.isNone(openRouterKey)) return yield* Environment.fail("OPENROUTER_API_KEY", "must be set, because EMBEDDING_PROVIDER is openrouter")
      return found({ _tag: "OpenRouter", baseUrl: OPENROUTER_PUBLIC, apiKey: openRouterKey, model: model(OPENROUTER_MODEL) })
    case "openai":
      if (Option.isNone(openaiApiKey) && openaiBaseUrl === OPENAI_PUBLIC) {
        return yield* Environment.fail("OPENAI_API_KEY", "must be set, because EMBEDDING_PROVIDER is openai and OPENAI_BASE_URL is not set")
      }
      return found({ _tag: "OpenAi", baseUrl: openaiBaseUrl, apiKey: openaiApiKey, model: model("text-embedding-3-small") })
  }
})

const read = Effect.gen(function*() {
  const models = yield* llm
  return AppConfig.of({
    apiAddresses: yield* addresses,
    workerId: yield* workerId,
    workerName: yield* Environment.textOr("WORKER_NAME", "EngLog Worker"),
    maxConcurrent: yield* Environment.wholeNumber("WORKER_MAX_CONCURRENT", 1, 1000, 5),
    prefetch: yield* Environment.wholeNumber("WORKER_PREFETCH", 0, 9000, 512),
    slotHeld: yield* Environment.flag("WORKER_SLOT_HELD", false),
    queues: yield* queues,
    healthHost: yield* Environment.textOr("WORKER_HEALTH_HOST", "127.0.0.1"),
    healthPort: yield* Environment.port("WORKER_HEALTH_PORT"),
    enrollmentToken: yield* Environment.secret("WORKER_ENROLLMENT_TOKEN"),
    tls: yield* Environment.tlsFiles,
    llm: models,
    mail: yield* mailConfig,
    webAllowPrivate: yield* Environment.flag("WEB_ALLOW_PRIVATE", false),
    n8nPrivateHosts: yield* n8nPrivateHosts,
    embeddings: yield* embeddings(models),
    gitRoots: yield* gitRoots,
    searchPath: yield* Environment.textOr("PATH", "/usr/local/bin:/usr/bin:/bin"),
    telemetry: yield* Environment.telemetry
  })
})

const queues = Effect.map(Environment.textOr("WORKER_QUEUES", "default"), (names) => {
  const given = Environment.list(names)
  return given.length === 0 ? ["default"] : given
})

const gitRoots = Effect.gen(function*() {
  const found = Environment.list(yield* Environment.textOr("IMPORT_GIT_ROOTS", ""))
  return found.every((folder) => path.isAbsolute(folder))
    ? found
    : yield* Environment.fail("IMPORT_GIT_ROOTS", "must be a comma-separated list of absolute paths of folders")
})
