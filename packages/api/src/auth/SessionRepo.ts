/**
 * Sessions: what descends from one login by rotation of its refresh token. The database decides who was first.
 */
import { FamilyId, type UserId } from "@englog/domain/Ids"
import { Context, Duration, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"
import { refreshTokenLife } from "./Jwt.ts"

/**
 * `rotated`: this use was the first. `reused`: the token had been used before; the session has been revoked.
 * `revoked`: the session had ended before, or there is none.
 */
export type Rotation = "rotated" | "reused" | "revoked"

/** Where a session was opened; both are personal and encrypted. */
export interface SessionPlace {
  readonly address: string | null
  readonly user_agent: string | null
}

/** A session that is open, with its place in the list. */
export type OpenSession = Omit<typeof Row.Type, "micros"> & Cursor

export class SessionRepo extends Context.Service<SessionRepo, {
  readonly open: (family: FamilyId, user: UserId, place: SessionPlace) => Effect.Effect<void, SqlError>
  /** Uses up a refresh token. */
  readonly rotate: (family: FamilyId, jti: string) => Effect.Effect<Rotation, SqlError>
  /** Ends the session. False where it had ended before or the token had been used. */
  readonly close: (family: FamilyId, jti: string) => Effect.Effect<boolean, SqlError>
  /** Those that are open, newest first, at most `limit`. */
  readonly list: (user: UserId, after: Option.Option<Cursor>, limit: number) => Effect.Effect<ReadonlyArray<OpenSession>, SqlError>
  /** Ends one of the user's; false where it is none of theirs, or had ended. */
  readonly revoke: (user: UserId, family: FamilyId) => Effect.Effect<boolean, SqlError>
  /** Ends all of the user's but this one; answers how many. */
  readonly revokeOthers: (user: UserId, but: FamilyId, reason: "revoked" | "password" | "email") => Effect.Effect<number, SqlError>
  /** Users whose session was opened or renewed during the last 24 hours (seed 004). */
  readonly countActiveUsers: Effect.Effect<number, SqlError>
  /** Removes sessions whose last refresh token has expired; answers how many. */
  readonly removeExpired: Effect.Effect<number, SqlError>
  /** Removes what is known of refresh tokens that have expired by themselves; answers how many. */
  readonly removeDenylisted: Effect.Effect<number, SqlError>
}>()("@englog/api/auth/SessionRepo") {
  static readonly layer: Layer.Layer<SessionRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    SessionRepo,
    Effect.gen(function*() {
      return SessionRepo.of(makeSessionRepo(yield* SqlClient.SqlClient, yield* FieldCipher))
    })
  )
}

const life = `${Duration.toSeconds(refreshTokenLife)} seconds`

const Row = Schema.Struct({
  id: FamilyId,
  created_at: Schema.DateTimeUtcFromDate,
  last_used_at: Schema.DateTimeUtcFromDate,
  expires_at: Schema.DateTimeUtcFromDate,
  address: Schema.NullOr(Schema.String),
  user_agent: Schema.NullOr(Schema.String),
  micros: Schema.String
})
const decodeRow = Schema.decodeUnknownEffect(Row)

/** Browsers name themselves in some 100 characters. */
const AGENT_LENGTH = 300

const makeSessionRepo = (sql: SqlClient.SqlClient, cipher: FieldCipher["Service"]): SessionRepo["Service"] => {
  const seal = (text: string | null, column: EncryptedColumn, family: FamilyId) =>
    text === null ? Effect.succeed(null) : cipher.encrypt(text, column, family)
  const unseal = (text: string | null, column: EncryptedColumn, family: FamilyId) =>
    text === null ? Effect.succeed(null) : cipher.decrypt(text, column, family)
  const fromRow = Effect.fnUntraced(function*(raw: unknown) {
    const row = yield* decodeRow(raw)
    return {
      ...row,
      address: yield* unseal(row.address, EncryptedColumn.sessionAddress, row.id),
      user_agent: yield* unseal(row.user_agent, EncryptedColumn.sessionUserAgent, row.id)
    }
  }, Effect.orDie)
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
    open: Effect.fn("SessionRepo.open")(function*(family: FamilyId, user: UserId, { address, user_agent }: SessionPlace) {
      const agent = user_agent === null ? null : user_agent.slice(0, AGENT_LENGTH).toWellFormed()
      yield* sql`INSERT INTO refresh_token_families (id, user_id, expires_at, address, user_agent)
        VALUES (${family}, ${user}, now() + ${life}::text::interval, ${yield* seal(address, EncryptedColumn.sessionAddress, family)},
          ${yield* seal(agent, EncryptedColumn.sessionUserAgent, family)})`
    }),
    // A session expires so long after its last renewal.
    list: Effect.fn("SessionRepo.list")(function*(user: UserId, after: Option.Option<Cursor>, limit: number) {
      const place = Option.match(after, {
        onNone: () => sql`TRUE`,
        onSome: ({ micros, id }) =>
          sql`(created_at, id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`
      })
      const rows = yield* sql`
        SELECT id, created_at, expires_at - ${life}::text::interval AS last_used_at, expires_at, address, user_agent,
          (EXTRACT(EPOCH FROM created_at) * 1000000)::bigint::text AS micros
        FROM refresh_token_families WHERE user_id = ${user} AND revoked_at IS NULL AND expires_at > now() AND ${place}
        ORDER BY created_at DESC, id DESC LIMIT ${limit}::int`
      return yield* Effect.forEach(rows, fromRow)
    }),
    revoke: Effect.fn("SessionRepo.revoke")((user: UserId, family: FamilyId) =>
      Effect.map(
        sql`UPDATE refresh_token_families SET revoked_at = now(), revoked_reason = 'revoked'
          WHERE id = ${family} AND user_id = ${user} AND revoked_at IS NULL RETURNING id`,
        (rows) => rows.length > 0
      )
    ),
    revokeOthers: Effect.fn("SessionRepo.revokeOthers")((user: UserId, but: FamilyId, reason: "revoked" | "password" | "email") =>
      Effect.map(
        sql`UPDATE refresh_token_families SET revoked_at = now(), revoked_reason = ${reason}
          WHERE user_id = ${user} AND id <> ${but} AND revoked_at IS NULL RETURNING id`,
        (rows) => rows.length
      )
    ),
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
    ).pipe(Effect.withSpan("SessionRepo.removeExpired")),
    removeDenylisted: Effect.map(
      sql`DELETE FROM refresh_token_denylist WHERE denylisted_at < now() - ${life}::text::interval RETURNING jti`,
      (rows) => rows.length
    ).pipe(Effect.withSpan("SessionRepo.removeDenylisted"))
  }
}
