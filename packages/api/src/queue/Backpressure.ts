/**
 * How much may wait: a limit for each queue and for each tenant (product.md). Beyond it submissions are refused, with the time
 * after which another try makes sense.
 *
 * Counting for every submission would cost more than the submission. Each replica counts what it accepts itself on top of the
 * last count of the database, which it repeats at most every `RECOUNT` and only for whoever comes near a limit. So the limit is
 * kept by one replica and may be exceeded, by what the others accept within that time, by several. What is just being
 * committed may be counted twice: then a submission is refused a little early, never accepted too many.
 */
import type { OrganizationId } from "@englog/domain/Ids"
import { Clock, Context, Effect, Exit, Layer, Schema, Semaphore } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { EngineSql } from "./EngineSql.ts"

/** Too much waits already. `retry_after` in seconds. */
export class QueueFull extends Schema.TaggedError<QueueFull>()("QueueFull", { message: Schema.String, retry_after: Schema.Int }) {}

/** Tasks that may wait; 0 means without limit. */
export class QueueLimits extends Context.Service<QueueLimits, {
  readonly perQueue: number
  readonly perTenant: number
}>()("@englog/api/queue/QueueLimits") {
  static readonly defaults = { perQueue: 10_000, perTenant: 1_000 }
}

export class Backpressure extends Context.Service<Backpressure, {
  /** Submits `count` tasks, if there is room for them. */
  readonly within: <A, E>(
    queue: string,
    organization_id: OrganizationId,
    count: number,
    submit: Effect.Effect<A, E>
  ) => Effect.Effect<A, E | QueueFull | SqlError>
}>()("@englog/api/queue/Backpressure") {
  static readonly layer = Layer.effect(
    Backpressure,
    Effect.gen(function*() {
      const sql = yield* EngineSql
      const limits = yield* QueueLimits
      const gauges = new Map<string, Gauge>()

      /** No more than `limit`: beyond that it does not matter how many. */
      const countQueue = (queue: string, limit: number) =>
        sql<{ n: number }>`
          SELECT ((SELECT count(*) FROM (SELECT 1 FROM task_queue WHERE queue = ${queue} AND state = 'queued' AND waits_for IS NULL LIMIT ${limit}::int) r)
            + (SELECT count(*) FROM (SELECT 1 FROM task_queue WHERE queue = ${queue} AND waits_for IS NOT NULL LIMIT ${limit}::int) w))::int AS n`
      const countTenant = (organization_id: OrganizationId, limit: number) =>
        sql<{ n: number }>`
          WITH RECURSIVE lanes AS (
            (SELECT queue, kind, rank FROM task_queue WHERE state = 'queued' AND waits_for IS NULL ORDER BY queue, kind, rank LIMIT 1)
            UNION ALL
            SELECT n.* FROM lanes l, LATERAL (
              SELECT queue, kind, rank FROM task_queue WHERE state = 'queued' AND waits_for IS NULL
                AND (queue, kind, rank) > (l.queue, l.kind, l.rank) ORDER BY queue, kind, rank LIMIT 1
            ) n
          )
          SELECT ((SELECT count(*) FROM (
              SELECT 1 FROM lanes l JOIN task_queue q ON q.queue = l.queue AND q.kind = l.kind AND q.rank = l.rank
                AND q.organization_id = ${organization_id}::uuid AND q.state = 'queued' AND q.waits_for IS NULL LIMIT ${limit}::int) r)
            + (SELECT count(*) FROM (
              SELECT 1 FROM task_queue WHERE organization_id = ${organization_id}::uuid AND waits_for IS NOT NULL LIMIT ${limit}::int) w))::int AS n`

      const check = Effect.fnUntraced(function*(
        key: string,
        limit: number,
        count: number,
        recount: Effect.Effect<ReadonlyArray<{ readonly n: number }>, SqlError>,
        what: string
      ) {
        const gauge = gauges.get(key) ?? { counted: 0, since: 0, pending: 0, at: 0, counting: Semaphore.makeUnsafe(1) }
        gauges.delete(key)
        gauges.set(key, gauge)
        const [oldest] = gauges.keys()
        if (gauges.size > MAX_GAUGES && oldest !== undefined) gauges.delete(oldest)
        // Taken first, so that nobody else takes the same room while the database counts.
        gauge.pending += count
        const now = yield* Clock.currentTimeMillis
        if (now - gauge.at >= (near(gauge, limit) ? RECOUNT : RELAXED)) {
          gauge.at = now
          yield* gauge.counting.withPermits(1)(Effect.gen(function*() {
            const before = gauge.since
            const [row] = yield* Effect.withTracerEnabled(recount, false)
            gauge.counted = row?.n ?? 0
            gauge.since -= before
          })).pipe(Effect.onError(() => Effect.sync(() => release(gauge, count))))
        }
        if (waiting(gauge) <= limit) return gauge
        gauge.pending -= count
        return yield* new QueueFull({ message: `${what} already has ${limit} tasks waiting; try again later`, retry_after: 1 })
      })

      const rooms = Effect.fnUntraced(function*(queue: string, organization_id: OrganizationId, count: number) {
        const { perQueue, perTenant } = limits
        const ofQueue = perQueue > 0 ? yield* check(`queue ${queue}`, perQueue, count, countQueue(queue, perQueue), `the queue ${queue}`) : undefined
        if (perTenant === 0) return [ofQueue]
        const counting = countTenant(organization_id, perTenant)
        const ofTenant = yield* check(organization_id, perTenant, count, counting, "this organization").pipe(
          Effect.onError(() => Effect.sync(() => release(ofQueue, count)))
        )
        return [ofQueue, ofTenant]
      })

      return Backpressure.of({
        within: (queue, organization_id, count, submit) =>
          limits.perQueue === 0 && limits.perTenant === 0
            ? submit
            : Effect.acquireUseRelease(
              rooms(queue, organization_id, count),
              () => submit,
              (taken, exit) =>
                Effect.sync(() => {
                  for (const gauge of taken) {
                    release(gauge, count)
                    if (gauge !== undefined && Exit.isSuccess(exit)) gauge.since += count
                  }
                })
            )
      })
    })
  )
}

interface Gauge {
  /** As the database said last. */
  counted: number
  /** Accepted here since. */
  since: number
  /** About to be accepted here. */
  pending: number
  /** When it was asked. */
  at: number
  /** One count at a time. */
  readonly counting: Semaphore.Semaphore
}

/** Milliseconds between two counts of what is near its limit, and of what is far from it. */
const RECOUNT = 100
const RELAXED = 2_000

/** The tenants that were seen last. */
const MAX_GAUGES = 10_000

const waiting = (gauge: Gauge): number => gauge.counted + gauge.since + gauge.pending

const near = (gauge: Gauge, limit: number): boolean => waiting(gauge) > limit / 2

const release = (gauge: Gauge | undefined, count: number): void => {
  if (gauge !== undefined) gauge.pending -= count
}
