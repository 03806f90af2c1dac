/** Schedules in PostgreSQL, their names encrypted. Every method joins a transaction that is open. */
import { OrganizationId, ScheduleId, TaskId, UserId } from "@englog/domain/Ids"
import { CatchUp } from "@englog/domain/schedules/Recurrence"
import { TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"
import { texts } from "../queue/Columns.ts"

export const Schedule = Schema.Struct({
  id: ScheduleId,
  organization_id: OrganizationId,
  user_id: UserId,
  name: Schema.NullOr(Schema.String),
  kind: Schema.String,
  /** JSON text. */
  payload: Schema.String,
  policy: Schema.fromJsonString(TaskPolicy),
  cron: Schema.String,
  timezone: Schema.String,
  paused: Schema.Boolean,
  catch_up: CatchUp,
  catch_up_limit: Schema.Int,
  next_run_at: Schema.DateTimeUtcFromDate,
  last_run_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  last_task_id: Schema.NullOr(TaskId),
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate,
  micros: Schema.String
})
export type Schedule = typeof Schedule.Type

export type NewSchedule = Omit<Schedule, "last_run_at" | "last_task_id" | "created_at" | "updated_at" | "micros">

export class ScheduleRepo extends Context.Service<ScheduleRepo, {
  /** None where its id is taken. */
  readonly insert: (schedule: NewSchedule) => Effect.Effect<Option.Option<Schedule>, SqlError>
  /** `next_run_at` changes with the expression or the zone only, so that no occurrence is lost to a change of something else. */
  readonly replace: (schedule: NewSchedule) => Effect.Effect<Option.Option<Schedule>, SqlError>
  /** Where it goes on, it goes on at `next_run_at`. */
  readonly setPaused: (id: ScheduleId, paused: boolean, next_run_at: DateTime.Utc) => Effect.Effect<Option.Option<Schedule>, SqlError>
  readonly remove: (id: ScheduleId) => Effect.Effect<boolean, SqlError>
  readonly find: (id: ScheduleId) => Effect.Effect<Option.Option<Schedule>, SqlError>
  /** Newest first, at most `limit`. */
  readonly list: (organization_id: OrganizationId, after: Option.Option<Cursor>, limit: number) => Effect.Effect<ReadonlyArray<Schedule>, SqlError>
  readonly count: (organization_id: OrganizationId) => Effect.Effect<number, SqlError>
  /** Locks the one that has been due longest and that no other replica has locked, leaving out these. */
  readonly lockDue: (now: DateTime.Utc, except: ReadonlyArray<ScheduleId>) => Effect.Effect<Option.Option<Schedule>, SqlError>
  readonly advance: (
    id: ScheduleId,
    next_run_at: DateTime.Utc,
    last: { readonly at: DateTime.Utc; readonly task_id: TaskId } | undefined
  ) => Effect.Effect<void, SqlError>
  /** When the next one comes due. */
  readonly nextDue: Effect.Effect<Option.Option<DateTime.Utc>, SqlError>
}>()("@englog/api/schedules/ScheduleRepo") {
  static readonly layer = Layer.effect(
    ScheduleRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const row = yield* decodeRow(raw)
        return row.name === null ? row : { ...row, name: yield* cipher.decrypt(row.name, EncryptedColumn.scheduleName, row.id) }
      }, Effect.orDie)
      const first = (rows: ReadonlyArray<unknown>) =>
        rows[0] === undefined ? Effect.succeedNone : Effect.asSome(fromRow(rows[0]))
      const sealed = ({ id, name }: NewSchedule) =>
        name === null ? Effect.succeed(null) : cipher.encrypt(name, EncryptedColumn.scheduleName, id)

      const columns = sql.literal(`id, organization_id, user_id, name, kind, payload::text AS payload, policy::text AS policy, cron, timezone,
        paused, catch_up, catch_up_limit, next_run_at, last_run_at, last_task_id, created_at, updated_at,
        (EXTRACT(EPOCH FROM created_at) * 1000000)::bigint::text AS micros`)

      return ScheduleRepo.of({
        insert: Effect.fn("ScheduleRepo.insert")(function*(one) {
          const rows = yield* sql`
            INSERT INTO schedules (id, organization_id, user_id, name, kind, payload, policy, cron, timezone, paused, catch_up, catch_up_limit, next_run_at)
            VALUES (${one.id}, ${one.organization_id}, ${one.user_id}, ${yield* sealed(one)}, ${one.kind}, ${one.payload}::text::json,
              ${JSON.stringify(one.policy)}::text::json, ${one.cron}, ${one.timezone}, ${one.paused}, ${one.catch_up}, ${one.catch_up_limit}::int,
              ${DateTime.toDateUtc(one.next_run_at)})
            ON CONFLICT (id) DO NOTHING RETURNING ${columns}`
          return yield* first(rows)
        }),
        replace: Effect.fn("ScheduleRepo.replace")(function*(one) {
          const next = DateTime.toDateUtc(one.next_run_at)
          return yield* first(yield* sql`
            UPDATE schedules SET organization_id = ${one.organization_id}, user_id = ${one.user_id}, name = ${yield* sealed(one)}, kind = ${one.kind}, payload = ${one.payload}::text::json,
              policy = ${JSON.stringify(one.policy)}::text::json, catch_up = ${one.catch_up}, catch_up_limit = ${one.catch_up_limit}::int,
              next_run_at = CASE WHEN cron = ${one.cron} AND timezone = ${one.timezone} AND NOT paused THEN next_run_at ELSE ${next} END,
              cron = ${one.cron}, timezone = ${one.timezone}, paused = ${one.paused}, updated_at = now()
            WHERE id = ${one.id} RETURNING ${columns}`)
        }),
        setPaused: Effect.fn("ScheduleRepo.setPaused")(function*(id, paused, next_run_at) {
          return yield* first(yield* sql`
            UPDATE schedules SET next_run_at = CASE WHEN paused AND NOT ${paused} THEN ${DateTime.toDateUtc(next_run_at)} ELSE next_run_at END,
              updated_at = CASE WHEN paused = ${paused} THEN updated_at ELSE now() END, paused = ${paused}
            WHERE id = ${id} RETURNING ${columns}`)
        }),
        remove: Effect.fn("ScheduleRepo.remove")(function*(id) {
          return (yield* sql`DELETE FROM schedules WHERE id = ${id} RETURNING id`).length > 0
        }),
        find: Effect.fn("ScheduleRepo.find")(function*(id) {
          return yield* first(yield* sql`SELECT ${columns} FROM schedules WHERE id = ${id}`)
        }),
        list: Effect.fn("ScheduleRepo.list")(function*(organization_id, after, limit) {
          const place = Option.match(after, {
            onNone: () => sql`TRUE`,
            onSome: ({ id, micros }) =>
              sql`(created_at, id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`
          })
          const rows = yield* sql`
            SELECT ${columns} FROM schedules WHERE organization_id = ${organization_id} AND ${place}
            ORDER BY created_at DESC, id DESC LIMIT ${limit}`
          return yield* Effect.forEach(rows, fromRow)
        }),
        count: Effect.fn("ScheduleRepo.count")(function*(organization_id) {
          const [row] = yield* sql<{ n: number }>`SELECT count(*)::int AS n FROM schedules WHERE organization_id = ${organization_id}`
          return row?.n ?? 0
        }),
        lockDue: Effect.fnUntraced(function*(now, except) {
          return yield* first(yield* sql`
            SELECT ${columns} FROM schedules WHERE NOT paused AND next_run_at <= ${DateTime.toDateUtc(now)} AND NOT id = ANY (${texts(except)}::uuid[])
            ORDER BY next_run_at LIMIT 1 FOR UPDATE SKIP LOCKED`)
        }),
        advance: Effect.fn("ScheduleRepo.advance")(function*(id, next_run_at, last) {
          yield* sql`
            UPDATE schedules SET next_run_at = ${DateTime.toDateUtc(next_run_at)},
              last_run_at = coalesce(${last === undefined ? null : DateTime.toDateUtc(last.at)}::timestamptz, last_run_at),
              last_task_id = coalesce(${last?.task_id ?? null}::text, last_task_id)
            WHERE id = ${id}`
        }),
        nextDue: Effect.map(
          sql<{ at: Date | null }>`SELECT min(next_run_at) AS at FROM schedules WHERE NOT paused`,
          ([row]) => Option.map(Option.fromNullishOr(row?.at), DateTime.fromDateUnsafe)
        )
      })
    })
  )
}

const decodeRow = Schema.decodeUnknownEffect(Schedule)
