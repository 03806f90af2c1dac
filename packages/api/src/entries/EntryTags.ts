/**
 * The tags of an entry, in the order they were given. A name is the predefined tag of that name, or else the user's own,
 * which comes into being with its first use. Call it within the entry's transaction.
 */
import type { EntryId, UserId } from "@englog/domain/Ids"
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { TagNames } from "../tags/TagNames.ts"

export class EntryTags extends Context.Service<EntryTags, {
  /** Names come normalized; a repeated name counts once, where it stands first. */
  readonly attach: (user: UserId, entry: EntryId, names: ReadonlyArray<string>) => Effect.Effect<void, SqlError>
  readonly replace: (user: UserId, entry: EntryId, names: ReadonlyArray<string>) => Effect.Effect<void, SqlError>
}>()("@englog/api/entries/EntryTags") {
  static readonly layer: Layer.Layer<EntryTags, never, SqlClient.SqlClient> = Layer.effect(
    EntryTags,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const tagNames = yield* TagNames

      const attach = Effect.fn("EntryTags.attach")(function*(user: UserId, entry: EntryId, names: ReadonlyArray<string>) {
        if (names.length === 0) return
        const distinct = JSON.stringify([...new Set(names)])
        yield* tagNames.ensure(user, names)
        yield* sql`
          INSERT INTO log_entry_tags (log_entry_id, tag_id, position)
          SELECT ${entry}::uuid, t.id, n.position
          FROM jsonb_array_elements_text(${distinct}::jsonb) WITH ORDINALITY AS n (name, position)
          JOIN LATERAL (
            SELECT id FROM tags WHERE name = n.name AND (user_id IS NULL OR user_id = ${user}::uuid)
            ORDER BY user_id NULLS FIRST LIMIT 1
          ) t ON true`
      })

      return EntryTags.of({
        attach,
        replace: Effect.fn("EntryTags.replace")(function*(user: UserId, entry: EntryId, names: ReadonlyArray<string>) {
          yield* sql`DELETE FROM log_entry_tags WHERE log_entry_id = ${entry}`
          yield* attach(user, entry, names)
        })
      })
    })
  ).pipe(Layer.provide(TagNames.layer))
}
