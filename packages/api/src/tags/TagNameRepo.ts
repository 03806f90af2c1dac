/**
 * Names of tags, where they are used: a name is the predefined tag of that name, or else the user's own, which comes into being
 * with its first use. Call it within the transaction of what uses them.
 */
import type { UserId } from "@englog/domain/Ids"
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

export class TagNameRepo extends Context.Service<TagNameRepo, {
  /** Afterwards each name is a tag that the user sees, until the transaction ends. Names come normalized. */
  readonly ensure: (user: UserId, names: ReadonlyArray<string>) => Effect.Effect<void, SqlError>
  /** Keeps everybody else from using tags of the user until the transaction ends, and waits for those who do. */
  readonly exclusively: (user: UserId) => Effect.Effect<void, SqlError>
}>()("@englog/api/tags/TagNameRepo") {
  static readonly layer: Layer.Layer<TagNameRepo, never, SqlClient.SqlClient> = Layer.effect(
    TagNameRepo,
    Effect.map(SqlClient.SqlClient, (sql) =>
      TagNameRepo.of({
        ensure: Effect.fn("TagNameRepo.ensure")(function*(user, names) {
          // In one order for everybody, so that two entries with the same new tags cannot deadlock. The lock keeps the tags from
          // being renamed, merged or removed before they are used: the statement that uses them begins after it is taken.
          yield* sql`
            WITH lock AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(${LOCK}::int, hashtext(${user})))
            INSERT INTO tags (user_id, name)
            SELECT ${user}::uuid, n.name FROM lock, jsonb_array_elements_text(${JSON.stringify([...new Set(names)])}::jsonb) AS n (name)
            WHERE NOT EXISTS (SELECT 1 FROM tags t WHERE t.user_id IS NULL AND t.name = n.name)
            ORDER BY n.name
            ON CONFLICT (user_id, name) WHERE user_id IS NOT NULL DO NOTHING`
        }),
        exclusively: Effect.fn("TagNameRepo.exclusively")(function*(user) {
          yield* sql`SELECT pg_advisory_xact_lock(${LOCK}::int, hashtext(${user}))`
        })
      }))
  )
}

/** The space of these locks beside other advisory ones. */
const LOCK = 7_364
