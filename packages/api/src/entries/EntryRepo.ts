/**
 * Log entries in PostgreSQL. Descriptions are encrypted on the way in and decrypted on the way out; a value that cannot be
 * decrypted is a defect. Every method joins a transaction that is open.
 */
import { ActivityType, type FinishedEntry, ImpactLevel, isFinished, LogEntry, ValueRating } from "@englog/domain/entries/LogEntry"
import { EntryId, ProjectId, UserId } from "@englog/domain/Ids"
import type { EntryPayload } from "@englog/rpc/http/EntryPayload"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import { outageOf } from "../db/Outage.ts"
import type { Cursor } from "../http/Cursor.ts"
import { withEtag } from "../http/EntityTag.ts"
import * as Batcher from "../queue/Batcher.ts"
import { type EntryOrder, sortKeys } from "./EntryOrder.ts"
import { EntryTagRepo } from "./EntryTagRepo.ts"
import { searchedDigests, wordDigests } from "./EntryWords.ts"

/** All that is given must hold; instants are half-open, [from, to). */
export interface EntryFilter {
  readonly from: Option.Option<DateTime.Utc>
  readonly to: Option.Option<DateTime.Utc>
  readonly type: Option.Option<ActivityType>
  readonly project_id: Option.Option<ProjectId>
  readonly value_rating: Option.Option<ValueRating>
  readonly impact_level: Option.Option<ImpactLevel>
  readonly running: Option.Option<boolean>
  /** An entry has all of them. */
  readonly tags: ReadonlyArray<string>
  /** Words, all of which occur in it. */
  readonly text: Option.Option<string>
  readonly after: Option.Option<Cursor>
}

/** Where an entry was imported from, and its name there: written once, with the entry. */
export interface EntryOrigin {
  readonly source: string
  readonly source_id: string
}

/** What is to be written; the id is made by the caller. */
export interface WrittenEntry {
  readonly id: EntryId
  readonly entry: EntryPayload
  /** Of a new one. */
  readonly origin?: EntryOrigin | undefined
}

/** An entry with its place in the order of lists. */
export interface ListedEntry extends Cursor {
  readonly entry: LogEntry
}

export class EntryRepo extends Context.Service<EntryRepo, {
  readonly insert: (user: UserId, entries: ReadonlyArray<WrittenEntry>) => Effect.Effect<void, SqlError>
  /** Those that are not the user's stay as they are; likewise below. */
  readonly update: (user: UserId, entries: ReadonlyArray<WrittenEntry>) => Effect.Effect<void, SqlError>
  readonly remove: (user: UserId, ids: ReadonlyArray<EntryId>) => Effect.Effect<void, SqlError>
  /** Those of the ids that are the user's, as they are until the transaction ends: nobody else changes them meanwhile. */
  readonly lock: (user: UserId, ids: ReadonlyArray<EntryId>) => Effect.Effect<ReadonlyArray<LogEntry>, SqlError>
  /** Those of the ids that are the user's, running ones too, in no order. */
  readonly findAll: (user: UserId, ids: ReadonlyArray<EntryId>) => Effect.Effect<ReadonlyArray<LogEntry>, SqlError>
  readonly find: (user: UserId, id: EntryId) => Effect.Effect<Option.Option<LogEntry>, SqlError>
  /** At most `limit`. */
  readonly list: (
    user: UserId,
    filter: EntryFilter,
    order: EntryOrder,
    limit: number
  ) => Effect.Effect<ReadonlyArray<ListedEntry>, SqlError>
  /** Those of the ids that are the user's and have ended, oldest first; others are left out. */
  readonly findOwned: (user: UserId, ids: ReadonlyArray<EntryId>) => Effect.Effect<ReadonlyArray<FinishedEntry>, SqlError>
  /** Those of the ids that are not the user's, in the order given. Joins no transaction: it sees what is committed. */
  readonly findMissing: (user: UserId, ids: ReadonlyArray<EntryId>) => Effect.Effect<ReadonlyArray<EntryId>, SqlError>
  /** Entries that start in the period and have ended, oldest first. */
  readonly findInPeriod: (
    user: UserId,
    from: DateTime.Utc,
    toExclusive: DateTime.Utc
  ) => Effect.Effect<ReadonlyArray<FinishedEntry>, SqlError>
  /** Likewise. */
  readonly countInPeriod: (user: UserId, from: DateTime.Utc, toExclusive: DateTime.Utc) => Effect.Effect<number, SqlError>
}>()("@englog/api/entries/EntryRepo") {
  static readonly layer: Layer.Layer<EntryRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    EntryRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const tags = yield* EntryTagRepo

      const open = Effect.fnUntraced(function*(raw: unknown) {
        const { micros, ...row } = yield* decodeRow(raw)
        const description = row.description === null ? null : yield* cipher.decrypt(row.description, EncryptedColumn.entryDescription, row.id)
        const source_id = row.source_id === null ? null : yield* cipher.decrypt(row.source_id, EncryptedColumn.entrySourceId, row.id)
        const shown = { ...row, description, source_id }
        return { entry: new LogEntry(withEtag(shown)), micros, id: row.id }
      }, Effect.orDie)

      const startsIn = (user: UserId, from: DateTime.Utc, toExclusive: DateTime.Utc) =>
        sql`e.user_id = ${user} AND e.end_time IS NOT NULL
          AND e.start_time >= ${DateTime.toDateUtc(from)} AND e.start_time < ${DateTime.toDateUtc(toExclusive)}`

      const select = Effect.fnUntraced(function*(where: Statement, order: Statement, key: string = sortKeys.start_time.text) {
        const rows = yield* sql`
          SELECT e.id, e.user_id, e.project_id, p.name AS project_name, e.title, e.description, e.type::text AS type,
            ARRAY(
              SELECT t.name::text FROM log_entry_tags et JOIN tags t ON t.id = et.tag_id
              WHERE et.log_entry_id = e.id ORDER BY et.position
            ) AS tags,
            e.start_time, e.end_time, e.duration_minutes, e.value_rating::text AS value_rating,
            e.impact_level::text AS impact_level, e.source, e.source_id, e.created_at, e.updated_at,
            ${sql.literal(key)} AS micros
          FROM log_entries e LEFT JOIN projects p ON p.id = e.project_id
          WHERE ${where} ${order}`
        return yield* Effect.forEach(rows, open)
      })
      const entriesOf = Effect.map((listed: ReadonlyArray<ListedEntry>) => listed.map(({ entry }) => entry))
      const finished = Effect.map((listed: ReadonlyArray<ListedEntry>) => listed.map(({ entry }) => entry).filter(isFinished))
      const oldestFirst = sql`ORDER BY e.start_time, e.id`
      const byIds = (user: UserId, ids: ReadonlyArray<EntryId>) =>
        sql`e.user_id = ${user} AND e.id IN (SELECT i::uuid FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb) AS i)`

      const rowOf = Effect.fnUntraced(function*(user: UserId, { entry, id, origin }: WrittenEntry) {
        const description = entry.description ?? null
        // A thousand long texts have so many words that others must have their turn in between.
        yield* Effect.yieldNow
        return {
          id,
          project_id: entry.project_id ?? null,
          title: entry.title,
          description: description === null ? null : yield* cipher.encrypt(description, EncryptedColumn.entryDescription, id),
          type: entry.type,
          start_time: DateTime.formatIso(entry.start_time),
          end_time: entry.end_time === null ? null : DateTime.formatIso(entry.end_time),
          value_rating: entry.value_rating,
          impact_level: entry.impact_level,
          source: origin?.source ?? null,
          source_id: origin === undefined ? null : yield* cipher.encrypt(origin.source_id, EncryptedColumn.entrySourceId, id),
          word_digests: wordDigests(cipher, user, { title: entry.title, description })
        }
      })
      /** As the relation `r`. */
      const rowsOf = (user: UserId, entries: ReadonlyArray<WrittenEntry>) =>
        Effect.map(Effect.forEach(entries, (entry) => rowOf(user, entry)), (rows) =>
          sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r (
            id uuid, project_id uuid, title text, description text, type activity_type, start_time timestamptz, end_time timestamptz,
            value_rating value_rating, impact_level impact_level, source text, source_id text, word_digests bigint[])`)
      const tagged = (entries: ReadonlyArray<WrittenEntry>) => entries.map(({ entry, id }) => ({ id, tags: entry.tags }))

      const matching = (user: UserId, filter: EntryFilter) => [
        Option.some(sql`e.user_id = ${user}`),
        Option.map(filter.from, (from) => sql`e.start_time >= ${DateTime.toDateUtc(from)}`),
        Option.map(filter.to, (to) => sql`e.start_time < ${DateTime.toDateUtc(to)}`),
        Option.map(filter.type, (type) => sql`e.type = ${type}`),
        Option.map(filter.project_id, (project) => sql`e.project_id = ${project}`),
        Option.map(filter.value_rating, (rating) => sql`e.value_rating = ${rating}`),
        Option.map(filter.impact_level, (level) => sql`e.impact_level = ${level}`),
        Option.map(filter.running, (running) => running ? sql`e.end_time IS NULL` : sql`e.end_time IS NOT NULL`),
        // The tag is looked up once, not by its name on every entry that has other tags.
        ...filter.tags.map((name) => Option.some(sql`EXISTS (
          SELECT 1 FROM log_entry_tags et WHERE et.log_entry_id = e.id AND et.tag_id = ANY (ARRAY(
            SELECT t.id FROM tags t WHERE t.name = ${name} AND (t.user_id IS NULL OR t.user_id = ${user}))))`)),
        ...Option.match(filter.text, {
          onNone: () => [],
          onSome: (text) =>
            searchedDigests(cipher, user, text).map((digests) => Option.some(sql`e.word_digests && ${`{${digests.join(",")}}`}::text::bigint[]`))
        })
      ].flatMap(Option.toArray)

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
        insert: Effect.fn("EntryRepo.insert")((user: UserId, entries: ReadonlyArray<WrittenEntry>) =>
          sql.withTransaction(Effect.gen(function*() {
            yield* sql`
              INSERT INTO log_entries (id, user_id, project_id, title, description, type, start_time, end_time, value_rating,
                impact_level, source, source_id, word_digests, words_key)
              SELECT r.id, ${user}::uuid, r.project_id, r.title, r.description, r.type, r.start_time, r.end_time, r.value_rating,
                r.impact_level, r.source, r.source_id, r.word_digests, ${cipher.keyIds[0]}::text
              FROM ${yield* rowsOf(user, entries)}`
            yield* tags.attach(user, tagged(entries))
          }))
        ),
        update: Effect.fn("EntryRepo.update")((user: UserId, entries: ReadonlyArray<WrittenEntry>) =>
          sql.withTransaction(Effect.gen(function*() {
            yield* sql`
              UPDATE log_entries e SET project_id = r.project_id, title = r.title, description = r.description, type = r.type,
                start_time = r.start_time, end_time = r.end_time, value_rating = r.value_rating, impact_level = r.impact_level,
                word_digests = r.word_digests, words_key = ${cipher.keyIds[0]}::text, updated_at = now()
              FROM ${yield* rowsOf(user, entries)} WHERE e.id = r.id AND e.user_id = ${user}`
            yield* tags.replace(user, tagged(entries))
          }))
        ),
        remove: Effect.fn("EntryRepo.remove")((user: UserId, ids: ReadonlyArray<EntryId>) =>
          Effect.asVoid(sql`DELETE FROM log_entries e WHERE ${byIds(user, ids)}`)
        ),
        lock: Effect.fn("EntryRepo.lock")(function*(user: UserId, ids: ReadonlyArray<EntryId>) {
          // In one order for everybody, so that two requests for the same entries cannot deadlock. Read by a statement of its
          // own: what another transaction did until it let go of the lock is seen by later statements only.
          yield* sql`SELECT 1 AS one FROM log_entries e WHERE ${byIds(user, ids)} ORDER BY e.id FOR UPDATE`
          return yield* entriesOf(select(byIds(user, ids), oldestFirst))
        }),
        findAll: Effect.fn("EntryRepo.findAll")((user: UserId, ids: ReadonlyArray<EntryId>) => entriesOf(select(byIds(user, ids), oldestFirst))),
        find: Effect.fn("EntryRepo.find")((user: UserId, id: EntryId) =>
          Effect.map(select(sql`e.id = ${id} AND e.user_id = ${user}`, oldestFirst), ([found]) =>
            found === undefined ? Option.none() : Option.some(found.entry))
        ),
        list: Effect.fn("EntryRepo.list")((user: UserId, filter: EntryFilter, order: EntryOrder, limit: number) => {
          const { key, place, text } = sortKeys[order.sort]
          const after = Option.map(filter.after, ({ id, micros }) =>
            sql`(${sql.literal(key)}, e.id) ${sql.literal(order.direction === "asc" ? ">" : "<")}
              (${sql.literal(place.before)} ${micros}::text::bigint ${sql.literal(place.after)}, ${id}::uuid)`)
          const direction = sql.literal(order.direction === "asc" ? "ASC" : "DESC")
          return select(
            sql.and([...matching(user, filter), ...Option.toArray(after)]),
            sql`ORDER BY ${sql.literal(key)} ${direction}, e.id ${direction} LIMIT ${limit}`,
            text
          )
        }),
        findOwned: Effect.fn("EntryRepo.findOwned")((user: UserId, ids: ReadonlyArray<EntryId>) =>
          finished(select(sql`${byIds(user, ids)} AND e.end_time IS NOT NULL`, oldestFirst))
        ),
        findMissing: Effect.fn("EntryRepo.findMissing")((user: UserId, ids: ReadonlyArray<EntryId>) =>
          Effect.map(missing([{ user, ids }]), ([unknown = []]) => unknown)),
        findInPeriod: Effect.fn("EntryRepo.findInPeriod")((user: UserId, from: DateTime.Utc, toExclusive: DateTime.Utc) =>
          finished(select(startsIn(user, from, toExclusive), oldestFirst))
        ),
        countInPeriod: Effect.fn("EntryRepo.countInPeriod")(function*(user: UserId, from: DateTime.Utc, toExclusive: DateTime.Utc) {
          const rows = yield* sql`SELECT count(*)::int AS count FROM log_entries e WHERE ${startsIn(user, from, toExclusive)}`
          return (yield* Effect.orDie(decodeCount(rows)))[0].count
        })
      })
    })
  ).pipe(Layer.provide(Layer.suspend(() => EntryTagRepo.layer)))
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
  end_time: Schema.NullOr(Schema.DateTimeUtcFromDate),
  duration_minutes: Schema.NullOr(Schema.Int),
  value_rating: ValueRating,
  impact_level: ImpactLevel,
  source: Schema.NullOr(Schema.String),
  source_id: Schema.NullOr(Schema.String),
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate,
  micros: Schema.String
}))
