/**
 * Figures of the queues: what is open in each, and how the newest tasks fared.
 *
 * Counting reads all open tasks once, a third of a second for a million of them: a scan of the table costs the same whatever
 * was written just before, while one of the index is faster only after a vacuum and far slower until then.
 */
import { Context, Duration, Effect, Exit, Layer, Schema } from "effect"
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
export type OpenCounts = typeof OpenCounts.Type

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
  /** In each queue that has open tasks. `oldest_due_seconds`: for how long the oldest ready task has waited, 0 where none is. */
  readonly open: Effect.Effect<ReadonlyArray<OpenCounts>, SqlError>
  /** The same for everybody who polls: one count at a time, whose answer lasts a second at least, and ten times as long as it took. */
  readonly openLately: Effect.Effect<ReadonlyArray<OpenCounts>, SqlError>
  /** Of the newest `count` tasks that were submitted. */
  readonly recent: (count: number) => Effect.Effect<typeof RecentCounts.Type, SqlError>
  /** Whether something waits in it, is set for it, or workers take from it. */
  readonly isKnown: (queue: string) => Effect.Effect<boolean, SqlError>
  /** Dead letters that nobody has replayed. */
  readonly deadLetters: Effect.Effect<number, SqlError>
}>()("@englog/api/queue/QueueStatsRepo") {
  static readonly layer = Layer.effect(
    QueueStatsRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient

      // Few groups first, the many conditions on those.
      const open = sql`
        SELECT queue, coalesce(sum(n) FILTER (WHERE state = 'queued' AND waits_for IS NULL), 0)::int AS ready,
          coalesce(sum(n) FILTER (WHERE waits_for = 'time'), 0)::int AS delayed,
          coalesce(sum(n) FILTER (WHERE waits_for IN ('tasks', 'limit')), 0)::int AS blocked,
          coalesce(sum(n) FILTER (WHERE state = 'running'), 0)::int AS running,
          coalesce(sum(n) FILTER (WHERE state = 'queued' AND rank <= 0), 0)::int AS critical,
          coalesce(sum(n) FILTER (WHERE state = 'queued' AND rank BETWEEN 1 AND 2), 0)::int AS high,
          coalesce(sum(n) FILTER (WHERE state = 'queued' AND rank BETWEEN 3 AND 5), 0)::int AS normal,
          coalesce(sum(n) FILTER (WHERE state = 'queued' AND rank > 5), 0)::int AS low,
          coalesce(extract(epoch FROM now() - min(oldest) FILTER (WHERE state = 'queued' AND waits_for IS NULL)), 0)::float8 AS oldest_due_seconds
        FROM (SELECT queue, state, waits_for, rank, count(*) AS n, min(run_at) AS oldest FROM task_queue GROUP BY queue, state, waits_for, rank) g
        GROUP BY queue ORDER BY queue`.pipe(
          Effect.flatMap((rows) => Effect.orDie(decodeOpen(rows))),
          Effect.withSpan("QueueStatsRepo.open")
        )
      // A failure is not kept: whoever asks next asks the database again.
      const polled = yield* Effect.cachedWithTTL(Effect.timed(open), (exit) =>
        Exit.isSuccess(exit) ? Duration.max(SHORTEST, Duration.times(exit.value[0], SPARED)) : Duration.zero)

      return QueueStatsRepo.of({
        open,
        openLately: Effect.map(polled, ([, counts]) => counts),
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
      })
    })
  )
}

const SHORTEST = Duration.seconds(1)

/** Polls keep one connection busy for a tenth of the time at most. */
const SPARED = 10

const decodeOpen = Schema.decodeUnknownEffect(Schema.Array(OpenCounts))
const decodeRecent = Schema.decodeUnknownEffect(Schema.Tuple([RecentCounts]))
const decodeCount = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ n: Schema.Int })]))
