/**
 * A whole API server in this process, on the suite's database and free ports: HTTP, RPC and gRPC as in production, with
 * liveness times short enough to wait for. Tasks of kinds that no noun knows are submitted through a queue engine beside it.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { quietTelemetry } from "@englog/platform/Environment"
import { noTls, type TlsFiles } from "@englog/rpc/grpc/GrpcTls"
import { GrpcServer } from "@englog/rpc/grpc/GrpcServer"
import { Context, Duration, Effect, Layer, Logger, Option, Redacted, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { ApiServer } from "../../src/ApiServer.ts"
import { AppConfig } from "../../src/AppConfig.ts"
import { CallRates } from "../../src/cluster/CallLimits.ts"
import { Liveness } from "../../src/cluster/ClusterConfig.ts"
import { type EdgePolicy, openPolicy } from "../../src/http/edge/EdgePolicy.ts"
import type { RunnerMode } from "../../src/replicas/RunnerConfig.ts"
import { jwtSecret, TestApi } from "../http/TestApi.ts"
import { encryptionKeys, QueueEngine } from "./QueueEngine.ts"
import { TestDatabase } from "./TestDatabase.ts"

export interface ApiOptions {
  readonly maxWorkers?: number
  readonly enrollmentToken?: string
  readonly workerTimeout?: Duration.Duration
  readonly edge?: Partial<EdgePolicy>
  readonly redisUrl?: string
  readonly queueLimits?: { readonly perQueue: number; readonly perTenant: number }
  readonly liveness?: Partial<Context.Service.Shape<typeof Liveness>>
  readonly rates?: Partial<Context.Service.Shape<typeof CallRates>>
  readonly tls?: TlsFiles
  readonly publicUrl?: string
  readonly runner?: RunnerMode
  readonly webAllowPrivate?: boolean
  /** Default: nowhere. */
  readonly log?: Logger.Logger<unknown, void>
}

/** Production's proportions, several times faster; long enough for a busy machine of two cores. */
export const quick: Context.Service.Shape<typeof Liveness> = {
  contractLease: Duration.seconds(30),
  lease: Duration.millis(3_000),
  pingInterval: Duration.millis(400),
  deafAfter: Duration.millis(1_500),
  resumeGrace: Duration.millis(2_000),
  closedGrace: Duration.millis(3_000),
  replicaTimeout: Duration.millis(2_000),
  sweepInterval: Duration.millis(100),
  deadlineSlack: Duration.millis(300),
  cancelWait: Duration.millis(1_200),
  deliveryLimit: Duration.millis(1_000)
}

/** Of an API process on the suite's database. */
export const configOf = (options: ApiOptions = {}) =>
  Layer.effect(AppConfig, Effect.map(TestDatabase, ({ url }) =>
    AppConfig.of({
      httpHost: "127.0.0.1",
      httpPort: 0,
      edge: { ...openPolicy, ...options.edge },
      grpcHost: "127.0.0.1",
      grpcPort: 0,
      tls: options.tls ?? noTls,
      data: { _tag: "Given", url, jwtSecretKey: jwtSecret, encryptionKeys },
      redisUrl: Option.map(Option.fromUndefinedOr(options.redisUrl), Redacted.make),
      enrollmentToken: Option.map(Option.fromUndefinedOr(options.enrollmentToken), Redacted.make),
      publicUrl: Option.fromUndefinedOr(options.publicUrl),
      maxWorkers: options.maxWorkers ?? 1_000,
      queueLimits: options.queueLimits ?? { perQueue: 0, perTenant: 0 },
      heartbeatInterval: Duration.seconds(1),
      workerTimeout: options.workerTimeout ?? Duration.minutes(2),
      webAllowPrivate: options.webAllowPrivate ?? false,
      runner: options.runner ?? { _tag: "Single" },
      telemetry: quietTelemetry
    })))

const rates = (options: ApiOptions) => Layer.succeed(CallRates, { ...Context.get(Context.empty(), CallRates), ...options.rates })

/** One API process on the suite's database; another one each time it is built. */
export const apiProcess = (options: ApiOptions = {}) =>
  Layer.fresh(TestApi.client.pipe(
    Layer.provideMerge(ApiServer),
    Layer.provide([configOf(options), Layer.succeed(Liveness, { ...quick, ...options.liveness }), rates(options), NodeHttpClient.layerNodeHttp]),
    Layer.provide([Logger.layer(options.log === undefined ? [] : [options.log])]),
    Layer.orDie
  ))

/** An API server with a database of its own, and a queue engine to submit tasks of any kind. */
export const wholeApi = (options: ApiOptions = {}) => apiProcess(options).pipe(Layer.provideMerge(QueueEngine))

/** Where workers connect. */
export const grpcAddress = Effect.map(GrpcServer, ({ host, port }) => `${host}:${port}`)

/** Looks again and again until it is so, for at most ten seconds. */
export const eventually = <A, E, R>(look: Effect.Effect<A, E, R>, so: (value: A) => boolean) =>
  look.pipe(
    Effect.repeat({ until: so, schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutOrElse({
      duration: "10 seconds",
      orElse: () => Effect.flatMap(look, (value) => Effect.die(new Error(`still not so after 10 s: ${JSON.stringify(value)}`)))
    })
  )

/** A row of a worker's newest session, as PostgreSQL has it. */
export const sessionOf = Effect.fnUntraced(function*(worker_id: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{
    id: string; ended: boolean; end_reason: string | null; connected: boolean; disconnected: boolean; lease_valid: boolean
  }>`SELECT id, ended_at IS NOT NULL AS ended, end_reason, replica_id IS NOT NULL AS connected,
      disconnected_at IS NOT NULL AS disconnected, lease_until >= now() AS lease_valid
    FROM worker_sessions WHERE worker_id = ${worker_id} ORDER BY registered_at DESC LIMIT 1`
  return rows[0] ?? (yield* Effect.die(new Error(`${worker_id} has no session`)))
})
