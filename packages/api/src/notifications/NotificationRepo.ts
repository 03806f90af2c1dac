/** Notifications in PostgreSQL, their text sealed. Every method joins a transaction that is open. */
import { NotificationId, type OrganizationId, TaskId, UserId } from "@englog/domain/Ids"
import { Notice, Notification, NotificationCategory } from "@englog/domain/notifications/Notification"
import type { Audience } from "@englog/domain/tasks/Notification"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"

export interface Message {
  readonly audience: Audience
  /** Of its task: that of the audience, or the sender's own. */
  readonly organization_id: OrganizationId
  readonly category: NotificationCategory
  readonly notice: Notice
  readonly sender_id: UserId
  readonly task_id: TaskId
}

export class NotificationRepo extends Context.Service<NotificationRepo, {
  /** Once for each task and reader, of a team only to those who want it; answers who has been told by this call. */
  readonly insert: (message: Message, readers: ReadonlyArray<UserId>) => Effect.Effect<ReadonlyArray<UserId>, SqlError>
  /** Newest first, before number `before`, at most `limit`. */
  readonly list: (
    user: UserId,
    filter: { readonly unread: boolean; readonly before: Option.Option<number> },
    limit: number
  ) => Effect.Effect<ReadonlyArray<Notification>, SqlError>
  /** In their order, after number `after`, at most `limit`. */
  readonly after: (user: UserId, after: number, limit: number) => Effect.Effect<ReadonlyArray<Notification>, SqlError>
  readonly counts: (user: UserId) => Effect.Effect<{ readonly unread: number; readonly last_seq: number }, SqlError>
  readonly setRead: (user: UserId, id: NotificationId, read: boolean) => Effect.Effect<Option.Option<Notification>, SqlError>
  /** Those up to the number; answers how many were not read. */
  readonly readUpTo: (user: UserId, seq: number) => Effect.Effect<number, SqlError>
  readonly readersOf: (audience: Audience) => Effect.Effect<ReadonlyArray<UserId>, SqlError>
  /** What members are told of who speaks to them. */
  readonly speaker: (user: UserId, organization: OrganizationId) => Effect.Effect<{ readonly sender: string; readonly team: string }, SqlError>
  /** Whether a user may speak for a team. */
  readonly leads: (user: UserId, organization: OrganizationId) => Effect.Effect<boolean, SqlError>
  /** Older than 90 days; answers how many. */
  readonly removeOld: Effect.Effect<number, SqlError>
}>()("@englog/api/notifications/NotificationRepo") {
  static readonly layer: Layer.Layer<NotificationRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    NotificationRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const { notice, ...row } = yield* decodeRow(raw)
        return new Notification({ ...row, ...(yield* Effect.flatMap(cipher.decrypt(notice, EncryptedColumn.notice, row.id), decodeNotice)) })
      }, Effect.orDie)
      const columns = sql.literal("n.id, n.seq, n.category, n.notice, n.sender_id, n.task_id, n.created_at, n.read_at")
      const all = (rows: ReadonlyArray<unknown>) => Effect.forEach(rows, fromRow)

      return NotificationRepo.of({
        insert: Effect.fn("NotificationRepo.insert")(function*({ audience, category, notice, sender_id, task_id }, readers) {
          const text = yield* Effect.orDie(encodeNotice(notice))
          const rows = yield* Effect.forEach(readers, (user_id) => {
            const id = randomUUID()
            return Effect.map(cipher.encrypt(text, EncryptedColumn.notice, id), (sealed) => ({ id, user_id, sealed }))
          })
          // In one order for everybody, so that two messages to the same people cannot deadlock; a sender who has gone is nobody.
          const told = yield* sql`
            WITH given AS MATERIALIZED (
              SELECT x.id, x.user_id, x.sealed FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS x (id uuid, user_id uuid, sealed text)
              JOIN users u ON u.id = x.user_id
              WHERE (NOT ${"organization_id" in audience}::bool OR coalesce((u.preferences ->> 'team_notifications')::boolean, true))
                AND NOT EXISTS (SELECT 1 FROM notifications o WHERE o.task_id = ${task_id} AND o.user_id = x.user_id)
            ), numbered AS (
              INSERT INTO notification_readers AS r (user_id, last_seq) SELECT g.user_id, 1 FROM given g ORDER BY g.user_id
              ON CONFLICT (user_id) DO UPDATE SET last_seq = r.last_seq + 1 RETURNING r.user_id, r.last_seq
            )
            INSERT INTO notifications (id, user_id, seq, category, notice, sender_id, task_id)
            SELECT g.id, g.user_id, n.last_seq, ${category}, g.sealed, (SELECT id FROM users WHERE id = ${sender_id}), ${task_id}
            FROM given g JOIN numbered n ON n.user_id = g.user_id RETURNING user_id`
          return (yield* Effect.orDie(decodeUsers(told))).map(({ user_id }) => user_id)
        }),
        list: Effect.fn("NotificationRepo.list")(function*(user, { before, unread }, limit) {
          const rows = yield* sql`
            SELECT ${columns} FROM notifications n WHERE n.user_id = ${user} AND n.seq < ${Option.getOrElse(before, () => 2_147_483_647)}::int
              AND (NOT ${unread}::bool OR n.read_at IS NULL) ORDER BY n.seq DESC LIMIT ${limit}::int`
          return yield* all(rows)
        }),
        after: Effect.fn("NotificationRepo.after")(function*(user, after, limit) {
          return yield* all(yield* sql`
            SELECT ${columns} FROM notifications n WHERE n.user_id = ${user} AND n.seq > ${after}::int ORDER BY n.seq LIMIT ${limit}::int`)
        }),
        counts: Effect.fn("NotificationRepo.counts")(function*(user) {
          const rows = yield* sql`
            SELECT (SELECT count(*) FROM notifications n WHERE n.user_id = ${user} AND n.read_at IS NULL)::int AS unread,
              coalesce((SELECT r.last_seq FROM notification_readers r WHERE r.user_id = ${user}), 0) AS last_seq`
          return (yield* Effect.orDie(decodeCounts(rows)))[0]
        }),
        setRead: Effect.fn("NotificationRepo.setRead")(function*(user, id, read) {
          const rows = yield* sql`
            UPDATE notifications n SET read_at = CASE WHEN ${read}::bool THEN coalesce(n.read_at, now()) END
            WHERE n.id = ${id} AND n.user_id = ${user} RETURNING ${columns}`
          return rows[0] === undefined ? Option.none() : Option.some(yield* fromRow(rows[0]))
        }),
        readUpTo: Effect.fn("NotificationRepo.readUpTo")(function*(user, seq) {
          return (yield* sql`
            UPDATE notifications SET read_at = now() WHERE user_id = ${user} AND seq <= ${seq}::int AND read_at IS NULL RETURNING 1 AS one`).length
        }),
        readersOf: Effect.fn("NotificationRepo.readersOf")(function*(audience) {
          const rows = "user_id" in audience
            ? yield* sql`SELECT id AS user_id FROM users WHERE id = ${audience.user_id}`
            : "organization_id" in audience
            ? yield* sql`SELECT user_id FROM organization_members WHERE organization_id = ${audience.organization_id} ORDER BY user_id`
            : yield* sql`SELECT id AS user_id FROM users WHERE email NOT LIKE '%@anonymized.invalid' ORDER BY id`
          return (yield* Effect.orDie(decodeUsers(rows))).map(({ user_id }) => user_id)
        }),
        speaker: Effect.fn("NotificationRepo.speaker")(function*(user, organization) {
          const rows = yield* sql`
            SELECT o.name AS team, coalesce((SELECT u.first_name || ' ' || u.last_name FROM users u WHERE u.id = ${user}), 'Somebody') AS sender
            FROM organizations o WHERE o.id = ${organization}`
          return (yield* Effect.orDie(decodeSpeaker(rows)))[0]
        }),
        leads: Effect.fn("NotificationRepo.leads")(function*(user, organization) {
          return (yield* sql`
            SELECT 1 AS one FROM organization_members WHERE user_id = ${user} AND organization_id = ${organization} AND role IN ('owner', 'admin', 'lead')`
          ).length > 0
        }),
        removeOld: Effect.map(
          sql`DELETE FROM notifications WHERE created_at < now() - interval '90 days' RETURNING 1 AS one`,
          (rows) => rows.length
        ).pipe(Effect.withSpan("NotificationRepo.removeOld"))
      })
    })
  )
}

const noticeText = Schema.fromJsonString(Notice)
const decodeNotice = Schema.decodeEffect(noticeText)
const encodeNotice = Schema.encodeEffect(noticeText)
const decodeUsers = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ user_id: UserId })))
const decodeSpeaker = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ sender: Schema.String, team: Schema.String })]))
const decodeCounts = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ unread: Schema.Int, last_seq: Schema.Int })]))
const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  id: NotificationId,
  seq: Schema.Int,
  category: NotificationCategory,
  notice: Schema.String,
  sender_id: Schema.NullOr(UserId),
  task_id: TaskId,
  created_at: Schema.DateTimeUtcFromDate,
  read_at: Schema.NullOr(Schema.DateTimeUtcFromDate)
}))
