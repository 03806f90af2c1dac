/**
 * What people do with endpoints, by REST and RPC alike. All members of an organization see them; its admins change them. Those of
 * other organizations do not exist.
 */
import { WebhookId } from "@englog/domain/Ids"
import { type WebhookEndpoint } from "@englog/domain/webhooks/Webhook"
import { WebhookDelivery } from "@englog/domain/tasks/WebhookDelivery"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, Conflict, Forbidden, NotFound } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import {
  type CreatedWebhook, MAX_WEBHOOKS, type NewSecret, type RotateOrganizationSecret, type RotateSecret, type WebhookPage, type WebhookPayload,
  type WebhooksQuery
} from "@englog/rpc/http/WebhookPayload"
import { Context, Duration, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { checkUrl, UrlPolicy } from "./UrlPolicy.ts"
import { type EndpointFields, type StoredEndpoint, WebhookRepo } from "./WebhookRepo.ts"
import { type SecretOwner, WebhookSecretRepo } from "./WebhookSecretRepo.ts"

type Caller = CurrentUser["Service"]
type Secret = typeof NewSecret.Type

export class Webhooks extends Context.Service<Webhooks, {
  readonly create: (caller: Caller, webhook: WebhookPayload) => Effect.Effect<CreatedWebhook, BadRequest | Conflict | Forbidden | SqlError>
  readonly list: (caller: Caller, query: WebhooksQuery) => Effect.Effect<typeof WebhookPage.Type, BadRequest | Forbidden | SqlError>
  readonly get: (caller: Caller, id: WebhookId) => Effect.Effect<WebhookEndpoint, NotFound | SqlError>
  /** Closes the circuit as well. */
  readonly update: (caller: Caller, id: WebhookId, webhook: WebhookPayload) => Effect.Effect<WebhookEndpoint, BadRequest | Forbidden | NotFound | SqlError>
  readonly remove: (caller: Caller, id: WebhookId) => Effect.Effect<void, Forbidden | NotFound | SqlError>
  readonly rotate: (caller: Caller, id: WebhookId, request: RotateSecret) => Effect.Effect<Secret, Forbidden | NotFound | SqlError>
  /** Of the organization itself, for URLs that are named once; makes the first one as well. */
  readonly rotateOrganization: (caller: Caller, request: RotateOrganizationSecret) => Effect.Effect<Secret, Forbidden | SqlError>
  /** The endpoint, where the caller administers it. */
  readonly administered: (caller: Caller, id: WebhookId) => Effect.Effect<StoredEndpoint, Forbidden | NotFound | SqlError>
}>()("@englog/api/webhooks/Webhooks") {
  static readonly layer = Layer.effect(
    Webhooks,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* WebhookRepo
      const secrets = yield* WebhookSecretRepo
      const access = yield* TaskAccess
      const rules = yield* UrlPolicy

      const find = Effect.fnUntraced(function*(caller: Caller, id: WebhookId) {
        const found = yield* repo.find(id)
        if (Option.isNone(found)) return yield* missing(id)
        yield* access.organization(caller, found.value.endpoint.organization_id).pipe(Effect.catchIf((error) => error instanceof Forbidden, () => missing(id)))
        return found.value
      })
      const administered = Effect.fn("Webhooks.administered")(function*(caller: Caller, id: WebhookId) {
        const found = yield* find(caller, id)
        yield* access.administered(caller, found.endpoint.organization_id)
        return found
      })
      const renew = (owner: SecretOwner, { previous_valid_for = DAY }: RotateSecret) =>
        Effect.map(secrets.renew(owner, Duration.seconds(previous_valid_for)), ({ previous_valid_until, secret }) => ({
          secret, previous_valid_until: Option.getOrNull(previous_valid_until)
        }))

      return Webhooks.of({
        administered,
        create: Effect.fn("Webhooks.create")(function*(caller, webhook) {
          const organization_id = yield* access.administered(caller, webhook.organization_id)
          yield* checkUrl(rules, "url", webhook.url)
          if ((yield* repo.count(organization_id)) >= MAX_WEBHOOKS) {
            return yield* new Conflict({ error: `your organization has ${MAX_WEBHOOKS} webhooks already; delete one first`, code: "limit_reached" })
          }
          const id = WebhookId.make(randomUUID())
          const { secret } = yield* sql.withTransaction(Effect.andThen(
            repo.insert(id, organization_id, caller.id, fieldsOf(webhook)),
            renew({ organization_id, endpoint_id: id }, {})
          ))
          const { endpoint } = yield* Effect.catchIf(find(caller, id), (error) => error instanceof NotFound, Effect.die)
          return { ...endpoint, secret }
        }),
        list: Effect.fn("Webhooks.list")(function*(caller, { cursor, limit = defaultPageSize, organization_id }) {
          const organization = yield* access.organization(caller, organization_id)
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* repo.list(organization, after, limit + 1), limit)
          return { items: rows.map(({ endpoint }) => endpoint), next_cursor }
        }),
        get: Effect.fn("Webhooks.get")((caller, id) => Effect.map(find(caller, id), ({ endpoint }) => endpoint)),
        update: Effect.fn("Webhooks.update")(function*(caller, id, webhook) {
          const { endpoint } = yield* administered(caller, id)
          if (webhook.organization_id !== undefined && webhook.organization_id !== endpoint.organization_id) {
            return yield* new BadRequest({ error: "organization_id: cannot be changed" })
          }
          yield* checkUrl(rules, "url", webhook.url)
          yield* repo.update(id, fieldsOf(webhook))
          return (yield* find(caller, id)).endpoint
        }),
        remove: Effect.fn("Webhooks.remove")(function*(caller, id) {
          yield* administered(caller, id)
          yield* repo.remove(id)
        }),
        rotate: Effect.fn("Webhooks.rotate")(function*(caller, id, request) {
          const { endpoint } = yield* administered(caller, id)
          return yield* renew({ organization_id: endpoint.organization_id, endpoint_id: id }, request)
        }),
        rotateOrganization: Effect.fn("Webhooks.rotateOrganization")(function*(caller, request) {
          return yield* renew({ organization_id: yield* access.administered(caller, request.organization_id), endpoint_id: null }, request)
        })
      })
    })
  )
}

const DAY = 86_400

const missing = (id: WebhookId) => new NotFound({ error: `there is no webhook ${id}` })

const fieldsOf = ({ description, enabled, events, headers, max_retries, rate_limit, url }: WebhookPayload): EndpointFields => ({
  url,
  description: description ?? null,
  headers: headers ?? {},
  events: events ?? null,
  max_retries: max_retries ?? WebhookDelivery.policy.retry.max_retries,
  max_running: rate_limit?.max_running ?? null,
  per_second: rate_limit?.per_second ?? null,
  enabled: enabled ?? true
})
