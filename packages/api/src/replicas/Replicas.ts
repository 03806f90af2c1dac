/**
 * What runs once, however many API servers there are: Effect's cluster on the same PostgreSQL, with connections and a schema of
 * its own. It is built beside the server, not before it: requests are answered whatever becomes of it, and where it cannot be
 * built or ends it is built anew (docs/decisions/0023).
 */
import { NodeClusterSocket, NodeCrypto } from "@effect/platform-node"
import { Cause, Context, Effect, Layer, Logger, LogLevel, Option, References, Schedule } from "effect"
import { ClusterError, RunnerAddress, type Sharding, SingleRunner } from "effect/cluster"
import { SqlClient } from "effect/sql"
import { outageOf, warnUnlessOutage } from "../db/Outage.ts"
import { RunnerConfig, type RunnerMode, RunnerTimes } from "./RunnerConfig.ts"

/** Connections whose schema is the cluster's; one of them holds its locks. */
export class RunnerSql extends Context.Service<RunnerSql, SqlClient.SqlClient>()("@englog/api/replicas/RunnerSql") {
  static readonly layer = Layer.effect(RunnerSql, Effect.map(SqlClient.SqlClient, (sql) => sql))
}

/** Startup parameters of its connections; the migrations make the schema. */
export const runnerSettings = { search_path: "englog_cluster" } as const

/** Runs `work` where this replica holds it, as long as the layer lives. */
export const replicated = <R>(work: Layer.Layer<never, never, R>) =>
  Layer.effectDiscard(Effect.gen(function*() {
    const context = yield* Effect.context<Exclude<R, Sharding.Sharding> | RunnerSql | RunnerConfig>()
    const runner = Layer.unwrap(Effect.map(RunnerConfig, (mode) => Layer.unwrap(Effect.map(RunnerTimes, (times) => runnerOf(mode, times))))).pipe(
      Layer.provide(Layer.effect(SqlClient.SqlClient, Effect.map(RunnerSql, (sql) => sql)))
    )
    // The runner repeats in many lines what an outage is, and so does each cron job; `OutageWatch` says it once. Apart from that
    // its work speaks as everything else does.
    const level = yield* References.MinimumLogLevel
    const quiet = LogLevel.isGreaterThan(level, "Debug")
    const loggers = yield* Logger.CurrentLoggers
    const ofWork = Layer.provide(work, Layer.mergeAll(
      Layer.succeed(References.MinimumLogLevel, level),
      Layer.succeed(Logger.CurrentLoggers, quiet ? new Set(Array.from(loggers, exceptOutages)) : loggers)
    ))
    const ofRunner = quiet ? "None" : level
    yield* Layer.launch(Layer.provide(ofWork, runner)).pipe(
      Effect.provideService(References.MinimumLogLevel, ofRunner),
      Effect.provideContext(context),
      Effect.catchCause((cause) => warnUnlessOutage("the replicas' common work has ended here; starting it anew", cause)),
      Effect.repeat(Schedule.spaced("2 seconds")),
      Effect.withTracerEnabled(false),
      Effect.annotateLogs({ component: "replicas" }),
      Effect.forkScoped
    )
  }))

const exceptOutages = (logger: Logger.Logger<unknown, unknown>) =>
  Logger.make((line) => isOutage(Cause.squash(line.cause)) ? undefined : logger.log(line))

/** Of the cluster's storage: it fails with what the database failed with as its cause. */
const isOutage = (error: unknown): boolean =>
  outageOf(error instanceof ClusterError.PersistenceError ? error.cause : error) !== undefined

const runnerOf = (mode: RunnerMode, { lockExpiration, refresh }: Context.Service.Shape<typeof RunnerTimes>) => {
  const shardingConfig = {
    // A handful of jobs; each shard is an advisory lock. All replicas have to agree on it.
    shardsPerGroup: 16,
    shardLockExpiration: lockExpiration,
    shardLockRefreshInterval: refresh,
    refreshAssignmentsInterval: refresh,
    runnerHealthCheckInterval: refresh,
    entityMessagePollInterval: "2 seconds",
    entityTerminationTimeout: "5 seconds"
  } as const
  if (mode._tag === "Single") {
    // One address for all of them: they do not share the work, whoever has the locks does it.
    const address = Option.some(RunnerAddress.make("single", 0))
    return SingleRunner.layer({ shardingConfig: { ...shardingConfig, runnerAddress: address, runnerListenAddress: address } }).pipe(
      Layer.provide(NodeCrypto.layerDigest)
    )
  }
  return NodeClusterSocket.layer({
    storage: "sql",
    shardingConfig: {
      ...shardingConfig,
      runnerAddress: Option.some(RunnerAddress.make(mode.host, mode.port)),
      runnerListenAddress: Option.some(RunnerAddress.make(mode.listenHost, mode.port))
    }
  })
}
