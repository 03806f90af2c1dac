/** Messages and the log of their attempts in PostgreSQL, their text encrypted. Every method joins a transaction that is open. */
import { type OrganizationId, TaskId, UserId, type WebhookDeliveryId, type WebhookId } from "@englog/domain/Ids"
import { numberOf } from "@englog/domain/tasks/TaskNumber"
import { DeliveryRecord } from "@englog/domain/tasks/WebhookDelivery"
import { Delivery, type DeliveryAttempt, type DeliveryStatus, WebhookHeaders, webhookIdOf } from "@englog/domain/webhooks/Webhook"
import { Context, type DateTime, DateTime as Time, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { createHash } from "node:crypto"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"

/** A URL that was named once, and the headers that its messages get. */
export const Target = Schema.Struct({ url: Schema.String, headers: WebhookHeaders })

export interface NewDelivery {
  readonly id: WebhookDeliveryId
  readonly organization_id: OrganizationId
  readonly user_id: UserId
  readonly to: { readonly endpoint_id: WebhookId } | typeof Target.Type
  readonly event_type: string | null
  /** As it is sent. */
  readonly body: string
  readonly signed: boolean
  readonly task_id: TaskId
}

/** An attempt of a task that delivers. */
export interface Attempt {
  readonly task_id: TaskId
  readonly attempt: number
}

export interface StoredDelivery extends Cursor {
  readonly delivery: Delivery
  readonly user_id: UserId
  /** Null: the endpoint's. */
  readonly target: typeof Target.Type | null
  readonly body: string
}

/** All that is given must hold. */
export interface DeliveryFilter {
  readonly organization_id: OrganizationId
  readonly endpoint_id: WebhookId | undefined
  readonly status: DeliveryStatus | undefined
  /** When the message came into being: from, and before. */
  readonly from: DateTime.Utc | undefined
  readonly to: DateTime.Utc | undefined
}

export class DeliveryRepo extends Context.Service<DeliveryRepo, {
  readonly insert: (delivery: NewDelivery) => Effect.Effect<void, SqlError>
  readonly find: (id: WebhookDeliveryId) => Effect.Effect<Option.Option<StoredDelivery>, SqlError>
  /** Inside a transaction only. */
  readonly lock: (id: WebhookDeliveryId) => Effect.Effect<Option.Option<StoredDelivery>, SqlError>
  /** Newest first, at most `limit`; their bodies stay sealed. */
  readonly list: (filter: DeliveryFilter, after: Option.Option<Cursor>, limit: number) => Effect.Effect<ReadonlyArray<Cursor & { readonly delivery: Delivery }>, SqlError>
  /** Of the attempts, oldest first; the newest ones where there are many. */
  readonly log: (delivery: Pick<Delivery, "id" | "task_id">) => Effect.Effect<ReadonlyArray<DeliveryAttempt>, SqlError>
  /** This attempt is about to be made; the same one may say so again. False: there is no such message any more. */
  readonly begin: (id: WebhookDeliveryId, attempt: Attempt) => Effect.Effect<boolean, SqlError>
  /** What came of an attempt, whether it had been begun here or by a worker that does not say so. */
  readonly record: (id: WebhookDeliveryId, attempt: Attempt, record: DeliveryRecord) => Effect.Effect<void, SqlError>
  readonly end: (id: WebhookDeliveryId, status: DeliveryStatus) => Effect.Effect<void, SqlError>
  /** It is on its way again, with this task. */
  readonly reopen: (id: WebhookDeliveryId, task_id: TaskId) => Effect.Effect<void, SqlError>
  /** Seconds that the message that waits longest has been on its way; 0 where none is. */
  readonly oldestPending: Effect.Effect<number, SqlError>
  readonly removeOld: Effect.Effect<number, SqlError>
}>()("@englog/api/webhooks/DeliveryRepo") {
  static readonly layer = Layer.effect(
    DeliveryRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const summary = sql.literal(`id, organization_id, endpoint_id, event_type, status, signed, task_id, attempts, last_status_code, created_at, ended_at,
        (EXTRACT(EPOCH FROM created_at) * 1000000)::bigint::text AS micros`)

      const whole = Effect.fnUntraced(function*(raw: unknown) {
        const { body, target, user_id, ...row } = yield* decodeWhole(raw)
        const opened = target === null ? null : yield* cipher.decrypt(target, EncryptedColumn.deliveryTarget, row.id)
        return {
          ...summaryOf(row),
          user_id,
          target: opened === null ? null : yield* decodeTarget(opened),
          body: yield* cipher.decrypt(body, EncryptedColumn.deliveryBody, row.id)
        }
      }, Effect.orDie)
      const attemptOf = Effect.fnUntraced(function*({ id, record, running, ...attempt }: typeof AttemptRow.Type) {
        if (record === null) {
          const told = running ? { state: "sending", error: null } as const : { state: "interrupted", error: INTERRUPTED } as const
          return { ...attempt, ...told, request_headers: null, response_headers: null, response_body: null } satisfies DeliveryAttempt
        }
        const text = yield* cipher.decrypt(record, EncryptedColumn.deliveryRecord, id)
        const { error, request_headers, response_body, response_headers } = yield* decodeRecord(text)
        const state = attempt.status_code === null ? "unanswered" : "answered"
        return { ...attempt, state, error, request_headers, response_headers, response_body } satisfies DeliveryAttempt
      }, Effect.orDie)
      const first = (rows: ReadonlyArray<unknown>) => rows[0] === undefined ? Effect.succeedNone : Effect.asSome(whole(rows[0]))
      const select = (id: WebhookDeliveryId) => sql`SELECT ${summary}, user_id, target, body FROM webhook_deliveries WHERE id = ${id}`

      return DeliveryRepo.of({
        insert: Effect.fn("DeliveryRepo.insert")(function*({ body, event_type, id, organization_id, signed, task_id, to, user_id }) {
          const target = "url" in to ? yield* cipher.encrypt(JSON.stringify(to), EncryptedColumn.deliveryTarget, id) : null
          yield* sql`
            INSERT INTO webhook_deliveries (id, organization_id, user_id, endpoint_id, event_type, target, body, signed, task_id)
            VALUES (${id}, ${organization_id}, ${user_id}, ${"url" in to ? null : to.endpoint_id}, ${event_type}, ${target},
              ${yield* cipher.encrypt(body, EncryptedColumn.deliveryBody, id)}, ${signed}::bool, ${task_id})`
        }),
        find: Effect.fn("DeliveryRepo.find")((id) => Effect.flatMap(select(id), first)),
        lock: Effect.fn("DeliveryRepo.lock")((id) => Effect.flatMap(sql`${select(id)} FOR UPDATE`, first)),
        list: Effect.fn("DeliveryRepo.list")(function*(filter, after, limit) {
          const conditions = [
            sql`organization_id = ${filter.organization_id}`,
            ...(filter.endpoint_id === undefined ? [] : [sql`endpoint_id = ${filter.endpoint_id}`]),
            ...(filter.status === undefined ? [] : [sql`status = ${filter.status}`]),
            ...(filter.from === undefined ? [] : [sql`created_at >= ${Time.toDateUtc(filter.from)}`]),
            ...(filter.to === undefined ? [] : [sql`created_at < ${Time.toDateUtc(filter.to)}`]),
            ...Option.toArray(Option.map(after, ({ id, micros }) =>
              sql`(created_at, id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`))
          ]
          const rows = yield* sql`
            SELECT ${summary} FROM webhook_deliveries WHERE ${sql.and(conditions)} ORDER BY created_at DESC, id DESC LIMIT ${limit}`
          return (yield* Effect.orDie(decodeSummaries(rows))).map(summaryOf)
        }),
        log: Effect.fn("DeliveryRepo.log")(function*({ id, task_id }) {
          const rows = yield* sql`
            SELECT id, task_id, attempt, at, duration_ms, status_code, record, task_id = ${task_id} AND EXISTS (
                SELECT 1 FROM task_queue q WHERE q.id = ${numberOf(task_id) ?? -1n}::int8 AND q.state = 'running' AND q.attempt = a.attempt
              ) AS running
            FROM webhook_attempts a WHERE delivery_id = ${id} ORDER BY at DESC LIMIT ${MAX_LOG}`
          const attempts = yield* Effect.forEach(yield* Effect.orDie(decodeAttempts(rows)), attemptOf)
          return attempts.toReversed()
        }),
        begin: Effect.fn("DeliveryRepo.begin")(function*(delivery, { attempt, task_id }) {
          const rows = yield* sql`
            WITH d AS (SELECT id FROM webhook_deliveries WHERE id = ${delivery}),
            a AS (
              INSERT INTO webhook_attempts (id, delivery_id, task_id, attempt)
              SELECT ${attemptId({ attempt, task_id })}::uuid, d.id, ${task_id}, ${attempt}::int FROM d ON CONFLICT (id) DO NOTHING RETURNING delivery_id
            ), counted AS (
              UPDATE webhook_deliveries SET attempts = attempts + 1 FROM a WHERE webhook_deliveries.id = a.delivery_id
            )
            SELECT id FROM d`
          return rows.length > 0
        }),
        record: Effect.fn("DeliveryRepo.record")(function*(delivery, { attempt, task_id }, record) {
          const id = attemptId({ attempt, task_id })
          const sealed = yield* cipher.encrypt(yield* Effect.orDie(encodeRecord(record)), EncryptedColumn.deliveryRecord, id)
          const [duration, status] = [Math.max(0, Math.min(record.duration_ms, 2 ** 31 - 1)), record.status_code]
          yield* sql`
            WITH a AS (
              INSERT INTO webhook_attempts (id, delivery_id, task_id, attempt, duration_ms, status_code, record)
              SELECT ${id}::uuid, d.id, ${task_id}, ${attempt}::int, ${duration}::int, ${status}::int, ${sealed} FROM webhook_deliveries d WHERE d.id = ${delivery}
              ON CONFLICT (id) DO UPDATE SET duration_ms = excluded.duration_ms, status_code = excluded.status_code, record = excluded.record
              RETURNING delivery_id, (xmax = 0)::int AS unannounced
            )
            UPDATE webhook_deliveries SET attempts = attempts + a.unannounced, last_status_code = ${status}::int FROM a WHERE id = a.delivery_id`
        }),
        end: Effect.fn("DeliveryRepo.end")((id, status) =>
          Effect.asVoid(sql`UPDATE webhook_deliveries SET status = ${status}, ended_at = now() WHERE id = ${id}`)
        ),
        reopen: Effect.fn("DeliveryRepo.reopen")((id, task_id) =>
          Effect.asVoid(sql`UPDATE webhook_deliveries SET status = 'pending', pending_since = now(), ended_at = NULL, task_id = ${task_id} WHERE id = ${id}`)
        ),
        oldestPending: Effect.flatMap(
          sql`SELECT coalesce(extract(epoch FROM now() - min(pending_since)), 0)::float8 AS seconds FROM webhook_deliveries WHERE status = 'pending'`,
          (rows) => Effect.map(Effect.orDie(decodeOldest(rows)), ([{ seconds }]) => seconds)
        ).pipe(Effect.withSpan("DeliveryRepo.oldestPending")),
        removeOld: Effect.map(sql`DELETE FROM webhook_deliveries WHERE ended_at < now() - interval '30 days' RETURNING id`, (rows) => rows.length)
      })
    })
  )
}

const MAX_LOG = 200

const INTERRUPTED = "nothing was heard of it: its worker was lost, or the task was cancelled; the message may have arrived"

/** Follows from what it is of, so that its end finds its beginning. */
const attemptId = ({ attempt, task_id }: Attempt): string => {
  const digest = createHash("sha256").update(JSON.stringify([task_id, attempt])).digest("hex")
  return digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/u, "$1-$2-$3-$4-$5")
}

const { webhook_id: _follows, ...columns } = Delivery.fields

const Summary = Schema.Struct({
  ...columns,
  created_at: Schema.DateTimeUtcFromDate,
  ended_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  micros: Schema.String
})

const summaryOf = ({ micros, ...row }: typeof Summary.Type) => ({ delivery: new Delivery({ ...row, webhook_id: webhookIdOf(row.id) }), micros, id: row.id })

const decodeSummaries = Schema.decodeUnknownEffect(Schema.Array(Summary))
const decodeWhole = Schema.decodeUnknownEffect(
  Schema.Struct({ ...Summary.fields, user_id: UserId, target: Schema.NullOr(Schema.String), body: Schema.String })
)
const decodeOldest = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ seconds: Schema.Finite })]))
const decodeTarget = Schema.decodeEffect(Schema.fromJsonString(Target))
const decodeRecord = Schema.decodeEffect(Schema.fromJsonString(DeliveryRecord))
const encodeRecord = Schema.encodeEffect(Schema.fromJsonString(DeliveryRecord))
const AttemptRow = Schema.Struct({
  id: Schema.String,
  task_id: TaskId,
  attempt: Schema.Int,
  at: Schema.DateTimeUtcFromDate,
  duration_ms: Schema.NullOr(Schema.Int),
  status_code: Schema.NullOr(Schema.Int),
  record: Schema.NullOr(Schema.String),
  running: Schema.Boolean
})
const decodeAttempts = Schema.decodeUnknownEffect(Schema.Array(AttemptRow))
