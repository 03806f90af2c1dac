/** Endpoints in PostgreSQL, what tells where they are encrypted, and the state of their circuits. Every method joins a transaction that is open. */
import { OrganizationId, UserId, WebhookId } from "@englog/domain/Ids"
import { DisabledReason, WebhookEndpoint, type WebhookEvent, WebhookHeaders } from "@englog/domain/webhooks/Webhook"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"

/** What its owner decides. */
export interface EndpointFields {
  readonly url: string
  readonly description: string | null
  readonly headers: typeof WebhookHeaders.Type
  readonly events: ReadonlyArray<WebhookEvent> | null
  readonly max_retries: number
  readonly max_running: number | null
  readonly per_second: number | null
  readonly enabled: boolean
}

export interface StoredEndpoint extends Cursor {
  readonly endpoint: WebhookEndpoint
  /** Milliseconds until its circuit lets one message try; 0: it may be tried; undefined: it is closed. */
  readonly hold: number | undefined
}

export class WebhookRepo extends Context.Service<WebhookRepo, {
  readonly insert: (id: WebhookId, organization_id: OrganizationId, user_id: UserId, fields: EndpointFields) => Effect.Effect<void, SqlError>
  /** Enabling closes the circuit. */
  readonly update: (id: WebhookId, fields: EndpointFields) => Effect.Effect<void, SqlError>
  readonly disable: (id: WebhookId, reason: typeof DisabledReason.Type) => Effect.Effect<void, SqlError>
  readonly remove: (id: WebhookId) => Effect.Effect<void, SqlError>
  readonly find: (id: WebhookId) => Effect.Effect<Option.Option<StoredEndpoint>, SqlError>
  /** Newest first, at most `limit`. */
  readonly list: (organization_id: OrganizationId, after: Option.Option<Cursor>, limit: number) => Effect.Effect<ReadonlyArray<StoredEndpoint>, SqlError>
  /** Enabled ones that want to be told of it, always in the same order. */
  readonly listening: (organization_id: OrganizationId, event: WebhookEvent) => Effect.Effect<ReadonlyArray<StoredEndpoint>, SqlError>
  /** Locks nothing: a count that is exceeded by two at the same moment does no harm. */
  readonly count: (organization_id: OrganizationId) => Effect.Effect<number, SqlError>
  /** How many there are in each state, of all organizations. */
  readonly states: Effect.Effect<typeof States.Type, SqlError>
}>()("@englog/api/webhooks/WebhookRepo") {
  static readonly layer = Layer.effect(
    WebhookRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const row = yield* decodeRow(raw)
        const open = (text: string | null, column: EncryptedColumn) => text === null ? Effect.succeed(null) : cipher.decrypt(text, column, row.id)
        const headers = yield* open(row.headers, EncryptedColumn.webhookHeaders)
        const { failures, hold, id, max_running, micros, per_second, retry_at, ...rest } = row
        const endpoint = new WebhookEndpoint({
          ...rest,
          id,
          url: yield* cipher.decrypt(row.url, EncryptedColumn.webhookUrl, id),
          description: yield* open(row.description, EncryptedColumn.webhookDescription),
          headers: headers === null ? {} : yield* decodeHeaders(headers),
          rate_limit: { max_running, per_second },
          enabled: row.disabled_reason === null,
          circuit: { state: hold === null ? "closed" : hold > 0 ? "open" : "half_open", failures, retry_at }
        })
        return { endpoint, hold: hold ?? undefined, micros, id }
      }, Effect.orDie)

      const select = Effect.fnUntraced(function*(where: Statement, more = sql``) {
        const rows = yield* sql`
          SELECT id, organization_id, user_id, url, description, headers, events, max_retries, max_running, per_second, disabled_reason, failures,
            circuit_until AS retry_at, CASE WHEN circuit_until IS NOT NULL THEN greatest(0, extract(epoch FROM circuit_until - clock_timestamp()) * 1000)::float8 END AS hold, created_at, updated_at,
            (EXTRACT(EPOCH FROM created_at) * 1000000)::bigint::text AS micros
          FROM webhook_endpoints WHERE ${where} ${more}`
        return yield* Effect.forEach(rows, fromRow)
      })

      const sealed = Effect.fnUntraced(function*(id: WebhookId, { description, headers, url }: EndpointFields) {
        return {
          url: yield* cipher.encrypt(url, EncryptedColumn.webhookUrl, id),
          description: description === null ? null : yield* cipher.encrypt(description, EncryptedColumn.webhookDescription, id),
          headers: Object.keys(headers).length === 0 ? null : yield* cipher.encrypt(JSON.stringify(headers), EncryptedColumn.webhookHeaders, id)
        }
      })
      const eventsOf = ({ events }: EndpointFields) =>
        events === null ? sql`NULL::text[]` : sql`ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(events)}::jsonb))`

      return WebhookRepo.of({
        insert: Effect.fn("WebhookRepo.insert")(function*(id, organization_id, user_id, fields) {
          const c = yield* sealed(id, fields)
          yield* sql`
            INSERT INTO webhook_endpoints (id, organization_id, user_id, url, description, headers, events, max_retries, max_running, per_second,
              disabled_at, disabled_reason)
            VALUES (${id}, ${organization_id}, ${user_id}, ${c.url}, ${c.description}, ${c.headers}, ${eventsOf(fields)}, ${fields.max_retries}::int,
              ${fields.max_running}::int, ${fields.per_second}::float8, CASE WHEN NOT ${fields.enabled}::bool THEN now() END,
              CASE WHEN NOT ${fields.enabled}::bool THEN 'user' END)`
        }),
        update: Effect.fn("WebhookRepo.update")(function*(id, fields) {
          const c = yield* sealed(id, fields)
          yield* sql`
            UPDATE webhook_endpoints SET url = ${c.url}, description = ${c.description}, headers = ${c.headers}, events = ${eventsOf(fields)},
              max_retries = ${fields.max_retries}::int, max_running = ${fields.max_running}::int, per_second = ${fields.per_second}::float8,
              disabled_at = CASE WHEN ${fields.enabled}::bool THEN NULL ELSE coalesce(disabled_at, now()) END,
              disabled_reason = CASE WHEN ${fields.enabled}::bool THEN NULL ELSE coalesce(disabled_reason, 'user') END,
              failures = 0, trips = 0, circuit_until = NULL, circuit_probe = NULL, updated_at = now()
            WHERE id = ${id}`
        }),
        disable: Effect.fn("WebhookRepo.disable")((id, reason) =>
          Effect.asVoid(sql`UPDATE webhook_endpoints SET disabled_at = now(), disabled_reason = ${reason} WHERE id = ${id} AND disabled_at IS NULL`)
        ),
        remove: Effect.fn("WebhookRepo.remove")((id) => Effect.asVoid(sql`DELETE FROM webhook_endpoints WHERE id = ${id}`)),
        find: Effect.fn("WebhookRepo.find")((id) => Effect.map(select(sql`id = ${id}`), ([found]) => Option.fromUndefinedOr(found))),
        list: Effect.fn("WebhookRepo.list")((organization_id, after, limit) =>
          select(
            sql.and([
              sql`organization_id = ${organization_id}`,
              Option.match(after, {
                onNone: () => sql`TRUE`,
                onSome: (cursor) =>
                  sql`(created_at, id) < (timestamptz 'epoch' + ${cursor.micros}::text::bigint * interval '1 microsecond', ${cursor.id}::uuid)`
              })
            ]),
            sql`ORDER BY created_at DESC, id DESC LIMIT ${limit}`
          )
        ),
        listening: Effect.fn("WebhookRepo.listening")((organization_id, event) =>
          select(sql`organization_id = ${organization_id} AND disabled_at IS NULL AND (events IS NULL OR ${event} = ANY (events))`, sql`ORDER BY id`)
        ),
        count: Effect.fn("WebhookRepo.count")(function*(organization_id) {
          const [row] = yield* sql<{ n: number }>`SELECT count(*)::int AS n FROM webhook_endpoints WHERE organization_id = ${organization_id}`
          return row?.n ?? 0
        }),
        states: Effect.flatMap(
          sql`
            SELECT count(*) FILTER (WHERE disabled_at IS NULL AND circuit_until IS NULL)::int AS closed,
              count(*) FILTER (WHERE disabled_at IS NULL AND circuit_until > clock_timestamp())::int AS open,
              count(*) FILTER (WHERE disabled_at IS NULL AND circuit_until <= clock_timestamp())::int AS half_open,
              count(*) FILTER (WHERE disabled_reason = 'user')::int AS disabled, count(*) FILTER (WHERE disabled_reason = 'gone')::int AS gone
            FROM webhook_endpoints`,
          (rows) => Effect.map(Effect.orDie(decodeStates(rows)), ([states]) => states)
        ).pipe(Effect.withSpan("WebhookRepo.states"))
      })
    })
  )
}

type Statement = ReturnType<SqlClient.SqlClient["and"]>

const Row = Schema.Struct({
  id: WebhookId,
  organization_id: OrganizationId,
  user_id: UserId,
  url: Schema.String,
  description: Schema.NullOr(Schema.String),
  headers: Schema.NullOr(Schema.String),
  events: WebhookEndpoint.fields.events,
  max_retries: Schema.Int,
  max_running: Schema.NullOr(Schema.Int),
  per_second: Schema.NullOr(Schema.Finite),
  disabled_reason: Schema.NullOr(DisabledReason),
  failures: Schema.Int,
  retry_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  hold: Schema.NullOr(Schema.Finite),
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate,
  micros: Schema.String
})

const States = Schema.Struct({ closed: Schema.Int, open: Schema.Int, half_open: Schema.Int, disabled: Schema.Int, gone: Schema.Int })
const decodeStates = Schema.decodeUnknownEffect(Schema.Tuple([States]))
const decodeRow = Schema.decodeUnknownEffect(Row)
const decodeHeaders = Schema.decodeEffect(Schema.fromJsonString(WebhookHeaders))
