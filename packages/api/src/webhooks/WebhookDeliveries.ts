/** Messages for people: sending one, what became of them, and sending them again. By REST and RPC alike. */
import type { WebhookDeliveryId, OrganizationId, WebhookId } from "@englog/domain/Ids"
import { DeliveryDetail, TEST_EVENT } from "@englog/domain/webhooks/Webhook"
import { WebhookDelivery } from "@englog/domain/tasks/WebhookDelivery"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, Conflict, Forbidden, NotFound, PayloadTooLarge, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import {
  type DeliveriesQuery, type DeliveryAccepted, type DeliveryPage, MAX_MESSAGE_BYTES, MAX_REDELIVERIES, type RedeliveredRange, type RedeliverRange,
  type WebhookDeliveryRequest
} from "@englog/rpc/http/WebhookPayload"
import { Context, DateTime, Effect, Layer, Option, Result } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { messageOf as acceptedMessage } from "../background/AcceptedMessage.ts"
import { KnownKinds } from "../background/KnownKinds.ts"
import { toSubmission } from "../background/SubmissionTerms.ts"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { orConflict, orTooMany } from "../tasks/SubmissionProblem.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { DeliveryRepo, type StoredDelivery } from "./DeliveryRepo.ts"
import { DeliveryTasks, type Enqueued, type Terms, termsOf } from "./DeliveryTasks.ts"
import { messageOf } from "./EventMessages.ts"
import { checkUrl, UrlPolicy } from "./UrlPolicy.ts"
import { WebhookRepo } from "./WebhookRepo.ts"
import { Webhooks } from "./Webhooks.ts"
import { WebhookSecretRepo } from "./WebhookSecretRepo.ts"

type Caller = CurrentUser["Service"]
type Accepted = typeof DeliveryAccepted.Type
type Refused = NotFound | Conflict | TooManyRequests | SqlError

export class WebhookDeliveries extends Context.Service<WebhookDeliveries, {
  readonly submit: (
    caller: Caller,
    request: WebhookDeliveryRequest
  ) => Effect.Effect<Accepted, BadRequest | Forbidden | PayloadTooLarge | Refused>
  /** A message that says only that it is a test. */
  readonly test: (caller: Caller, id: WebhookId) => Effect.Effect<Accepted, Forbidden | Refused>
  readonly list: (caller: Caller, query: DeliveriesQuery) => Effect.Effect<typeof DeliveryPage.Type, BadRequest | Forbidden | NotFound | SqlError>
  readonly get: (caller: Caller, id: WebhookDeliveryId) => Effect.Effect<DeliveryDetail, NotFound | SqlError>
  /** Conflict: it is still on its way. */
  readonly redeliver: (caller: Caller, id: WebhookDeliveryId) => Effect.Effect<Accepted, Refused>
  /** The newest ones first, each by itself; as many as there is room for. */
  readonly redeliverAll: (
    caller: Caller,
    range: RedeliverRange
  ) => Effect.Effect<typeof RedeliveredRange.Type, BadRequest | Forbidden | NotFound | TooManyRequests | SqlError>
}>()("@englog/api/webhooks/WebhookDeliveries") {
  static readonly layer = Layer.effect(
    WebhookDeliveries,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* DeliveryRepo
      const tasks = yield* DeliveryTasks
      const endpoints = yield* WebhookRepo
      const webhooks = yield* Webhooks
      const secrets = yield* WebhookSecretRepo
      const access = yield* TaskAccess
      const kinds = yield* KnownKinds
      const rules = yield* UrlPolicy

      const visible = Effect.fnUntraced(function*(caller: Caller, id: WebhookDeliveryId, found: Option.Option<StoredDelivery>) {
        if (Option.isNone(found)) return yield* missing(id)
        yield* access.organization(caller, found.value.delivery.organization_id).pipe(Effect.catchIf((error) => error instanceof Forbidden, () => missing(id)))
        return found.value
      })

      const termsFor = Effect.fnUntraced(function*(caller: Caller, organization_id: OrganizationId, request: WebhookDeliveryRequest) {
        const { data: _data, headers: _headers, sign_payload: _sign, webhook_url: _url, ...task } = request
        const kind = yield* Effect.catchIf(kinds.get(WebhookDelivery.kind), (error) => error instanceof NotFound, Effect.die)
        const terms = { request: { ...task, task_type: WebhookDelivery.kind }, kind, payload: null, organization_id, user_id: caller.id, now: yield* DateTime.now }
        const submission = toSubmission(terms)
        if (Result.isFailure(submission)) return yield* new BadRequest({ error: submission.failure })
        const { delay = 0, name = null, policy } = submission.success
        return { delay, name, policy } satisfies Terms
      })

      const checkSigning = Effect.fnUntraced(function*(organization_id: OrganizationId, signed: boolean) {
        if (!signed || (yield* secrets.alive({ organization_id, endpoint_id: null })).length > 0) return
        return yield* new BadRequest({ error: "sign_payload: your organization has no secret yet; make one with POST /api/background/webhook-secret" })
      })

      /** The organization that is asked about: that of the endpoint, where one is named. */
      const asked = Effect.fnUntraced(function*(caller: Caller, { endpoint_id, organization_id }: Pick<DeliveriesQuery, "endpoint_id" | "organization_id">) {
        if (endpoint_id === undefined) return yield* access.organization(caller, organization_id)
        const endpoint = yield* webhooks.get(caller, endpoint_id).pipe(
          Effect.catchIf((error) => error instanceof NotFound, ({ error }) => new NotFound({ error: `endpoint_id: ${error}` }))
        )
        if (organization_id === undefined || organization_id === endpoint.organization_id) return endpoint.organization_id
        return yield* new BadRequest({ error: "organization_id: is not that of the endpoint" })
      })

      const redeliver = Effect.fnUntraced(function*(caller: Caller, id: WebhookDeliveryId) {
        return yield* sql.withTransaction(Effect.gen(function*() {
          const found = yield* Effect.flatMap(repo.lock(id), (one) => visible(caller, id, one))
          if (found.delivery.status === "pending") return yield* new Conflict({ error: "the message is still on its way" })
          const { endpoint_id } = found.delivery
          const endpoint = endpoint_id === null ? Option.none() : yield* endpoints.find(endpoint_id)
          if (Option.isSome(endpoint) && !endpoint.value.endpoint.enabled) return yield* disabled
          return yield* accepted(tasks.again(found, Option.match(endpoint, { onNone: () => ({}), onSome: termsOf })))
        }))
      })

      return WebhookDeliveries.of({
        submit: Effect.fn("WebhookDeliveries.submit")(function*(caller, request) {
          const organization_id = yield* access.organization(caller, request.organization_id)
          const { data, headers = {}, sign_payload: signed = false, webhook_url: url } = request
          yield* checkUrl(rules, "webhook_url", url)
          const body = JSON.stringify(data)
          if (Buffer.byteLength(body) > MAX_MESSAGE_BYTES) return yield* new PayloadTooLarge({ error: `data: must be at most ${MAX_MESSAGE_BYTES} bytes as JSON` })
          yield* checkSigning(organization_id, signed)
          const terms = yield* termsFor(caller, organization_id, request)
          return yield* accepted(tasks.enqueue({ organization_id, user_id: caller.id, to: { url, headers }, event_type: null, body, signed }, terms))
        }),
        test: Effect.fn("WebhookDeliveries.test")(function*(caller, id) {
          const found = yield* webhooks.administered(caller, id)
          if (!found.endpoint.enabled) return yield* disabled
          const body = messageOf(TEST_EVENT, yield* DateTime.now, { webhook_id: id })
          const { organization_id } = found.endpoint
          const message = { organization_id, user_id: caller.id, to: { endpoint_id: id }, event_type: TEST_EVENT, body, signed: true }
          return yield* accepted(tasks.enqueue(message, termsOf(found)))
        }),
        list: Effect.fn("WebhookDeliveries.list")(function*(caller, { cursor, limit = defaultPageSize, ...query }) {
          const filter = { ...anyRange, ...query, organization_id: yield* asked(caller, query) }
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* repo.list(filter, after, limit + 1), limit)
          return { items: rows.map(({ delivery }) => delivery), next_cursor }
        }),
        get: Effect.fn("WebhookDeliveries.get")(function*(caller, id) {
          const { body, delivery, target } = yield* Effect.flatMap(repo.find(id), (found) => visible(caller, id, found))
          const endpoint = delivery.endpoint_id === null ? Option.none() : yield* endpoints.find(delivery.endpoint_id)
          const url = target?.url ?? Option.match(endpoint, { onNone: () => "", onSome: (one) => one.endpoint.url })
          return new DeliveryDetail({ ...delivery, url, body, log: yield* repo.log(delivery) })
        }),
        redeliver: Effect.fn("WebhookDeliveries.redeliver")(redeliver),
        redeliverAll: Effect.fn("WebhookDeliveries.redeliverAll")(function*(caller, range) {
          const filter = { ...anyRange, status: "failed" as const, ...range, organization_id: yield* asked(caller, range) }
          const found = yield* repo.list(filter, Option.none(), MAX_REDELIVERIES + 1)
          const items: Array<(typeof RedeliveredRange.Type)["items"][number]> = []
          for (const { id } of found.slice(0, MAX_REDELIVERIES).map(({ delivery }) => delivery)) {
            const answer = yield* Effect.result(redeliver(caller, id))
            if (Result.isSuccess(answer)) items.push({ delivery_id: id, task_id: answer.success.task_id })
            // Somebody else sent or removed it meanwhile, or its endpoint is disabled.
            else if (answer.failure instanceof Conflict || answer.failure instanceof NotFound) continue
            else if (items.length > 0) return { items, more: true }
            else return yield* answer.failure
          }
          return { items, more: found.length > MAX_REDELIVERIES }
        })
      })
    })
  )
}

const anyRange = { endpoint_id: undefined, status: undefined, from: undefined, to: undefined }

const missing = (id: WebhookDeliveryId) => new NotFound({ error: `there is no webhook delivery ${id}` })
const disabled = new Conflict({ error: "the webhook is disabled; enable it first" })

const accepted = <E, R>(enqueued: Effect.Effect<Enqueued, E, R>) =>
  Effect.map(orConflict(orTooMany(enqueued)), (one) => ({ ...one, message: acceptedMessage({ task_id: one.task_id, created: true }) }))
