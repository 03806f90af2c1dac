/**
 * WEBHOOK_DELIVERY for the engine: what an attempt is to send, composed and signed when it asks; and what its outcome means for the
 * message, the log and the endpoint's circuit, in the transaction that records the outcome.
 */
import type { WebhookDeliveryId } from "@englog/domain/Ids"
import { DeliveryOrder, DeliveryRecord, type DeliveryResult, FailedDelivery, WebhookDelivery } from "@englog/domain/tasks/WebhookDelivery"
import type { WebhookEndpoint } from "@englog/domain/webhooks/Webhook"
import { webhookHeaders } from "@englog/rpc/client/WebhookSignature"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { DateTime, Effect, Layer, Option, Random, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { type EffectTask, InvalidResult, TaskKinds } from "../queue/TaskKinds.ts"
import { CircuitRepo } from "./CircuitRepo.ts"
import { DeliveryRepo, type StoredDelivery } from "./DeliveryRepo.ts"
import { type StoredEndpoint, WebhookRepo } from "./WebhookRepo.ts"
import { WebhookSecretRepo } from "./WebhookSecretRepo.ts"

type Order = typeof DeliveryOrder.Type

export const DeliveryOutcomesLive = Layer.effectDiscard(Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const kinds = yield* TaskKinds
  const deliveries = yield* DeliveryRepo
  const endpoints = yield* WebhookRepo
  const secrets = yield* WebhookSecretRepo
  const circuits = yield* CircuitRepo

  const compose = Effect.fnUntraced(function*({ body, delivery, target }: StoredDelivery, endpoint: WebhookEndpoint | undefined) {
    const { endpoint_id, organization_id } = delivery
    const signing = delivery.signed ? yield* secrets.alive({ endpoint_id, organization_id }) : []
    if (delivery.signed && signing.length === 0) return refuse("the secret that it was to be signed with is gone")
    const at = DateTime.toDateUtc(yield* DateTime.now)
    const order: Order = {
      _tag: "Send",
      url: endpoint?.url ?? target?.url ?? "",
      headers: {
        ...lowerCase(endpoint?.headers ?? target?.headers ?? {}),
        "content-type": "application/json",
        // Ids come with each message, signed or not, so that what comes twice can be told.
        ...(signing.length === 0 ? { "webhook-id": delivery.webhook_id } : webhookHeaders(signing, { id: delivery.webhook_id, at, body }))
      },
      body
    }
    return order
  })

  /** Undefined: it may be sent. */
  const holdOf = Effect.fnUntraced(function*({ endpoint, hold }: StoredEndpoint, id: WebhookDeliveryId) {
    if (hold === undefined) return undefined
    if (hold <= 0 && (yield* circuits.tries(endpoint.id, id))) return undefined
    // Not all of them at the same moment.
    return Math.max(hold, MIN_HOLD) * (1 + 0.2 * (yield* Random.next))
  })

  const orderOf = Effect.fnUntraced(function*(id: WebhookDeliveryId) {
    const found = yield* deliveries.find(id)
    if (Option.isNone(found)) return refuse("the message was deleted")
    const { endpoint_id } = found.value.delivery
    if (endpoint_id === null) return yield* compose(found.value, undefined)
    const endpoint = yield* endpoints.find(endpoint_id)
    if (Option.isNone(endpoint)) return refuse("its endpoint was deleted")
    if (!endpoint.value.endpoint.enabled) return refuse("its endpoint is disabled")
    const retry_after = yield* holdOf(endpoint.value, id)
    const hold: Order | undefined = retry_after === undefined ? undefined : { _tag: "Hold", retry_after }
    return hold ?? (yield* compose(found.value, endpoint.value.endpoint))
  })

  const deliveryOf = Effect.fnUntraced(function*({ payload }: Pick<EffectTask, "payload">) {
    return (yield* Effect.orDie(decodePayload(payload))).delivery_id
  })

  const record = Effect.fnUntraced(function*(id: WebhookDeliveryId, task: EffectTask, told: DeliveryRecord) {
    yield* deliveries.record(id, task, told)
    yield* sql.afterCommit(Metrics.webhookAttempts.record({ outcome: outcomeOf(told) }, told.duration_ms / 1_000))
    yield* weigh(id, told)
  })

  /** 429 says that there is too much, not that the receiver is broken. */
  const weigh = Effect.fnUntraced(function*(id: WebhookDeliveryId, { status_code }: DeliveryRecord) {
    const found = yield* deliveries.find(id)
    const endpoint_id = Option.isSome(found) ? found.value.delivery.endpoint_id : null
    if (endpoint_id === null || status_code === 429) return
    if (status_code === 410) yield* endpoints.disable(endpoint_id, "gone")
    else if (succeeded(status_code)) yield* circuits.succeeded(endpoint_id)
    else yield* circuits.failed(endpoint_id, id)
  })

  yield* kinds.register({
    kind: WebhookDelivery.kind,
    data: Effect.fn("DeliveryOutcomes.data")(function*(lease) {
      return yield* Effect.orDie(encodeOrder(yield* orderOf(yield* deliveryOf(lease))))
    }),
    begin: Effect.fn("DeliveryOutcomes.begin")(function*(lease) {
      const granted = yield* deliveries.begin(yield* deliveryOf(lease), lease)
      return { granted, reason: granted ? "" : "the message was deleted" }
    }),
    onCompleted: Effect.fn("DeliveryOutcomes.onCompleted")(function*(task, result) {
      const told = yield* decodeResult(result).pipe(Effect.mapError((error) => new InvalidResult({ message: `result: ${error.message}` })))
      const id = yield* deliveryOf(task)
      yield* record(id, task, told)
      const kept: typeof DeliveryResult.Type = { delivery_id: id, status_code: told.status_code, duration_ms: told.duration_ms }
      return JSON.stringify(kept)
    }),
    judge: ({ detail, retry_after = 0 }) => isHeld(detail) ? { counted: false, retry_after: Math.max(MIN_HOLD, retry_after) } : {},
    onFailed: Effect.fn("DeliveryOutcomes.onFailed")(function*(task, { detail }) {
      const told = decodeFailed(detail ?? "")
      // An order that was refused, or a worker that says nothing about the attempt.
      if (Option.isNone(told) || told.value._tag === "Held") return
      yield* record(yield* deliveryOf(task), task, told.value.record)
    }),
    onEnded: Effect.fn("DeliveryOutcomes.onEnded")(function*(task, state) {
      const outcome = state === "completed" ? "delivered" : state === "cancelled" ? "cancelled" : "failed"
      yield* deliveries.end(yield* deliveryOf(task), outcome)
      yield* sql.afterCommit(Metrics.webhookDeliveries.add({ outcome }))
    })
  })
}))

/** Milliseconds. */
const MIN_HOLD = 1_000

const succeeded = (status_code: number | null): boolean => status_code !== null && status_code >= 200 && status_code < 300
const outcomeOf = ({ status_code }: DeliveryRecord): string => status_code === null ? "unanswered" : succeeded(status_code) ? "accepted" : "refused"

const refuse = (reason: string): Order => ({ _tag: "Refuse", reason })

const lowerCase = (headers: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const decodePayload = Schema.decodeEffect(Schema.fromJsonString(WebhookDelivery.payload))
const decodeResult = Schema.decodeEffect(Schema.fromJsonString(DeliveryRecord))
const decodeFailed = Schema.decodeOption(Schema.fromJsonString(FailedDelivery))
const isHeld = (detail = "") => Option.exists(decodeFailed(detail), ({ _tag }) => _tag === "Held")
const encodeOrder = Schema.encodeEffect(Schema.fromJsonString(DeliveryOrder))
