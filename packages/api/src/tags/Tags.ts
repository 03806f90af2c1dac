/** What people do with tags, by REST and RPC alike. Somebody else's tag is as absent as none; a predefined one is everybody's to use and nobody's to change. */
import type { TagId } from "@englog/domain/Ids"
import type { Tag } from "@englog/domain/tags/Tag"
import { addDays, startOfLocalDay } from "@englog/domain/users/LocalDays"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, Conflict, Forbidden, NotFound, type PreconditionFailed } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import type { PopularTagsQuery, TagPage, TagPayload, TagQuery } from "@englog/rpc/http/TagsApi"
import { Context, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { type Seen, unlessStale } from "../http/EntityTag.ts"
import { decodeTagCursor, encodeTagCursor } from "./TagCursor.ts"
import { TagNameTaken, TagRepo } from "./TagRepo.ts"

type Caller = CurrentUser["Service"]

export class Tags extends Context.Service<Tags, {
  readonly create: (caller: Caller, tag: TagPayload) => Effect.Effect<Tag, Conflict | SqlError>
  readonly list: (caller: Caller, query: TagQuery) => Effect.Effect<typeof TagPage.Type, BadRequest | SqlError>
  readonly popular: (caller: Caller, query: PopularTagsQuery) => Effect.Effect<typeof TagPage.Type, SqlError>
  readonly get: (caller: Caller, id: TagId) => Effect.Effect<Tag, NotFound | SqlError>
  readonly update: (
    caller: Caller,
    id: TagId,
    tag: TagPayload,
    seen: Seen
  ) => Effect.Effect<Tag, Conflict | Forbidden | NotFound | PreconditionFailed | SqlError>
  readonly remove: (caller: Caller, id: TagId, seen: Seen) => Effect.Effect<void, Forbidden | NotFound | PreconditionFailed | SqlError>
  /** Answers the tag that is left. */
  readonly merge: (caller: Caller, id: TagId, into: TagId) => Effect.Effect<Tag, BadRequest | Forbidden | NotFound | SqlError>
}>()("@englog/api/tags/Tags") {
  static readonly layer = Layer.effect(
    Tags,
    Effect.gen(function*() {
      const repo = yield* TagRepo

      const find = (caller: Caller, id: TagId) => Effect.flatMap(repo.find(caller.id, id), orMissing(id))

      const own = Effect.fnUntraced(function*(tag: Tag) {
        if (tag.predefined) return yield* new Forbidden({ error: `"${tag.name}" is predefined: everybody shares it, so nobody may change, merge or delete it` })
        return tag
      })

      /** Locks the caller's tags, so that what was checked holds when one is changed. */
      const changing = <A, E>(caller: Caller, id: TagId, seen: Seen, change: Effect.Effect<A, E>) =>
        repo.transaction(Effect.gen(function*() {
          yield* unlessStale(seen, yield* Effect.flatMap(Effect.flatMap(repo.lock(caller.id, id), orMissing(id)), own), "tag")
          return yield* change
        }))

      return Tags.of({
        create: Effect.fn("Tags.create")((caller, tag) => orConflict(tag.name, repo.insert(caller.id, tag))),
        list: Effect.fn("Tags.list")(function*(caller, { category, cursor, limit = defaultPageSize, predefined }) {
          const rows = yield* repo.list(caller.id, {
            category: Option.fromUndefinedOr(category),
            predefined: Option.map(Option.fromUndefinedOr(predefined), (text) => text === "true"),
            after: cursor === undefined ? Option.none() : Option.some(yield* decodeTagCursor(cursor))
          }, limit + 1)
          const last = rows[limit - 1]
          return { items: rows.slice(0, limit), next_cursor: rows.length > limit && last !== undefined ? encodeTagCursor(last.name) : null }
        }),
        popular: Effect.fn("Tags.popular")(function*(caller, { end_date, limit = defaultPageSize, start_date }) {
          const items = yield* repo.popular(caller.id, {
            from: Option.map(Option.fromUndefinedOr(start_date), (day) => startOfLocalDay(day, caller.timezone)),
            to: Option.map(Option.fromUndefinedOr(end_date), (day) => startOfLocalDay(addDays(day, 1), caller.timezone))
          }, limit)
          return { items, next_cursor: null }
        }),
        get: Effect.fn("Tags.get")(find),
        update: Effect.fn("Tags.update")((caller, id, tag, seen) =>
          changing(caller, id, seen, Effect.flatMap(orConflict(tag.name, repo.update(caller.id, id, tag)), orMissing(id)))),
        remove: Effect.fn("Tags.remove")((caller, id, seen) => changing(caller, id, seen, repo.remove(caller.id, id))),
        merge: Effect.fn("Tags.merge")(function*(caller, id, into) {
          yield* Effect.flatMap(find(caller, id), own)
          if (id === into) return yield* new BadRequest({ error: "into: is the same tag" })
          if (Option.isNone(yield* repo.find(caller.id, into))) return yield* new BadRequest({ error: `into: you have no tag ${into}` })
          return yield* Effect.flatMap(repo.merge(caller.id, id, into), orMissing(id))
        })
      })
    })
  ).pipe(Layer.provide(TagRepo.layer))
}

const orMissing = (id: TagId) => (found: Option.Option<Tag>): Effect.Effect<Tag, NotFound> =>
  Option.match(found, { onNone: () => new NotFound({ error: `you have no tag ${id}` }), onSome: Effect.succeed })

const orConflict = <A, E, R>(name: string, write: Effect.Effect<A, E, R>) =>
  Effect.catchIf(
    write,
    (error): error is Extract<E, TagNameTaken> => error instanceof TagNameTaken,
    ({ predefined }) =>
      Effect.fail(new Conflict({
        error: predefined ? `name: "${name}" is a predefined tag: use it as it is, or merge yours into it` : `name: you have a tag "${name}" already`
      }))
  )
