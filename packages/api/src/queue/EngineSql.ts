/**
 * The pool of the statements that run for every task. Its planner settings suit them alone: they always find their rows by an
 * index, and a plan made while a table was small or not analysed yet must not read all of it (fast-path: 5k instead of 47k
 * tasks/s). Whatever belongs into a caller's transaction goes through the caller's client instead.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"

export class EngineSql extends Context.Service<EngineSql, SqlClient.SqlClient>()("@englog/api/queue/EngineSql") {
  /** The client that is there, whatever its settings. */
  static readonly layer = Layer.effect(EngineSql, Effect.map(SqlClient.SqlClient, (sql) => sql))
}

/** Startup parameters of its connections. */
export const engineSettings = {
  plan_cache_mode: "force_generic_plan",
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  jit: "off"
} as const
