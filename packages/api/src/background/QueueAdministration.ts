/** What an administrator sees of the queues and does to them. Changes stand in the audit log. */
import { backgroundPolicy } from "@englog/domain/tasks/TaskPolicy"
import { OrganizationId } from "@englog/domain/Ids"
import { BadRequest, type Forbidden, NotFound } from "@englog/rpc/http/HttpErrors"
import type { CleanupAnswer, QueueSettingView, QueueStats, TenantWeight } from "@englog/rpc/http/QueueView"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { ALL_QUEUES, QueueSettings } from "../queue/QueueSettings.ts"
import { QueueStatsRepo } from "../queue/QueueStatsRepo.ts"
import { TaskCleanup } from "../queue/TaskCleanup.ts"
import { TenantWeightRepo } from "../queue/TenantWeightRepo.ts"
import { actor, administratorsOnly, type Operator } from "../security/Operator.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"

type Setting = typeof QueueSettingView.Type
type Weight = typeof TenantWeight.Type

export interface WeightsPage {
  readonly items: ReadonlyArray<Weight>
  readonly next_cursor: string | null
}

export interface CleanupRequest {
  readonly max_age_days?: number
  readonly dry_run?: boolean
}

export class QueueAdministration extends Context.Service<QueueAdministration, {
  readonly stats: (operator: Operator) => Effect.Effect<typeof QueueStats.Type, Forbidden | SqlError>
  readonly pause: (operator: Operator, queue: string) => Effect.Effect<Setting, BadRequest | Forbidden | NotFound | SqlError>
  readonly resume: (operator: Operator, queue: string) => Effect.Effect<Setting, BadRequest | Forbidden | NotFound | SqlError>
  readonly limit: (operator: Operator, queue: string, max_running: number | null) => Effect.Effect<Setting, Forbidden | NotFound | SqlError>
  readonly cleanUp: (operator: Operator, request: CleanupRequest) => Effect.Effect<typeof CleanupAnswer.Type, Forbidden | SqlError>
  /** Of organizations whose share was set; that of all others is 1. */
  readonly weights: (operator: Operator, page: { readonly limit?: number; readonly cursor?: string }) => Effect.Effect<
    WeightsPage,
    BadRequest | Forbidden | SqlError
  >
  readonly weigh: (operator: Operator, organization_id: OrganizationId, weight: number) => Effect.Effect<Weight, Forbidden | NotFound | SqlError>
}>()("@englog/api/background/QueueAdministration") {
  static readonly layer = Layer.effect(
    QueueAdministration,
    Effect.gen(function*() {
      const settings = yield* QueueSettings
      const figures = yield* QueueStatsRepo
      const cleanup = yield* TaskCleanup
      const tenants = yield* TenantWeightRepo
      const { record } = yield* SecurityEvents

      /** A name that was mistyped would change nothing, and nobody would know. */
      const known = Effect.fnUntraced(function*(queue: string) {
        if (queue === ALL_QUEUES || queue === backgroundPolicy.queue || (yield* figures.isKnown(queue))) return
        return yield* new NotFound({ error: `queue: nothing waits in ${queue}, and no worker takes from it` })
      })

      const setPaused = Effect.fnUntraced(function*(operator: Operator, queue: string, paused: boolean) {
        yield* administratorsOnly(operator)
        if (queue === ALL_QUEUES) return yield* new BadRequest({ error: "queue: name one; all at once can only be limited" })
        yield* known(queue)
        const setting = yield* settings.set(queue, { paused })
        yield* record({ event: paused ? "queue_paused" : "queue_resumed", ...actor(operator), detail: { queue } })
        return setting
      })

      return QueueAdministration.of({
        stats: Effect.fn("QueueAdministration.stats")(function*(operator) {
          yield* administratorsOnly(operator)
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
        pause: Effect.fn("QueueAdministration.pause")((operator, queue) => setPaused(operator, queue, true)),
        resume: Effect.fn("QueueAdministration.resume")((operator, queue) => setPaused(operator, queue, false)),
        limit: Effect.fn("QueueAdministration.limit")(function*(operator, queue, max_running) {
          yield* administratorsOnly(operator)
          yield* known(queue)
          const setting = yield* settings.set(queue, { max_running })
          yield* record({ event: "queue_limited", ...actor(operator), detail: { queue, ...(max_running === null ? {} : { max_running }) } })
          return setting
        }),
        cleanUp: Effect.fn("QueueAdministration.cleanUp")(function*(operator, { dry_run = false, max_age_days }) {
          yield* administratorsOnly(operator)
          const removed = yield* cleanup.sweep({ age: max_age_days === undefined ? "result_ttl" : max_age_days * DAY, dry_run })
          if (!dry_run) yield* record({ event: "tasks_cleaned_up", ...actor(operator), detail: { ...removed } })
          return { dry_run, removed }
        }),
        weights: Effect.fn("QueueAdministration.weights")(function*(operator, { cursor, limit = defaultPageSize }) {
          yield* administratorsOnly(operator)
          const after = cursor === undefined ? null : Option.getOrUndefined(decodeCursor(cursor))
          if (after === undefined) return yield* new BadRequest({ error: "cursor: is not a next_cursor of an earlier page" })
          const found = yield* tenants.list(after, limit + 1)
          return { items: found.slice(0, limit), next_cursor: found.length > limit ? found[limit - 1]?.organization_id ?? null : null }
        }),
        weigh: Effect.fn("QueueAdministration.weigh")(function*(operator, organization_id, weight) {
          yield* administratorsOnly(operator)
          if (!(yield* tenants.set(organization_id, weight))) return yield* new NotFound({ error: "organization_id: there is no such organization" })
          yield* record({ event: "tenant_weighted", ...actor(operator), detail: { organization_id, weight } })
          return { organization_id, weight }
        })
      })
    })
  ).pipe(Layer.provide(TenantWeightRepo.layer))
}

const decodeCursor = Schema.decodeOption(OrganizationId)

/** Tasks whose fate the statistics tell. */
const NEWEST = 10_000

const DAY = 86_400

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

const nothingOpen = { ready: 0, delayed: 0, blocked: 0, running: 0, critical: 0, high: 0, normal: 0, low: 0, oldest_due_seconds: 0 }
