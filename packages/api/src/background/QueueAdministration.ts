/** What an administrator sees of the queues and does to them. Changes stand in the audit log. */
import { backgroundPolicy } from "@englog/domain/tasks/TaskPolicy"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, type Forbidden, NotFound } from "@englog/rpc/http/HttpErrors"
import type { CleanupAnswer, QueueSettingView, QueueStats } from "@englog/rpc/http/QueueView"
import { Context, DateTime, Effect, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { ALL_QUEUES, QueueSettings } from "../queue/QueueSettings.ts"
import { QueueStatsRepo } from "../queue/QueueStatsRepo.ts"
import { TaskCleanup } from "../queue/TaskCleanup.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { administratorsOnly } from "../tasks/TaskAccess.ts"

type Caller = CurrentUser["Service"]
type Setting = typeof QueueSettingView.Type

export interface CleanupRequest {
  readonly max_age_days?: number
  readonly dry_run?: boolean
}

export class QueueAdministration extends Context.Service<QueueAdministration, {
  readonly stats: (caller: Caller) => Effect.Effect<typeof QueueStats.Type, Forbidden | SqlError>
  readonly pause: (caller: Caller, queue: string) => Effect.Effect<Setting, BadRequest | Forbidden | NotFound | SqlError>
  readonly resume: (caller: Caller, queue: string) => Effect.Effect<Setting, BadRequest | Forbidden | NotFound | SqlError>
  readonly limit: (caller: Caller, queue: string, max_running: number | null) => Effect.Effect<Setting, Forbidden | NotFound | SqlError>
  readonly cleanUp: (caller: Caller, request: CleanupRequest) => Effect.Effect<typeof CleanupAnswer.Type, Forbidden | SqlError>
}>()("@englog/api/background/QueueAdministration") {
  static readonly layer = Layer.effect(
    QueueAdministration,
    Effect.gen(function*() {
      const settings = yield* QueueSettings
      const figures = yield* QueueStatsRepo
      const cleanup = yield* TaskCleanup
      const { record } = yield* SecurityEvents

      /** A name that was mistyped would change nothing, and nobody would know. */
      const known = Effect.fnUntraced(function*(queue: string) {
        if (queue === ALL_QUEUES || queue === backgroundPolicy.queue || (yield* figures.isKnown(queue))) return
        return yield* new NotFound({ error: `queue: nothing waits in ${queue}, and no worker takes from it` })
      })

      const setPaused = Effect.fnUntraced(function*(caller: Caller, queue: string, paused: boolean) {
        yield* administratorsOnly(caller)
        if (queue === ALL_QUEUES) return yield* new BadRequest({ error: "queue: name one; all at once can only be limited" })
        yield* known(queue)
        const setting = yield* settings.set(queue, { paused })
        yield* record({ event: paused ? "queue_paused" : "queue_resumed", user_id: caller.id, detail: { queue } })
        return setting
      })

      return QueueAdministration.of({
        stats: Effect.fn("QueueAdministration.stats")(function*(caller) {
          yield* administratorsOnly(caller)
          const [open, recent, dead_letters, set] = yield* Effect.all([figures.open, figures.recent(NEWEST), figures.deadLetters, settings.current])
          const names = [...new Set([...open.map(({ queue }) => queue), ...set.keys()])].sort()
          const queues = names.map((queue) => {
            const counts = open.find((one) => one.queue === queue) ?? nothingOpen
            const { blocked, critical, delayed, high, low, normal, oldest_due_seconds, ready, running } = counts
            const { max_running = null, paused = false } = set.get(queue) ?? {}
            const pending = ready + delayed + blocked
            return { queue, paused, max_running, pending, ready, delayed, blocked, running, by_priority: { critical, high, normal, low }, oldest_due_seconds }
          })
          const ended = recent.completed + recent.failed + recent.cancelled
          const { average_seconds: average_execution_seconds, ...fared } = recent
          return {
            queues,
            totals: { pending: sum(queues.map(({ pending }) => pending)), running: sum(queues.map(({ running }) => running)), dead_letters },
            recent: { ...fared, error_rate: ended === 0 ? null : recent.failed / ended, average_execution_seconds },
            timestamp: yield* DateTime.now
          }
        }),
        pause: Effect.fn("QueueAdministration.pause")((caller, queue) => setPaused(caller, queue, true)),
        resume: Effect.fn("QueueAdministration.resume")((caller, queue) => setPaused(caller, queue, false)),
        limit: Effect.fn("QueueAdministration.limit")(function*(caller, queue, max_running) {
          yield* administratorsOnly(caller)
          yield* known(queue)
          const setting = yield* settings.set(queue, { max_running })
          yield* record({ event: "queue_limited", user_id: caller.id, detail: { queue, ...(max_running === null ? {} : { max_running }) } })
          return setting
        }),
        cleanUp: Effect.fn("QueueAdministration.cleanUp")(function*(caller, { dry_run = false, max_age_days }) {
          yield* administratorsOnly(caller)
          const removed = yield* cleanup.sweep({ age: max_age_days === undefined ? "result_ttl" : max_age_days * DAY, dry_run })
          if (!dry_run) yield* record({ event: "tasks_cleaned_up", user_id: caller.id, detail: { ...removed } })
          return { dry_run, removed }
        })
      })
    })
  )
}

/** Tasks whose fate the statistics tell. */
const NEWEST = 10_000

const DAY = 86_400

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

const nothingOpen = { ready: 0, delayed: 0, blocked: 0, running: 0, critical: 0, high: 0, normal: 0, low: 0, oldest_due_seconds: 0 }
