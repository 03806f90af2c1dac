/**
 * Messages in PostgreSQL: address, text and the mail server's words encrypted. Every method joins a transaction that is open.
 *
 * Who may send a message is decided here, by the row: it goes from `queued` to `sending` for one attempt of the task that it
 * has now, and back only by that attempt's word that it was not sent.
 */
import { DeliveryStatus, MailDelivery } from "@englog/domain/mail/Delivery"
import { Mail, type MailPreference, MailTemplate } from "@englog/domain/mail/Mail"
import { DeliveryId, OrganizationId, TaskId, UserId } from "@englog/domain/Ids"
import { EmailNotification } from "@englog/domain/tasks/EmailNotification"
import { numberOf } from "@englog/domain/tasks/TaskNumber"
import { Settings } from "@englog/rpc/http/AccountView"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"
import { addressDigests } from "./SuppressionRepo.ts"

export interface NewDelivery {
  readonly id: DeliveryId
  readonly user_id: UserId
  readonly organization_id: OrganizationId
  readonly to: string
  readonly mail: Mail
  readonly status: DeliveryStatus
  /** Why it is not sent. */
  readonly response: string | null
  readonly task_id: TaskId | null
}

/** What it means for one attempt to send one message. */
export interface Sending {
  readonly id: DeliveryId
  readonly task_id: TaskId
}

export interface Outcome {
  readonly status: DeliveryStatus
  readonly smtp_code: number | null
  readonly response: string
}

export interface ListedDelivery extends Cursor {
  readonly delivery: MailDelivery
}

export interface Recipient {
  readonly user_id: UserId
  /** Personal. */
  readonly organization_id: OrganizationId
  readonly email: string
  readonly first_name: string
  readonly preferences: Settings
}

export interface DeliveryFilter {
  readonly user_id: Option.Option<UserId>
  readonly status: Option.Option<DeliveryStatus>
  readonly after: Option.Option<Cursor>
}

export class MailRepo extends Context.Service<MailRepo, {
  readonly insert: (delivery: NewDelivery) => Effect.Effect<void, SqlError>
  /** Newest first, at most `limit`. */
  readonly list: (filter: DeliveryFilter, limit: number) => Effect.Effect<ReadonlyArray<ListedDelivery>, SqlError>
  readonly find: (id: DeliveryId) => Effect.Effect<Option.Option<MailDelivery>, SqlError>
  /** What is to be sent, while it is still that task's to send. */
  readonly letter: (sending: Sending) => Effect.Effect<Option.Option<{ readonly to: string; readonly user_id: UserId; readonly mail: Mail }>, SqlError>
  /** True for the one attempt that may send it; one that began before and was not heard of makes it unknown. */
  readonly begin: (sending: Sending, attempt: number) => Effect.Effect<boolean, SqlError>
  /** Nothing where the task does not have it any more. */
  readonly settle: (sending: Sending, outcome: Outcome) => Effect.Effect<void, SqlError>
  /** Failed without a word about the mail server: an attempt that was allowed to send may have done so. */
  readonly giveUp: (sending: Sending, message: string, final: boolean) => Effect.Effect<void, SqlError>
  /** To be sent by another task; false where it was sent, is under way or has no text any more. */
  readonly requeue: (id: DeliveryId, task_id: TaskId) => Effect.Effect<boolean, SqlError>
  /** Locks it: of two who want it sent again, one finds it queued. */
  readonly lock: (id: DeliveryId) => Effect.Effect<void, SqlError>
  readonly recipient: (user: UserId) => Effect.Effect<Option.Option<Recipient>, SqlError>
  /** Within the last day; and whether a mail server said that there is no such address. */
  readonly addressOf: (email: string) => Effect.Effect<{ readonly messages: number; readonly undeliverable: boolean }, SqlError>
  /** A mail server that had taken it says that it could not deliver it; false where that is known, or it was never sent. */
  readonly bounce: (
    id: DeliveryId,
    told: { readonly smtp_code: number | null; readonly status: string; readonly diagnostic: string }
  ) => Effect.Effect<boolean, SqlError>
  /** A worker that takes these tasks is connected, or was within the last day. */
  readonly canBeSent: Effect.Effect<boolean, SqlError>
  readonly switchOff: (user: UserId, preference: MailPreference) => Effect.Effect<void, SqlError>
  /** Answers how many. */
  readonly removeOld: Effect.Effect<number, SqlError>
}>()("@englog/api/mail/MailRepo") {
  static readonly layer: Layer.Layer<MailRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    MailRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const digests = addressDigests(cipher)
      const C = EncryptedColumn
      const sealed = (text: string | null, column: EncryptedColumn, id: DeliveryId) =>
        text === null ? Effect.succeed(null) : cipher.encrypt(text, column, id)

      // Once its task has ended without a word, what was allowed to be sent may have been, and the rest was not.
      const status = sql.literal(`CASE WHEN q.id IS NOT NULL THEN d.status WHEN d.status = 'sending' THEN 'unknown' WHEN d.status = 'queued' THEN 'failed'
        ELSE d.status END`)
      const columns = sql.literal(`d.id, d.template, d.address, d.user_id, d.organization_id, (SELECT t.task_id FROM tasks t WHERE t.id = d.task) AS task_id,
        d.smtp_code::int AS smtp_code, d.status_code, d.response, d.created_at, d.updated_at, d.sent_at, (EXTRACT(EPOCH FROM d.created_at) * 1000000)::bigint::text AS micros`)
      const from = sql.literal("FROM mail_deliveries d LEFT JOIN task_queue q ON q.id = d.task")

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const { address, micros, response, ...row } = yield* decodeRow(raw)
        const delivery = new MailDelivery({
          ...row,
          to: yield* cipher.decrypt(address, C.mailAddress, row.id),
          response: response === null ? null : yield* cipher.decrypt(response, C.mailResponse, row.id)
        })
        return { delivery, micros, id: row.id }
      }, Effect.orDie)
      const task = (task_id: TaskId | null) => task_id === null ? sql`NULL::bigint` : sql`${numberOf(task_id) ?? -1n}::int8`

      return MailRepo.of({
        insert: Effect.fn("MailRepo.insert")(function*({ id, mail, organization_id, response, status, task_id, to, user_id }) {
          const letter = yield* Effect.orDie(encodeMail(mail))
          yield* sql`
            INSERT INTO mail_deliveries (id, user_id, organization_id, template, status, address, address_digest, letter, response, task)
            VALUES (${id}, ${user_id}, ${organization_id}, ${mail.template}, ${status}, ${yield* cipher.encrypt(to, C.mailAddress, id)}, ${digests(to)[0]}::bytea,
              ${yield* cipher.encrypt(letter, C.mailLetter, id)}, ${yield* sealed(response, C.mailResponse, id)}, ${task(task_id)})`
        }),
        list: Effect.fn("MailRepo.list")(function*(filter, limit) {
          const conditions = [
            Option.map(filter.user_id, (user) => sql`d.user_id = ${user}`),
            Option.map(filter.status, (wanted) => sql`${status} = ${wanted}`),
            Option.map(filter.after, ({ id, micros }) =>
              sql`(d.created_at, d.id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`)
          ].flatMap(Option.toArray)
          const rows = yield* sql`
            SELECT ${columns}, ${status} AS status ${from} WHERE ${sql.and([sql`TRUE`, ...conditions])} ORDER BY d.created_at DESC, d.id DESC LIMIT ${limit}`
          return yield* Effect.forEach(rows, fromRow)
        }),
        find: Effect.fn("MailRepo.find")(function*(id) {
          const rows = yield* sql`SELECT ${columns}, ${status} AS status ${from} WHERE d.id = ${id}`
          return rows[0] === undefined ? Option.none() : Option.some((yield* fromRow(rows[0])).delivery)
        }),
        letter: Effect.fn("MailRepo.letter")(function*({ id, task_id }) {
          const rows = yield* sql`
            SELECT address, letter, user_id FROM mail_deliveries WHERE id = ${id} AND task = ${task(task_id)} AND letter IS NOT NULL`
          if (rows[0] === undefined) return Option.none()
          const row = yield* Effect.orDie(decodeLetter(rows[0]))
          const text = yield* Effect.orDie(cipher.decrypt(row.letter, C.mailLetter, id))
          return Option.some({
            to: yield* Effect.orDie(cipher.decrypt(row.address, C.mailAddress, id)),
            user_id: row.user_id,
            mail: yield* Effect.orDie(decodeMail(text))
          })
        }),
        begin: Effect.fn("MailRepo.begin")(function*({ id, task_id }, attempt) {
          const rows = yield* sql`
            UPDATE mail_deliveries d SET
              status = CASE WHEN d.status = 'queued' OR d.attempt = ${attempt}::int THEN 'sending' ELSE 'unknown' END,
              attempt = CASE WHEN d.status = 'queued' THEN ${attempt}::int ELSE d.attempt END, updated_at = now()
            WHERE d.id = ${id} AND d.task = ${task(task_id)} AND d.status IN ('queued', 'sending')
            RETURNING d.status = 'sending' AS granted`
          return rows[0] !== undefined && (yield* Effect.orDie(decodeGranted(rows[0]))).granted
        }),
        settle: Effect.fn("MailRepo.settle")(function*({ id, task_id }, outcome) {
          yield* sql`
            UPDATE mail_deliveries SET status = ${outcome.status}, smtp_code = ${outcome.smtp_code}::int,
              response = ${yield* cipher.encrypt(outcome.response, C.mailResponse, id)}, updated_at = now(),
              sent_at = CASE WHEN ${outcome.status}::text = 'sent' THEN now() END,
              letter = CASE WHEN ${outcome.status}::text <> 'sent' THEN letter END
            WHERE id = ${id} AND task = ${task(task_id)} AND status IN ('queued', 'sending')`
        }),
        giveUp: Effect.fn("MailRepo.giveUp")(function*({ id, task_id }, message, final) {
          yield* sql`
            UPDATE mail_deliveries SET status = CASE WHEN status = 'sending' THEN 'unknown' WHEN ${final}::boolean THEN 'failed' ELSE status END,
              response = ${yield* cipher.encrypt(message, C.mailResponse, id)}, updated_at = now()
            WHERE id = ${id} AND task = ${task(task_id)} AND status IN ('queued', 'sending')`
        }),
        requeue: Effect.fn("MailRepo.requeue")((id, task_id) =>
          Effect.map(
            sql`
              UPDATE mail_deliveries SET status = 'queued', task = ${task(task_id)}, attempt = NULL, smtp_code = NULL, status_code = NULL, response = NULL, sent_at = NULL,
                sends = sends + 1, updated_at = now()
              WHERE id = ${id} AND letter IS NOT NULL AND sends < ${MAX_SENDS}::int RETURNING id`,
            (rows) => rows.length > 0
          )
        ),
        lock: Effect.fn("MailRepo.lock")((id) => Effect.asVoid(sql`SELECT 1 FROM mail_deliveries WHERE id = ${id} FOR UPDATE`)),
        recipient: Effect.fn("MailRepo.recipient")(function*(user) {
          const rows = yield* sql`
            SELECT u.id AS user_id, o.id AS organization_id, u.email, u.first_name, u.preferences
            FROM users u JOIN organizations o ON o.personal_of = u.id WHERE u.id = ${user}`
          return rows[0] === undefined ? Option.none() : Option.some(yield* Effect.orDie(decodeRecipient(rows[0])))
        }),
        addressOf: Effect.fn("MailRepo.addressOf")(function*(email) {
          const known = digests(email)
          const rows = yield* sql`
            SELECT (SELECT count(*)::int FROM mail_deliveries WHERE address_digest IN ${sql.in(known)} AND created_at > now() - interval '1 day') AS messages,
              EXISTS (SELECT 1 FROM undeliverable_addresses WHERE address_digest IN ${sql.in(known)}) AS undeliverable`
          return yield* Effect.orDie(decodeAddress(rows[0]))
        }),
        bounce: Effect.fn("MailRepo.bounce")(function*(id, { diagnostic, smtp_code, status }) {
          const rows = yield* sql`
            UPDATE mail_deliveries SET status = 'bounced', smtp_code = ${smtp_code}::int, status_code = ${status},
              response = ${yield* cipher.encrypt(diagnostic.slice(0, 1_000), C.mailResponse, id)}, updated_at = now()
            WHERE id = ${id} AND status IN ('sending', 'sent', 'unknown') RETURNING id`
          return rows.length > 0
        }),
        canBeSent: sql`
          SELECT 1 FROM worker_sessions WHERE ${EmailNotification.kind} = ANY (kinds) AND (ended_at IS NULL OR ended_at > now() - interval '1 day') LIMIT 1`.pipe(
            Effect.map((rows) => rows.length > 0),
            Effect.withSpan("MailRepo.canBeSent")
          ),
        switchOff: Effect.fn("MailRepo.switchOff")((user, preference) =>
          Effect.asVoid(sql`
            UPDATE users SET preferences = preferences || jsonb_build_object(${preference}::text, false), updated_at = now() WHERE id = ${user}`)
        ),
        removeOld: Effect.gen(function*() {
          let removed = 0
          for (let last = PORTION; last === PORTION; removed += last) {
            const rows = yield* sql`
              DELETE FROM mail_deliveries WHERE id IN (SELECT id FROM mail_deliveries WHERE created_at < now() - interval '90 days' LIMIT ${PORTION}::int)
              RETURNING id`
            last = rows.length
          }
          return removed
        }).pipe(Effect.withSpan("MailRepo.removeOld"))
      })
    })
  )
}

/** How often one message may be handed to a task. */
export const MAX_SENDS = 10

const PORTION = 5_000

const encodeMail = Schema.encodeEffect(Schema.fromJsonString(Mail))
const decodeMail = Schema.decodeEffect(Schema.fromJsonString(Mail))
const decodeLetter = Schema.decodeUnknownEffect(Schema.Struct({ address: Schema.String, letter: Schema.String, user_id: UserId }))
const decodeGranted = Schema.decodeUnknownEffect(Schema.Struct({ granted: Schema.Boolean }))
const decodeAddress = Schema.decodeUnknownEffect(Schema.Struct({ messages: Schema.Int, undeliverable: Schema.Boolean }))
const decodeRecipient = Schema.decodeUnknownEffect(Schema.Struct({
  user_id: UserId,
  organization_id: OrganizationId,
  email: Schema.String,
  first_name: Schema.String,
  preferences: Settings
}))
const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  id: DeliveryId,
  template: MailTemplate,
  status: DeliveryStatus,
  address: Schema.String,
  user_id: UserId,
  organization_id: OrganizationId,
  task_id: Schema.NullOr(TaskId),
  smtp_code: Schema.NullOr(Schema.Int),
  status_code: Schema.NullOr(Schema.String),
  response: Schema.NullOr(Schema.String),
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate,
  sent_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  micros: Schema.String
}))
