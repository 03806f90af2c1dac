/**
 * How much may wait: a limit for each queue and for each tenant (product.md). Beyond it submissions are refused, with the time
 * after which another try makes sense.
 *
 * Counting for every submission would cost more than the submission. Each replica counts what it accepts itself on top of the
 * last count of the database, which it repeats at most every `RECOUNT` and only for whoever comes near a limit. So the limit is
 * exact for one replica and may be exceeded, by what the others accept within that time, for several.
 */
import type { OrganizationId } from "@englog/domain/Ids"
import { Clock, Context, Effect, Layer, Schema } from "effect"
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
  /** Takes room for `count` more tasks, or fails. */
  readonly admit: (queue: string, organization_id: OrganizationId, count: number) => Effect.Effect<void, QueueFull | SqlError>
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
        const now = yield* Clock.currentTimeMillis
        const gauge = gauges.get(key) ?? { counted: 0, since: 0, at: 0 }
        gauges.delete(key)
        gauges.set(key, gauge)
        const [oldest] = gauges.keys()
        if (gauges.size > MAX_GAUGES && oldest !== undefined) gauges.delete(oldest)
        const stale = now - gauge.at >= (near(gauge, limit, count) ? RECOUNT : RELAXED)
        if (stale) {
          gauge.at = now
          const before = gauge.since
          const [row] = yield* Effect.withTracerEnabled(recount, false)
          gauge.counted = row?.n ?? 0
          gauge.since -= before
        }
        if (gauge.counted + gauge.since + count <= limit) return gauge
        return yield* new QueueFull({ message: `${what} already has ${limit} tasks waiting; try again later`, retry_after: 1 })
      })

      return Backpressure.of({
        admit: Effect.fnUntraced(function*(queue, organization_id, count) {
          const taken: Array<Gauge> = []
          if (limits.perQueue > 0) {
            taken.push(yield* check(`queue ${queue}`, limits.perQueue, count, countQueue(queue, limits.perQueue), `the queue ${queue}`))
          }
          if (limits.perTenant > 0) {
            const counting = countTenant(organization_id, limits.perTenant)
            taken.push(yield* check(organization_id, limits.perTenant, count, counting, "this organization"))
          }
          for (const gauge of taken) gauge.since += count
        })
      })
    })
  )
}

interface Gauge {
  /** As the database said last. */
  counted: number
  /** Accepted here since. */
  since: number
  /** When it was asked. */
  at: number
}

/** Milliseconds between two counts of what is near its limit, and of what is far from it. */
const RECOUNT = 100
const RELAXED = 2_000

/** The tenants that were seen last. */
const MAX_GAUGES = 10_000

const near = (gauge: Gauge, limit: number, count: number) => gauge.counted + gauge.since + count > limit / 2
