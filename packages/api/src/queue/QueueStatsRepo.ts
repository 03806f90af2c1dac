/** Figures of the queues for an administrator: what is open in each, and how the newest tasks fared. */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

const OpenCounts = Schema.Struct({
  queue: Schema.String,
  ready: Schema.Int,
  delayed: Schema.Int,
  blocked: Schema.Int,
  running: Schema.Int,
  critical: Schema.Int,
  high: Schema.Int,
  normal: Schema.Int,
  low: Schema.Int,
  oldest_due_seconds: Schema.Finite
})

const RecentCounts = Schema.Struct({
  tasks: Schema.Int,
  completed: Schema.Int,
  failed: Schema.Int,
  cancelled: Schema.Int,
  retries: Schema.Int,
  average_seconds: Schema.NullOr(Schema.Finite),
  since: Schema.NullOr(Schema.DateTimeUtcFromDate)
})

export class QueueStatsRepo extends Context.Service<QueueStatsRepo, {
  readonly open: Effect.Effect<ReadonlyArray<typeof OpenCounts.Type>, SqlError>
  /** Of the newest `count` tasks that were submitted. */
  readonly recent: (count: number) => Effect.Effect<typeof RecentCounts.Type, SqlError>
  /** Whether something waits in it, is set for it, or workers take from it. */
  readonly isKnown: (queue: string) => Effect.Effect<boolean, SqlError>
  /** Dead letters that nobody has replayed. */
  readonly deadLetters: Effect.Effect<number, SqlError>
}>()("@englog/api/queue/QueueStatsRepo") {
  static readonly layer = Layer.effect(
    QueueStatsRepo,
    Effect.map(SqlClient.SqlClient, (sql) =>
      QueueStatsRepo.of({
        open: sql`
          SELECT queue, count(*) FILTER (WHERE state = 'queued' AND waits_for IS NULL)::int AS ready,
            count(*) FILTER (WHERE waits_for = 'time')::int AS delayed, count(*) FILTER (WHERE waits_for IN ('tasks', 'limit'))::int AS blocked,
            count(*) FILTER (WHERE state = 'running')::int AS running,
            count(*) FILTER (WHERE state = 'queued' AND rank <= 0)::int AS critical,
            count(*) FILTER (WHERE state = 'queued' AND rank BETWEEN 1 AND 2)::int AS high,
            count(*) FILTER (WHERE state = 'queued' AND rank BETWEEN 3 AND 5)::int AS normal,
            count(*) FILTER (WHERE state = 'queued' AND rank > 5)::int AS low,
            coalesce(extract(epoch FROM now() - min(run_at) FILTER (WHERE state = 'queued' AND waits_for IS NULL)), 0)::float8 AS oldest_due_seconds
          FROM task_queue GROUP BY queue ORDER BY queue`.pipe(
            Effect.flatMap((rows) => Effect.orDie(decodeOpen(rows))),
            Effect.withSpan("QueueStatsRepo.open")
          ),
        recent: Effect.fn("QueueStatsRepo.recent")(function*(count) {
          const rows = yield* sql`
            SELECT count(*)::int AS tasks, count(*) FILTER (WHERE outcome = 'completed')::int AS completed,
              count(*) FILTER (WHERE outcome IN ('failed', 'expired'))::int AS failed,
              count(*) FILTER (WHERE outcome = 'cancelled')::int AS cancelled,
              coalesce(sum(greatest(attempt - 1 - rescues, 0)), 0)::int AS retries,
              (avg(extract(epoch FROM completed_at - started_at)) FILTER (WHERE outcome = 'completed'))::float8 AS average_seconds,
              min(created_at) AS since
            FROM (SELECT outcome, attempt, rescues, started_at, completed_at, created_at FROM tasks ORDER BY id DESC LIMIT ${count}::int) newest`
          const [recent] = yield* Effect.orDie(decodeRecent(rows))
          return recent
        }),
        isKnown: Effect.fn("QueueStatsRepo.isKnown")(function*(queue) {
          const rows = yield* sql`
            SELECT 1 WHERE EXISTS (SELECT 1 FROM task_queue WHERE queue = ${queue}::text) OR EXISTS (SELECT 1 FROM queues WHERE queue = ${queue}::text)
              OR EXISTS (SELECT 1 FROM worker_sessions WHERE ${queue}::text = ANY (queues))`
          return rows.length > 0
        }),
        deadLetters: sql`SELECT count(*)::int AS n FROM dead_letters WHERE replayed_as IS NULL`.pipe(
          Effect.flatMap((rows) => Effect.orDie(decodeCount(rows))),
          Effect.map(([{ n }]) => n),
          Effect.withSpan("QueueStatsRepo.deadLetters")
        )
      }))
  )
}

const decodeOpen = Schema.decodeUnknownEffect(Schema.Array(OpenCounts))
const decodeRecent = Schema.decodeUnknownEffect(Schema.Tuple([RecentCounts]))
const decodeCount = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ n: Schema.Int })]))
