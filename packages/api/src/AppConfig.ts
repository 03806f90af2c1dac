/**
 * The API server's configuration, read once from the environment. The README has the table of variables.
 */
import { ConfigurationError, duration, fail, flag, httpUrl, secret, telemetry, textOr, tlsFiles, wholeNumber } from "@englog/platform/Environment"
import type { TlsFiles } from "@englog/rpc/grpc/GrpcTls"
import type { TelemetryConfig } from "@englog/platform/Environment"
import { edgePolicy } from "./EdgeConfig.ts"
import type { EdgePolicy } from "./http/edge/EdgePolicy.ts"
import { QueueLimits } from "./queue/Backpressure.ts"
import type { RunnerMode } from "./replicas/RunnerConfig.ts"
import { Context, Duration, Effect, Layer, Option, Redacted } from "effect"

/** Where the data lives: a PostgreSQL of its own in a folder, or one that is given, whose secrets must be given too. */
export type DataSource =
  | { readonly _tag: "Embedded"; readonly dataDir: string }
  | {
    readonly _tag: "Given"
    readonly url: Redacted.Redacted<string>
    readonly jwtSecretKey: Redacted.Redacted<string>
    readonly encryptionKeys: Redacted.Redacted<string>
  }

export class AppConfig extends Context.Service<AppConfig, {
  readonly httpHost: string
  readonly httpPort: number
  readonly edge: EdgePolicy
  readonly grpcHost: string
  readonly grpcPort: number
  readonly tls: TlsFiles
  readonly data: DataSource
  readonly redisUrl: Option.Option<Redacted.Redacted<string>>
  readonly enrollmentToken: Option.Option<Redacted.Redacted<string>>
  /** Where people reach this installation; for the links in e-mails. */
  readonly publicUrl: Option.Option<string>
  readonly maxWorkers: number
  readonly heartbeatInterval: Duration.Duration
  readonly workerTimeout: Duration.Duration
  readonly queueLimits: QueueLimits["Service"]
  readonly runner: RunnerMode
  /** URLs that users name may be plain HTTP and lead to private addresses. */
  readonly webAllowPrivate: boolean
  readonly telemetry: TelemetryConfig
}>()("@englog/api/AppConfig") {
  static readonly layer: Layer.Layer<AppConfig, ConfigurationError> = Layer.effect(AppConfig, Effect.suspend(() => read))
}

const dataSource = Effect.gen(function*() {
  const url = yield* secret("DATABASE_URL")
  if (Option.isNone(url)) return { _tag: "Embedded", dataDir: yield* textOr("DATA_DIR", ".data") } as const
  if (!/^postgres(ql)?:\/\//.test(Redacted.value(url.value))) {
    return yield* fail("DATABASE_URL", "must start with postgres:// or postgresql://")
  }
  const demand = Effect.fnUntraced(function*(name: string) {
    const value = yield* secret(name)
    if (Option.isSome(value)) return value.value
    return yield* fail(name, "must be set when DATABASE_URL is: API servers on one database have to share it")
  })
  return {
    _tag: "Given",
    url: url.value,
    jwtSecretKey: yield* longEnough(yield* demand("JWT_SECRET_KEY")),
    encryptionKeys: yield* demand("ENCRYPTION_KEYS")
  } as const
})

/** Seed 004: at least 32 characters, as many as HS256 has key bytes. */
const longEnough = (key: Redacted.Redacted<string>) =>
  Redacted.value(key).length >= 32 ? Effect.succeed(key) : fail("JWT_SECRET_KEY", "must have at least 32 characters")

const loopback = (host: string) => host === "localhost" || host === "::1" || host.startsWith("127.")

/** Where the other API servers reach this one. */
const runner = Effect.gen(function*(): Effect.fn.Return<RunnerMode, ConfigurationError> {
  const host = yield* textOr("CLUSTER_HOST", "")
  if (host === "") {
    for (const name of ["CLUSTER_PORT", "CLUSTER_LISTEN_HOST"]) {
      if ((yield* textOr(name, "")) !== "") return yield* fail(name, "means nothing without CLUSTER_HOST, the name by which other API servers reach this one")
    }
    return { _tag: "Single" }
  }
  if (host === "0.0.0.0" || host === "::") {
    return yield* fail("CLUSTER_HOST", `is ${host}, which no other API server can call: name this server, and set CLUSTER_LISTEN_HOST=${host}`)
  }
  return { _tag: "Socket", host, port: yield* wholeNumber("CLUSTER_PORT", 1, 65_535, 34_431), listenHost: yield* textOr("CLUSTER_LISTEN_HOST", host) }
})

const read = Effect.gen(function*() {
  const httpHost = yield* textOr("HTTP_HOST", "127.0.0.1")
  const grpcHost = yield* textOr("GRPC_HOST", "127.0.0.1")
  const tls = yield* tlsFiles
  const enrollmentToken = yield* secret("WORKER_ENROLLMENT_TOKEN")
  const data = yield* dataSource
  if (!loopback(grpcHost) && Option.isNone(tls.caFile) && Option.isNone(enrollmentToken)) {
    return yield* fail(
      "GRPC_HOST",
      `is ${grpcHost}, which others can reach: set TLS_CA_FILE (client certificates) or WORKER_ENROLLMENT_TOKEN, or anybody may be a worker`
    )
  }
  const heartbeatInterval = yield* duration("HEARTBEAT_INTERVAL", Duration.seconds(30))
  const workerTimeout = yield* duration("WORKER_TIMEOUT", Duration.minutes(2))
  if (Duration.isLessThanOrEqualTo(workerTimeout, heartbeatInterval)) {
    return yield* fail("WORKER_TIMEOUT", "must be longer than HEARTBEAT_INTERVAL")
  }
  return AppConfig.of({
    httpHost,
    httpPort: yield* wholeNumber("HTTP_PORT", 0, 65_535, 8080),
    edge: yield* edgePolicy({ reachable: !loopback(httpHost) }),
    grpcHost,
    grpcPort: yield* wholeNumber("GRPC_PORT", 0, 65_535, 50051),
    tls,
    data,
    redisUrl: yield* secret("REDIS_URL"),
    enrollmentToken,
    publicUrl: yield* httpUrl("PUBLIC_URL"),
    maxWorkers: yield* wholeNumber("MAX_WORKERS", 1, 10_000, 10),
    heartbeatInterval,
    workerTimeout,
    queueLimits: QueueLimits.of({
      perQueue: yield* wholeNumber("MAX_QUEUED_PER_QUEUE", 0, 1_000_000_000, QueueLimits.defaults.perQueue),
      perTenant: yield* wholeNumber("MAX_QUEUED_PER_ORGANIZATION", 0, 1_000_000_000, QueueLimits.defaults.perTenant)
    }),
    runner: yield* runner,
    webAllowPrivate: yield* flag("WEB_ALLOW_PRIVATE", false),
    telemetry: yield* telemetry
  })
})
