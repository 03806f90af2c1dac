/** Calendar feeds in PostgreSQL: of their secrets the hashes only, names and filters encrypted. Every method joins a transaction that is open. */
import { FeedDisclosure, MAX_FEEDS } from "@englog/domain/exports/CalendarFeed"
import { FeedId, UserId } from "@englog/domain/Ids"
import { CalendarFeed, FeedFilter, type FeedPayload } from "@englog/rpc/http/FeedView"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"

/** A feed with its place in the list. */
export interface ListedFeed extends Cursor {
  readonly feed: CalendarFeed
}

/** A feed with whose it is. */
export interface OwnedFeed {
  readonly feed: CalendarFeed
  readonly user_id: UserId
  readonly timezone: string
}

export class FeedRepo extends Context.Service<FeedRepo, {
  /** None where the user has as many as they may have. */
  readonly insert: (user: UserId, id: FeedId, hash: Uint8Array, feed: FeedPayload) => Effect.Effect<Option.Option<CalendarFeed>, SqlError>
  readonly list: (user: UserId, after: Option.Option<Cursor>, limit: number) => Effect.Effect<ReadonlyArray<ListedFeed>, SqlError>
  readonly remove: (user: UserId, id: FeedId) => Effect.Effect<boolean, SqlError>
  readonly findBySecret: (hash: Uint8Array) => Effect.Effect<Option.Option<OwnedFeed>, SqlError>
  /** To the minute. */
  readonly noteRead: (id: FeedId) => Effect.Effect<void, SqlError>
}>()("@englog/api/exports/FeedRepo") {
  static readonly layer = Layer.effect(
    FeedRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const columns = sql.literal(`f.id, f.user_id, f.name, f.disclosure, f.filter, f.created_at, f.last_read_at,
        (EXTRACT(EPOCH FROM f.created_at) * 1000000)::bigint::text AS micros`)

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const { micros, timezone, user_id, ...row } = yield* decodeRow(raw)
        const name = yield* cipher.decrypt(row.name, EncryptedColumn.feedName, row.id)
        const filter = yield* decodeFilter(yield* cipher.decrypt(row.filter, EncryptedColumn.feedFilter, row.id))
        return { feed: new CalendarFeed({ ...row, name, filter }), micros, id: row.id, timezone: timezone ?? "UTC", user_id }
      }, Effect.orDie)

      return FeedRepo.of({
        insert: Effect.fn("FeedRepo.insert")(function*(user, id, hash, { disclosure, filter, name }) {
          const sealedName = yield* cipher.encrypt(name, EncryptedColumn.feedName, id)
          const sealedFilter = yield* cipher.encrypt(yield* Effect.orDie(encodeFilter(filter)), EncryptedColumn.feedFilter, id)
          return yield* sql.withTransaction(Effect.gen(function*() {
            // One at a time: two at once would count the same.
            yield* sql`SELECT id FROM users WHERE id = ${user} FOR UPDATE`
            const rows = yield* sql`
              INSERT INTO calendar_feeds AS f (id, user_id, name, disclosure, filter, secret_hash)
              SELECT ${id}::uuid, ${user}::uuid, ${sealedName}, ${disclosure}, ${sealedFilter}, ${hash}::bytea
              WHERE (SELECT count(*) FROM calendar_feeds WHERE user_id = ${user}::uuid) < ${MAX_FEEDS}::int
              RETURNING ${columns}`
            return rows[0] === undefined ? Option.none() : Option.some((yield* fromRow(rows[0])).feed)
          }))
        }),
        list: Effect.fn("FeedRepo.list")(function*(user, after, limit) {
          const place = Option.match(after, {
            onNone: () => sql`TRUE`,
            onSome: ({ id, micros }) =>
              sql`(f.created_at, f.id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`
          })
          const rows = yield* sql`
            SELECT ${columns} FROM calendar_feeds f WHERE f.user_id = ${user} AND ${place}
            ORDER BY f.created_at DESC, f.id DESC LIMIT ${limit}::int`
          return yield* Effect.forEach(rows, fromRow)
        }),
        remove: Effect.fn("FeedRepo.remove")((user, id) =>
          Effect.map(sql`DELETE FROM calendar_feeds WHERE id = ${id} AND user_id = ${user} RETURNING id`, (rows) => rows.length > 0)),
        findBySecret: Effect.fn("FeedRepo.findBySecret")(function*(hash) {
          const rows = yield* sql`
            SELECT ${columns}, u.timezone FROM calendar_feeds f JOIN users u ON u.id = f.user_id WHERE f.secret_hash = ${hash}::bytea`
          return rows[0] === undefined ? Option.none() : Option.some(yield* fromRow(rows[0]))
        }),
        noteRead: Effect.fn("FeedRepo.noteRead")((id) =>
          Effect.asVoid(sql`
            UPDATE calendar_feeds SET last_read_at = date_trunc('minute', now())
            WHERE id = ${id} AND last_read_at IS DISTINCT FROM date_trunc('minute', now())`))
      })
    })
  )
}

const FilterText = Schema.fromJsonString(FeedFilter)
const decodeFilter = Schema.decodeEffect(FilterText)
const encodeFilter = Schema.encodeEffect(FilterText)

const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  id: FeedId,
  user_id: UserId,
  name: Schema.String,
  disclosure: FeedDisclosure,
  filter: Schema.String,
  created_at: Schema.DateTimeUtcFromDate,
  last_read_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  timezone: Schema.optionalKey(Schema.String),
  micros: Schema.String
}))
