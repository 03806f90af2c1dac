/**
 * The tags of entries, in the order they were given. A name is the predefined tag of that name, or else the user's own,
 * which comes into being with its first use. Call it within the entries' transaction.
 */
import type { EntryId, UserId } from "@englog/domain/Ids"
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { TagNameRepo } from "../tags/TagNameRepo.ts"

export interface TaggedEntry {
  readonly id: EntryId
  /** Normalized; a repeated name counts once, where it stands first. */
  readonly tags: ReadonlyArray<string>
}

export class EntryTagRepo extends Context.Service<EntryTagRepo, {
  readonly attach: (user: UserId, entries: ReadonlyArray<TaggedEntry>) => Effect.Effect<void, SqlError>
  readonly replace: (user: UserId, entries: ReadonlyArray<TaggedEntry>) => Effect.Effect<void, SqlError>
}>()("@englog/api/entries/EntryTagRepo") {
  static readonly layer: Layer.Layer<EntryTagRepo, never, SqlClient.SqlClient> = Layer.effect(
    EntryTagRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const tagNames = yield* TagNameRepo

      const attach = Effect.fn("EntryTagRepo.attach")(function*(user: UserId, entries: ReadonlyArray<TaggedEntry>) {
        const uses = entries.flatMap(({ id, tags }) => [...new Set(tags)].map((name, index) => ({ entry: id, name, position: index + 1 })))
        if (uses.length === 0) return
        const distinct = [...new Set(uses.map(({ name }) => name))]
        yield* tagNames.ensure(user, distinct)
        const names = JSON.stringify(distinct)
        yield* sql`
          WITH known AS MATERIALIZED (
            SELECT DISTINCT ON (t.name) t.name, t.id
            FROM jsonb_array_elements_text(${names}::jsonb) AS n (name)
            JOIN tags t ON t.name = n.name AND (t.user_id IS NULL OR t.user_id = ${user}::uuid)
            ORDER BY t.name, t.user_id NULLS FIRST
          )
          INSERT INTO log_entry_tags (log_entry_id, tag_id, position)
          SELECT u.entry, k.id, u.position
          FROM jsonb_to_recordset(${JSON.stringify(uses)}::jsonb) AS u (entry uuid, name text, position smallint)
          JOIN known k ON k.name = u.name`
      })

      return EntryTagRepo.of({
        attach,
        replace: Effect.fn("EntryTagRepo.replace")(function*(user: UserId, entries: ReadonlyArray<TaggedEntry>) {
          const ids = JSON.stringify(entries.map(({ id }) => id))
          yield* sql`DELETE FROM log_entry_tags WHERE log_entry_id IN (SELECT i::uuid FROM jsonb_array_elements_text(${ids}::jsonb) AS i)`
          yield* attach(user, entries)
        })
      })
    })
  ).pipe(Layer.provide(TagNameRepo.layer))
}
