/**
 * Events as messages: one is enqueued for each endpoint that wants to know of the event, in the transaction that is open, so that none
 * is lost and none tells of what did not happen.
 */
import type { OrganizationId } from "@englog/domain/Ids"
import type { WebhookEvent } from "@englog/domain/webhooks/Webhook"
import { Context, DateTime, Effect, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { DeliveryTasks, termsOf } from "./DeliveryTasks.ts"
import { WebhookRepo } from "./WebhookRepo.ts"

export interface Event {
  readonly type: WebhookEvent
  readonly data: Readonly<Record<string, string | null>>
}

export class EventMessages extends Context.Service<EventMessages, {
  /** Answers how many endpoints will be told. */
  readonly tell: (organization_id: OrganizationId, event: Event) => Effect.Effect<number, SqlError>
}>()("@englog/api/webhooks/EventMessages") {
  static readonly layer = Layer.effect(
    EventMessages,
    Effect.gen(function*() {
      const endpoints = yield* WebhookRepo
      const deliveries = yield* DeliveryTasks

      return EventMessages.of({
        tell: Effect.fn("EventMessages.tell")(function*(organization_id, { data, type }) {
          const wanted = yield* endpoints.listening(organization_id, type)
          const body = messageOf(type, yield* DateTime.now, data)
          for (const one of wanted) {
            const { id: endpoint_id, user_id } = one.endpoint
            const message = { organization_id, user_id, to: { endpoint_id }, event_type: type, body, signed: true }
            // It waits for no other task, and is not refused for want of room.
            yield* deliveries.enqueue(message, { ...termsOf(one), followUp: true }).pipe(
              Effect.catchTags({ QueueFull: Effect.die, DependencyProblem: Effect.die })
            )
          }
          return wanted.length
        })
      })
    })
  )
}

/** By the specification: `type`, `timestamp` and `data`. */
export const messageOf = (type: string, at: DateTime.Utc, data: Event["data"]): string =>
  JSON.stringify({ type, timestamp: DateTime.formatIso(at), data })
