/**
 * Sessions: what descends from one login by rotation of its refresh token. The database decides who was first.
 */
import type { UserId } from "@englog/domain/Ids"
import { Context, Duration, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { type FamilyId, refreshTokenLife } from "./Jwt.ts"

/**
 * `rotated`: this use was the first. `reused`: the token had been used before; the session has been revoked.
 * `revoked`: the session had ended before, or there is none.
 */
export type Rotation = "rotated" | "reused" | "revoked"

export class SessionRepo extends Context.Service<SessionRepo, {
  readonly open: (family: FamilyId, user: UserId) => Effect.Effect<void, SqlError>
  /** Uses up a refresh token. */
  readonly rotate: (family: FamilyId, jti: string) => Effect.Effect<Rotation, SqlError>
  /** Ends the session. False where it had ended before or the token had been used. */
  readonly close: (family: FamilyId, jti: string) => Effect.Effect<boolean, SqlError>
  /** Users whose session was opened or renewed during the last 24 hours (seed 004). */
  readonly countActiveUsers: Effect.Effect<number, SqlError>
  /** Removes sessions whose last refresh token has expired; answers how many. */
  readonly removeExpired: Effect.Effect<number, SqlError>
}>()("@englog/api/auth/SessionRepo") {
  static readonly layer: Layer.Layer<SessionRepo, never, SqlClient.SqlClient> = Layer.effect(
    SessionRepo,
    Effect.map(SqlClient.SqlClient, (sql) => SessionRepo.of(makeSessionRepo(sql)))
  )
}

const life = `${Duration.toSeconds(refreshTokenLife)} seconds`

const makeSessionRepo = (sql: SqlClient.SqlClient): SessionRepo["Service"] => {
  const isOpen = (family: FamilyId) =>
    Effect.map(
      sql`SELECT id FROM refresh_token_families WHERE id = ${family} AND revoked_at IS NULL FOR UPDATE`,
      (rows) => rows.length > 0
    )
  const denylist = (family: FamilyId, jti: string) =>
    Effect.map(
      sql`INSERT INTO refresh_token_denylist (jti, family_id) VALUES (${jti}, ${family}) ON CONFLICT DO NOTHING RETURNING jti`,
      (rows) => rows.length > 0
    )
  const revoke = (family: FamilyId, reason: "logout" | "reuse") =>
    sql`UPDATE refresh_token_families SET revoked_at = now(), revoked_reason = ${reason} WHERE id = ${family}`
  return {
    open: Effect.fn("SessionRepo.open")(function*(family: FamilyId, user: UserId) {
      yield* sql`INSERT INTO refresh_token_families (id, user_id, expires_at)
        VALUES (${family}, ${user}, now() + ${life}::text::interval)`
    }),
    rotate: Effect.fn("SessionRepo.rotate")((family: FamilyId, jti: string) =>
      sql.withTransaction(Effect.gen(function*() {
        if (!(yield* isOpen(family))) return "revoked"
        if (!(yield* denylist(family, jti))) {
          yield* revoke(family, "reuse")
          return "reused"
        }
        yield* sql`UPDATE refresh_token_families SET expires_at = now() + ${life}::text::interval WHERE id = ${family}`
        return "rotated"
      }))
    ),
    close: Effect.fn("SessionRepo.close")((family: FamilyId, jti: string) =>
      sql.withTransaction(Effect.gen(function*() {
        if (!(yield* isOpen(family))) return false
        const first = yield* denylist(family, jti)
        yield* revoke(family, first ? "logout" : "reuse")
        return first
      }))
    ),
    // A session expires so long after its last renewal; the index is by expiry.
    countActiveUsers: Effect.map(
      sql<{ count: number }>`SELECT count(DISTINCT user_id)::int AS count FROM refresh_token_families
        WHERE expires_at > now() + ${life}::text::interval - interval '24 hours'`,
      (rows) => rows[0]?.count ?? 0
    ).pipe(Effect.withSpan("SessionRepo.countActiveUsers")),
    removeExpired: Effect.map(
      sql`DELETE FROM refresh_token_families WHERE expires_at < now() - interval '1 hour' RETURNING id`,
      (rows) => rows.length
    ).pipe(Effect.withSpan("SessionRepo.removeExpired"))
  }
}
