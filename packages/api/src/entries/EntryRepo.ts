/**
 * Log entries in PostgreSQL. Descriptions are encrypted on the way in and decrypted on the way out; a value that cannot be
 * decrypted is a defect. Every method joins a transaction that is open.
 */
import { ActivityType, ImpactLevel, LogEntry, ValueRating } from "@englog/domain/entries/LogEntry"
import { EntryId, ProjectId, UserId } from "@englog/domain/Ids"
import type { EntryPayload } from "@englog/rpc/http/EntryPayload"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import { outageOf } from "../db/Outage.ts"
import type { Cursor } from "../http/Cursor.ts"
import * as Batcher from "../queue/Batcher.ts"
import { EntryTags } from "./EntryTags.ts"

/** All that is given must hold; instants are half-open, [from, to). */
export interface EntryFilter {
  readonly from: Option.Option<DateTime.Utc>
  readonly to: Option.Option<DateTime.Utc>
  readonly type: Option.Option<ActivityType>
  readonly project_id: Option.Option<ProjectId>
  readonly after: Option.Option<Cursor>
}

/** An entry with its place in the order of lists. */
export interface ListedEntry extends Cursor {
  readonly entry: LogEntry
}

export class EntryRepo extends Context.Service<EntryRepo, {
  readonly insert: (user: UserId, entry: EntryPayload) => Effect.Effect<LogEntry, SqlError>
  /** None where the user has no such entry; likewise below. */
  readonly update: (user: UserId, id: EntryId, entry: EntryPayload) => Effect.Effect<Option.Option<LogEntry>, SqlError>
  readonly remove: (user: UserId, id: EntryId) => Effect.Effect<boolean, SqlError>
  readonly find: (user: UserId, id: EntryId) => Effect.Effect<Option.Option<LogEntry>, SqlError>
  /** Newest first (start_time, then id), at most `limit`. */
  readonly list: (user: UserId, filter: EntryFilter, limit: number) => Effect.Effect<ReadonlyArray<ListedEntry>, SqlError>
  /** Those of the ids that are the user's, oldest first; ids of others are left out. */
  readonly findOwned: (user: UserId, ids: ReadonlyArray<EntryId>) => Effect.Effect<ReadonlyArray<LogEntry>, SqlError>
  /** Those of the ids that are not the user's, in the order given. Joins no transaction: it sees what is committed. */
  readonly findMissing: (user: UserId, ids: ReadonlyArray<EntryId>) => Effect.Effect<ReadonlyArray<EntryId>, SqlError>
  /** Entries that start in the period, oldest first. */
  readonly findInPeriod: (
    user: UserId,
    from: DateTime.Utc,
    toExclusive: DateTime.Utc
  ) => Effect.Effect<ReadonlyArray<LogEntry>, SqlError>
  readonly countInPeriod: (user: UserId, from: DateTime.Utc, toExclusive: DateTime.Utc) => Effect.Effect<number, SqlError>
}>()("@englog/api/entries/EntryRepo") {
  static readonly layer: Layer.Layer<EntryRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    EntryRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const tags = yield* EntryTags

      const open = Effect.fnUntraced(function*(raw: unknown) {
        const { micros, ...row } = yield* decodeRow(raw)
        const description = row.description === null ? null : yield* cipher.decrypt(row.description, EncryptedColumn.entryDescription, row.id)
        return { entry: new LogEntry({ ...row, description }), micros, id: row.id }
      }, Effect.orDie)

      const startsIn = (user: UserId, from: DateTime.Utc, toExclusive: DateTime.Utc) =>
        sql`e.user_id = ${user} AND e.start_time >= ${DateTime.toDateUtc(from)} AND e.start_time < ${DateTime.toDateUtc(toExclusive)}`

      const select = Effect.fnUntraced(function*(where: Statement, order: Statement) {
        const rows = yield* sql`
          SELECT e.id, e.user_id, e.project_id, p.name AS project_name, e.title, e.description, e.type::text AS type,
            ARRAY(
              SELECT t.name::text FROM log_entry_tags et JOIN tags t ON t.id = et.tag_id
              WHERE et.log_entry_id = e.id ORDER BY et.position
            ) AS tags,
            e.start_time, e.end_time, e.duration_minutes, e.value_rating::text AS value_rating,
            e.impact_level::text AS impact_level, e.created_at, e.updated_at,
            (EXTRACT(EPOCH FROM e.start_time) * 1000000)::bigint::text AS micros
          FROM log_entries e LEFT JOIN projects p ON p.id = e.project_id
          WHERE ${where} ${order}`
        return yield* Effect.forEach(rows, open)
      })
      const entriesOf = Effect.map((listed: ReadonlyArray<ListedEntry>) => listed.map(({ entry }) => entry))
      const oldestFirst = sql`ORDER BY e.start_time, e.id`
      const byId = (user: UserId, id: EntryId) =>
        Effect.map(select(sql`e.id = ${id} AND e.user_id = ${user}`, oldestFirst), ([found]) =>
          found === undefined ? Option.none() : Option.some(found.entry))

      const columns = Effect.fnUntraced(function*(id: EntryId, entry: EntryPayload) {
        const description = entry.description ?? null
        return {
          project_id: entry.project_id ?? null,
          title: entry.title,
          description: description === null ? null : yield* cipher.encrypt(description, EncryptedColumn.entryDescription, id),
          type: entry.type,
          start_time: DateTime.toDateUtc(entry.start_time),
          end_time: DateTime.toDateUtc(entry.end_time),
          value_rating: entry.value_rating,
          impact_level: entry.impact_level
        }
      })

      /** Every request for an insight asks this: those that arrive together ask it together. */
      const missing = yield* Batcher.make({
        inFlight: 2,
        maxSize: 64,
        concernsAll: (error: SqlError) => outageOf(error) !== undefined,
        run: Effect.fnUntraced(function*(questions: ReadonlyArray<{ readonly user: UserId; readonly ids: ReadonlyArray<EntryId> }>) {
          const rows = yield* sql`
            SELECT (q.number - 1)::int AS question, n.id
            FROM jsonb_array_elements(${JSON.stringify(questions)}::jsonb) WITH ORDINALITY AS q (asked, number),
              jsonb_array_elements_text(q.asked -> 'ids') WITH ORDINALITY AS n (id, position)
            WHERE NOT EXISTS (SELECT 1 FROM log_entries e WHERE e.id = n.id::uuid AND e.user_id = (q.asked ->> 'user')::uuid)
            ORDER BY q.number, n.position`
          const answers = yield* Effect.orDie(decodeMissing(rows))
          return questions.map((_, number) => answers.filter(({ question }) => question === number).map(({ id }) => id))
        })
      })

      return EntryRepo.of({
        insert: Effect.fn("EntryRepo.insert")((user: UserId, entry: EntryPayload) =>
          sql.withTransaction(Effect.gen(function*() {
            const id = EntryId.make(randomUUID())
            const c = yield* columns(id, entry)
            yield* sql`
              INSERT INTO log_entries (id, user_id, project_id, title, description, type, start_time, end_time, value_rating, impact_level)
              VALUES (${id}, ${user}, ${c.project_id}, ${c.title}, ${c.description}, ${c.type}, ${c.start_time}, ${c.end_time},
                ${c.value_rating}, ${c.impact_level})`
            yield* tags.attach(user, id, entry.tags)
            return yield* Effect.flatMap(byId(user, id), Option.match({
              onNone: () => Effect.die(new Error("an entry vanished within its own transaction")),
              onSome: Effect.succeed
            }))
          }))
        ),
        update: Effect.fn("EntryRepo.update")((user: UserId, id: EntryId, entry: EntryPayload) =>
          sql.withTransaction(Effect.gen(function*() {
            const c = yield* columns(id, entry)
            const updated = yield* sql`
              UPDATE log_entries SET project_id = ${c.project_id}, title = ${c.title}, description = ${c.description},
                type = ${c.type}, start_time = ${c.start_time}, end_time = ${c.end_time}, value_rating = ${c.value_rating},
                impact_level = ${c.impact_level}, updated_at = now()
              WHERE id = ${id} AND user_id = ${user} RETURNING id`
            if (updated.length === 0) return Option.none()
            yield* tags.replace(user, id, entry.tags)
            return yield* byId(user, id)
          }))
        ),
        remove: Effect.fn("EntryRepo.remove")((user: UserId, id: EntryId) =>
          Effect.map(sql`DELETE FROM log_entries WHERE id = ${id} AND user_id = ${user} RETURNING id`, (rows) => rows.length > 0)
        ),
        find: Effect.fn("EntryRepo.find")(byId),
        list: Effect.fn("EntryRepo.list")((user: UserId, filter: EntryFilter, limit: number) => {
          const conditions = [
            Option.some(sql`e.user_id = ${user}`),
            Option.map(filter.from, (from) => sql`e.start_time >= ${DateTime.toDateUtc(from)}`),
            Option.map(filter.to, (to) => sql`e.start_time < ${DateTime.toDateUtc(to)}`),
            Option.map(filter.type, (type) => sql`e.type = ${type}`),
            Option.map(filter.project_id, (project) => sql`e.project_id = ${project}`),
            Option.map(filter.after, ({ micros, id }) =>
              sql`(e.start_time, e.id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`)
          ].flatMap(Option.toArray)
          return select(sql.and(conditions), sql`ORDER BY e.start_time DESC, e.id DESC LIMIT ${limit}`)
        }),
        findOwned: Effect.fn("EntryRepo.findOwned")((user: UserId, ids: ReadonlyArray<EntryId>) =>
          entriesOf(select(
            sql`e.user_id = ${user} AND e.id IN (SELECT value::uuid FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`,
            oldestFirst
          ))
        ),
        findMissing: Effect.fn("EntryRepo.findMissing")((user: UserId, ids: ReadonlyArray<EntryId>) =>
          Effect.map(missing([{ user, ids }]), ([unknown = []]) => unknown)),
        findInPeriod: Effect.fn("EntryRepo.findInPeriod")((user: UserId, from: DateTime.Utc, toExclusive: DateTime.Utc) =>
          entriesOf(select(startsIn(user, from, toExclusive), oldestFirst))
        ),
        countInPeriod: Effect.fn("EntryRepo.countInPeriod")(function*(user: UserId, from: DateTime.Utc, toExclusive: DateTime.Utc) {
          const rows = yield* sql`SELECT count(*)::int AS count FROM log_entries e WHERE ${startsIn(user, from, toExclusive)}`
          return (yield* Effect.orDie(decodeCount(rows)))[0].count
        })
      })
    })
  ).pipe(Layer.provide(Layer.suspend(() => EntryTags.layer)))
}

type Statement = ReturnType<SqlClient.SqlClient["and"]>

const decodeCount = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ count: Schema.Int })]))

const decodeMissing = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ question: Schema.Int, id: EntryId })))

const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  id: EntryId,
  user_id: UserId,
  project_id: Schema.NullOr(ProjectId),
  project_name: Schema.NullOr(Schema.String),
  title: Schema.String,
  description: Schema.NullOr(Schema.String),
  type: ActivityType,
  tags: Schema.Array(Schema.String),
  start_time: Schema.DateTimeUtcFromDate,
  end_time: Schema.DateTimeUtcFromDate,
  duration_minutes: Schema.Int,
  value_rating: ValueRating,
  impact_level: ImpactLevel,
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate,
  micros: Schema.String
}))
