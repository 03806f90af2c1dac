/** Tags in PostgreSQL: one's own and the predefined ones. Every method joins a transaction that is open. */
import { TagId, type UserId } from "@englog/domain/Ids"
import { Tag } from "@englog/domain/tags/Tag"
import type { TagPayload } from "@englog/rpc/http/TagsApi"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { violatedConstraint } from "../db/Constraints.ts"
import { withEtag } from "../http/EntityTag.ts"
import { TagNameRepo } from "./TagNameRepo.ts"

/** All that is given must hold. */
export interface TagFilter {
  readonly category: Option.Option<string>
  readonly predefined: Option.Option<boolean>
  /** Names after this one. */
  readonly after: Option.Option<string>
}

/** Instants, half-open. */
export interface Within {
  readonly from: Option.Option<DateTime.Utc>
  readonly to: Option.Option<DateTime.Utc>
}

/** The user has a tag of this name, or there is a predefined one. */
export class TagNameTaken extends Schema.TaggedError<TagNameTaken>()("TagNameTaken", { predefined: Schema.Boolean }) {}

export class TagRepo extends Context.Service<TagRepo, {
  readonly transaction: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SqlError, R>
  readonly insert: (user: UserId, tag: TagPayload) => Effect.Effect<Tag, TagNameTaken | SqlError>
  /** None where the user sees no such tag; likewise below. */
  readonly find: (user: UserId, id: TagId) => Effect.Effect<Option.Option<Tag>, SqlError>
  /** As it is until the transaction ends: nobody else uses or changes the user's tags meanwhile. */
  readonly lock: (user: UserId, id: TagId) => Effect.Effect<Option.Option<Tag>, SqlError>
  /** By name, at most `limit`. */
  readonly list: (user: UserId, filter: TagFilter, limit: number) => Effect.Effect<ReadonlyArray<Tag>, SqlError>
  /** Those that entries of the period have, most used first. */
  readonly popular: (user: UserId, within: Within, limit: number) => Effect.Effect<ReadonlyArray<Tag>, SqlError>
  /** The user's own only, here and below. Under the lock. */
  readonly update: (user: UserId, id: TagId, tag: TagPayload) => Effect.Effect<Option.Option<Tag>, TagNameTaken | SqlError>
  /** Under the lock. */
  readonly remove: (user: UserId, id: TagId) => Effect.Effect<void, SqlError>
  /** Answers the tag that is left. */
  readonly merge: (user: UserId, id: TagId, into: TagId) => Effect.Effect<Option.Option<Tag>, SqlError>
}>()("@englog/api/tags/TagRepo") {
  static readonly layer: Layer.Layer<TagRepo, never, SqlClient.SqlClient> = Layer.effect(
    TagRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const names = yield* TagNameRepo

      const seenBy = (user: UserId) => sql`(t.user_id = ${user} OR t.user_id IS NULL)`
      /** Counted from the user's entries: a predefined tag has everybody's. */
      const uses = (entries: Statement) => sql`(
        SELECT et.tag_id, count(*)::int AS count FROM log_entries e JOIN log_entry_tags et ON et.log_entry_id = e.id
        WHERE ${entries} GROUP BY et.tag_id) u`

      const select = Effect.fnUntraced(function*(user: UserId, where: Statement, more = sql``) {
        const rows = yield* sql`
          SELECT t.id, t.name, t.category, t.color, t.user_id IS NULL AS predefined, coalesce(u.count, 0) AS usage_count, t.created_at
          FROM tags t LEFT JOIN ${uses(sql`e.user_id = ${user}`)} ON u.tag_id = t.id WHERE ${seenBy(user)} AND ${where} ${more}`
        return (yield* Effect.orDie(decodeRows(rows))).map((row) => new Tag(withEtag(row)))
      })
      const find = (user: UserId, id: TagId) => Effect.map(select(user, sql`t.id = ${id}`), ([found]) => Option.fromUndefinedOr(found))

      const refusePredefined = Effect.fnUntraced(function*(name: string) {
        const taken = yield* sql`SELECT 1 FROM tags WHERE user_id IS NULL AND name = ${name}`
        if (taken.length > 0) return yield* new TagNameTaken({ predefined: true })
      })
      const orTaken = <A, E, R>(write: Effect.Effect<A, E, R>) =>
        Effect.catchIf(
          write,
          (error): error is Extract<E, SqlError> => violatedConstraint(error) === "tags_by_user",
          () => Effect.fail(new TagNameTaken({ predefined: false }))
        )

      return TagRepo.of({
        transaction: sql.withTransaction,
        insert: Effect.fn("TagRepo.insert")((user, { category = null, color = null, name }) =>
          orTaken(sql.withTransaction(Effect.gen(function*() {
            yield* refusePredefined(name)
            const rows = yield* sql`
              INSERT INTO tags (user_id, name, category, color) VALUES (${user}, ${name}, ${category}, ${color})
              RETURNING id, name, category, color, false AS predefined, 0 AS usage_count, created_at`
            return new Tag(withEtag(yield* Effect.orDie(decodeRow(rows[0]))))
          })))
        ),
        find: Effect.fn("TagRepo.find")(find),
        lock: Effect.fn("TagRepo.lock")((user, id) => Effect.andThen(names.exclusively(user), find(user, id))),
        list: Effect.fn("TagRepo.list")((user, { after, category, predefined }, limit) => {
          const conditions = [
            Option.map(category, (name) => sql`t.category = ${name}`),
            Option.map(predefined, (are) => are ? sql`t.user_id IS NULL` : sql`t.user_id IS NOT NULL`),
            Option.map(after, (name) => sql`t.name > ${name}`)
          ].flatMap(Option.toArray)
          return select(user, sql.and([sql`TRUE`, ...conditions]), sql`ORDER BY t.name LIMIT ${limit}`)
        }),
        popular: Effect.fn("TagRepo.popular")(function*(user, { from, to }, limit) {
          const within = sql.and([
            sql`e.user_id = ${user}`,
            ...Option.toArray(Option.map(from, (at) => sql`e.start_time >= ${DateTime.toDateUtc(at)}`)),
            ...Option.toArray(Option.map(to, (at) => sql`e.start_time < ${DateTime.toDateUtc(at)}`))
          ])
          const rows = yield* sql`
            SELECT t.id, t.name, t.category, t.color, t.user_id IS NULL AS predefined, u.count AS usage_count, t.created_at
            FROM ${uses(within)} JOIN tags t ON t.id = u.tag_id
            ORDER BY u.count DESC, t.name LIMIT ${limit}`
          return (yield* Effect.orDie(decodeRows(rows))).map((row) => new Tag(withEtag(row)))
        }),
        update: Effect.fn("TagRepo.update")((user, id, { category = null, color = null, name }) =>
          orTaken(sql.withTransaction(Effect.gen(function*() {
            yield* refusePredefined(name)
            const rows = yield* sql`
              UPDATE tags SET name = ${name}, category = ${category}, color = ${color} WHERE id = ${id} AND user_id = ${user} RETURNING id`
            return rows.length === 0 ? Option.none() : yield* find(user, id)
          })))
        ),
        remove: Effect.fn("TagRepo.remove")((user, id) => Effect.asVoid(sql`DELETE FROM tags WHERE id = ${id} AND user_id = ${user}`)),
        merge: Effect.fn("TagRepo.merge")((user, id, into) =>
          sql.withTransaction(Effect.gen(function*() {
            yield* names.exclusively(user)
            const left = yield* find(user, into)
            if (Option.isNone(left)) return left
            const own = yield* sql`SELECT 1 FROM tags WHERE id = ${id} AND user_id = ${user} FOR UPDATE`
            if (own.length === 0) return Option.none()
            // In an entry that has both, the one that is left takes the earlier of the two places.
            yield* sql`
              INSERT INTO log_entry_tags (log_entry_id, tag_id, position)
              SELECT log_entry_id, ${into}::uuid, position FROM log_entry_tags WHERE tag_id = ${id}
              ON CONFLICT (log_entry_id, tag_id) DO UPDATE SET position = least(log_entry_tags.position, excluded.position)`
            yield* sql`
              INSERT INTO goal_tags (goal_id, tag_id) SELECT goal_id, ${into}::uuid FROM goal_tags WHERE tag_id = ${id} ON CONFLICT DO NOTHING`
            yield* sql`DELETE FROM tags WHERE id = ${id}`
            return yield* find(user, into)
          }))
        )
      })
    })
  ).pipe(Layer.provide(TagNameRepo.layer))
}

type Statement = ReturnType<SqlClient.SqlClient["and"]>

const Row = Schema.Struct({
  id: TagId,
  name: Schema.String,
  category: Schema.NullOr(Schema.String),
  color: Schema.NullOr(Schema.String),
  predefined: Schema.Boolean,
  usage_count: Schema.Int,
  created_at: Schema.DateTimeUtcFromDate
})
const decodeRow = Schema.decodeUnknownEffect(Row)
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Row))
