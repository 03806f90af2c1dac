/**
 * The records of ended tasks, as whoever clears them away sees them: by the order of their numbers, which is that of their
 * submission, so that no index is needed beside the one that there is.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

/** Ended longer ago than this: so many seconds, or each longer than its record is to be kept. */
export type Age = number | "result_ttl"

const counted = { completed: Schema.Int, failed: Schema.Int, cancelled: Schema.Int }

const Portion = Schema.Struct({
  ...counted,
  /** Number of the last task that was looked at, in decimal; null where there were none. */
  last: Schema.NullOr(Schema.String)
})
export type Portion = typeof Portion.Type

export class EndedTaskRepo extends Context.Service<EndedTaskRepo, {
  /** Looks at the next `size` tasks after one number and below another; removes the old ones of them, or only counts them. */
  readonly removePortion: (portion: {
    readonly age: Age
    readonly after: string
    readonly below: bigint
    readonly size: number
    readonly dry_run: boolean
  }) => Effect.Effect<Portion, SqlError>
}>()("@englog/api/queue/EndedTaskRepo") {
  static readonly layer = Layer.effect(
    EndedTaskRepo,
    Effect.map(SqlClient.SqlClient, (sql) =>
      EndedTaskRepo.of({
        removePortion: Effect.fn("EndedTaskRepo.removePortion")(function*({ after, age, below, dry_run, size }) {
          const seconds = age === "result_ttl" ? null : age
          const rows = yield* sql`
            WITH looked AS (
              SELECT id, outcome, completed_at < now() - coalesce(${seconds}::float8, result_ttl_seconds) * interval '1 second' AS old
              FROM tasks WHERE id > ${after}::text::int8 AND id < ${below}::int8 ORDER BY id LIMIT ${size}::int
            ), gone AS (SELECT id, outcome FROM looked WHERE outcome IS NOT NULL AND old),
            forgotten AS MATERIALIZED (
              SELECT forget_tasks(array_agg(id)) FROM gone WHERE NOT ${dry_run}::bool HAVING count(*) > 0
            )
            SELECT count(*) FILTER (WHERE outcome = 'completed')::int AS completed,
              count(*) FILTER (WHERE outcome IN ('failed', 'expired'))::int AS failed,
              count(*) FILTER (WHERE outcome = 'cancelled')::int AS cancelled,
              (SELECT max(id)::text FROM looked) AS last, (SELECT count(*) FROM forgotten) AS done
            FROM gone`
          const [portion] = yield* Effect.orDie(decodePortion(rows))
          return portion
        })
      }))
  )
}

const decodePortion = Schema.decodeUnknownEffect(Schema.Tuple([Portion]))
