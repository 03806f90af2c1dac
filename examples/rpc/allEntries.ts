import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Option, Stream } from "effect"

/** All entries with a tag, page by page: the next page is asked for when somebody wants it. */
export const allEntries = (tag: string) =>
  Stream.paginate(Option.none<string>(), (cursor) =>
    Effect.gen(function*() {
      const englog = yield* EngLogClient
      const { items, next_cursor } = yield* englog.ListEntries({
        tags: [tag],
        limit: 100,
        ...Option.match(cursor, { onNone: () => ({}), onSome: (cursor) => ({ cursor }) })
      })
      return [items, Option.map(Option.fromNullOr(next_cursor), Option.some)] as const
    }))
