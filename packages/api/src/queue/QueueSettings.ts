/**
 * What an operator has set for queues: paused ones, and how many of their tasks may run at once. Few and rarely changed, so each
 * replica keeps them in memory and looks again when it is told, and every few seconds in any case.
 */
import { Context, Effect, Layer, Queue, Ref } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { waitedOut, warnUnlessOutage } from "../db/Outage.ts"
import { Wakeups } from "./Wakeups.ts"

export interface QueueSetting {
  readonly queue: string
  readonly paused: boolean
  readonly max_running: number | null
}

/** The name that stands for all queues together, in the table and in the API. */
export const ALL_QUEUES = "*"

export class QueueSettings extends Context.Service<QueueSettings, {
  /** Only queues for which something was set. */
  readonly current: Effect.Effect<ReadonlyMap<string, QueueSetting>>
  readonly set: (queue: string, change: { readonly paused?: boolean; readonly max_running?: number | null }) => Effect.Effect<QueueSetting, SqlError>
}>()("@englog/api/queue/QueueSettings") {
  static readonly layer = Layer.effect(
    QueueSettings,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const wakeups = yield* Wakeups
      const wake = yield* wakeups.subscribe("queues")

      const read = sql<QueueSetting>`SELECT queue, paused_at IS NOT NULL AS paused, max_running FROM queues`.pipe(
        Effect.map((rows): ReadonlyMap<string, QueueSetting> => new Map(rows.map((row) => [row.queue, row]))),
        Effect.withTracerEnabled(false)
      )
      const current = yield* Ref.make<ReadonlyMap<string, QueueSetting>>(yield* waitedOut(read))
      const refresh = Effect.flatMap(read, (settings) => Ref.set(current, settings))
      /** Whoever was woken by the same word as this has looked already, by the old settings. */
      const learn = Effect.gen(function*() {
        const before = yield* Ref.get(current)
        yield* refresh
        if (!sameSettings(before, yield* Ref.get(current))) yield* wakeups.wake("tasks")
      })

      yield* Queue.take(wake).pipe(
        Effect.timeoutOption(POLL),
        Effect.andThen(learn),
        Effect.catchCause((cause) => Effect.andThen(warnUnlessOutage("could not read the settings of queues; keeping the old ones", cause), Effect.sleep(POLL))),
        Effect.forever,
        Effect.forkScoped
      )

      const set: QueueSettings["Service"]["set"] = Effect.fn("QueueSettings.set")(function*(queue, { max_running, paused }) {
        yield* sql`
          INSERT INTO queues AS q (queue, paused_at, max_running)
          VALUES (${queue}, CASE WHEN ${paused ?? false}::bool THEN now() END, ${max_running ?? null}::int)
          ON CONFLICT (queue) DO UPDATE SET
            paused_at = CASE WHEN ${paused === undefined}::bool THEN q.paused_at WHEN ${paused ?? false}::bool THEN coalesce(q.paused_at, now()) END,
            max_running = CASE WHEN ${max_running === undefined}::bool THEN q.max_running ELSE ${max_running ?? null}::int END`
        yield* refresh
        yield* wakeups.wake("queues", "tasks")
        return (yield* Ref.get(current)).get(queue) ?? { queue, paused: false, max_running: null }
      })

      return QueueSettings.of({ current: Ref.get(current), set })
    })
  )
}

const POLL = "5 seconds"

const sameSettings = (one: ReadonlyMap<string, QueueSetting>, other: ReadonlyMap<string, QueueSetting>): boolean =>
  one.size === other.size && [...one].every(([queue, { max_running, paused }]) => {
    const now = other.get(queue)
    return now !== undefined && now.paused === paused && now.max_running === max_running
  })
