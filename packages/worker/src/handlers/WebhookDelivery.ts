/**
 * Handles WEBHOOK_DELIVERY: has it recorded that the message is about to be sent, and sends what the API server composed, once. Everything but 2xx is a failure; a redirect is not followed,
 * because the message would go where its owner did not send it.
 */
import { DeliveryOrder, type DeliveryRecord, FailedDelivery, MAX_RESPONSE_BODY, WebhookDelivery } from "@englog/domain/tasks/WebhookDelivery"
import { Clock, DateTime, Duration, Effect, Result, Schema } from "effect"
import { GuardedFetch, type GuardedResponse } from "../web/GuardedFetch.ts"
import { retryDelay } from "../web/RetryAfter.ts"
import type { WebFailure } from "../web/WebFailure.ts"
import * as TaskHandler from "./TaskHandler.ts"

/** From the connection to the last byte of the answer. */
const TIMEOUT = Duration.seconds(20)

export const webhookDelivery = Effect.map(GuardedFetch, ({ fetch }) =>
  TaskHandler.make(WebhookDelivery, (_, context) =>
    Effect.gen(function*() {
      const order = yield* Effect.flatMap(context.data, decodeOrder).pipe(
        Effect.catchTag("SchemaError", (cause) =>
          new TaskHandler.TaskFailure({ message: "the API server sent task data that this worker does not understand; update the worker", cause }))
      )
      if (order._tag === "Refuse") return yield* new TaskHandler.TaskFailure({ message: order.reason, retryable: false })
      if (order._tag === "Hold") return yield* held(order.retry_after)
      const { body, headers, url } = order
      const permission = yield* context.begin
      if (!permission.granted) return yield* new TaskHandler.TaskFailure({ message: permission.reason, retryable: false })
      const begun = yield* Clock.currentTimeMillis
      const answer = yield* Effect.result(fetch({ method: "POST", url, headers, body, maxBytes: MAX_RESPONSE_BODY, excess: "cut", timeout: TIMEOUT }))
      const duration_ms = Math.round((yield* Clock.currentTimeMillis) - begun)
      if (Result.isFailure(answer)) return yield* unanswered(answer.failure, { duration_ms, request_headers: headers })
      const record = recordOf(answer.success, { duration_ms, request_headers: headers })
      yield* context.note({ operation: "webhook_delivered", status_code: answer.success.status })
      return record.error === null ? record : yield* refused(answer.success, record, yield* DateTime.now)
    })))

const decodeOrder = Schema.decodeEffect(Schema.fromJsonString(DeliveryOrder))
const encodeDetail = Schema.encodeEffect(Schema.fromJsonString(FailedDelivery))

type Asked = Pick<DeliveryRecord, "duration_ms" | "request_headers">

const failing = Effect.fnUntraced(function*(
  detail: typeof FailedDelivery.Type,
  failure: { readonly message: string; readonly retryable?: boolean; readonly retry_after?: number }
) {
  return yield* new TaskHandler.TaskFailure({ ...failure, detail: yield* Effect.orDie(encodeDetail(detail)) })
})

const held = (retry_after: number) =>
  failing({ _tag: "Held" }, { message: "the endpoint has failed too often; it is tried again later", retry_after })

const unanswered = ({ message, retryable }: WebFailure, asked: Asked) =>
  failing({ _tag: "Sent", record: { ...asked, status_code: null, error: message, response_headers: null, response_body: null } }, { message, retryable })

const refused = ({ headers, status }: GuardedResponse, record: DeliveryRecord, now: DateTime.Utc) =>
  failing({ _tag: "Sent", record }, {
    message: record.error ?? "",
    retryable: status !== GONE,
    retry_after: retryDelay(headers, now)
  })

const GONE = 410

const recordOf = ({ body, headers, status }: GuardedResponse, asked: Asked): DeliveryRecord => ({
  ...asked,
  status_code: status,
  error: problemOf(status),
  response_headers: headers,
  response_body: Buffer.from(body).toString("utf8").toWellFormed()
})

const problemOf = (status: number): string | null =>
  status >= 200 && status < 300
    ? null
    : status === GONE
    ? "the receiver answered 410: it wants no more of these"
    : status >= 300 && status < 400
    ? `the receiver answered ${status}: redirects are not followed`
    : `the receiver answered ${status}`
