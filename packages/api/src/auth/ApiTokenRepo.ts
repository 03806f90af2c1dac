/** API tokens in PostgreSQL: their hashes, never they themselves. Names are encrypted. */
import { ApiTokenId, OrganizationId, UserId } from "@englog/domain/Ids"
import { type ApiTokenRequest, ApiToken, MAX_TOKENS } from "@englog/rpc/http/AccountView"
import { TokenScope } from "@englog/rpc/http/RequiredScope"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"

/** Whose token it is, and what it may do. */
export const TokenHolder = Schema.Struct({
  token_id: ApiTokenId,
  scopes: Schema.Array(TokenScope),
  expired: Schema.Boolean,
  id: UserId,
  organization_id: OrganizationId,
  is_admin: Schema.Boolean,
  timezone: Schema.String
})
export type TokenHolder = typeof TokenHolder.Type

/** A token with its place in the list. */
export interface ListedToken extends Cursor {
  readonly token: ApiToken
}

export class ApiTokenRepo extends Context.Service<ApiTokenRepo, {
  /** None where the user has as many as they may have. */
  readonly insert: (
    user: UserId,
    id: ApiTokenId,
    hash: Uint8Array,
    token: ApiTokenRequest
  ) => Effect.Effect<Option.Option<ApiToken>, SqlError>
  readonly list: (user: UserId, after: Option.Option<Cursor>, limit: number) => Effect.Effect<ReadonlyArray<ListedToken>, SqlError>
  readonly remove: (user: UserId, id: ApiTokenId) => Effect.Effect<boolean, SqlError>
  /** Notes the use, to the hour. */
  readonly use: (hash: Uint8Array) => Effect.Effect<Option.Option<TokenHolder>, SqlError>
  /** Removes those that expired 30 days ago; answers how many. */
  readonly removeExpired: Effect.Effect<number, SqlError>
}>()("@englog/api/auth/ApiTokenRepo") {
  static readonly layer = Layer.effect(
    ApiTokenRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const columns = sql.literal(`id, name, scopes, created_at, expires_at, last_used_at,
        (EXTRACT(EPOCH FROM created_at) * 1000000)::bigint::text AS micros`)

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const { micros, ...row } = yield* decodeRow(raw)
        const name = yield* cipher.decrypt(row.name, EncryptedColumn.apiTokenName, row.id)
        return { token: new ApiToken({ ...row, name }), micros, id: row.id }
      }, Effect.orDie)

      return ApiTokenRepo.of({
        insert: Effect.fn("ApiTokenRepo.insert")(function*(user, id, hash, { expires_in_days, name, scopes }) {
          const sealed = yield* cipher.encrypt(name, EncryptedColumn.apiTokenName, id)
          return yield* sql.withTransaction(Effect.gen(function*() {
            // One at a time: two at once would count the same.
            yield* sql`SELECT id FROM users WHERE id = ${user} FOR UPDATE`
            const rows = yield* sql`
              INSERT INTO api_tokens (id, user_id, name, token_hash, scopes, expires_at)
              SELECT ${id}::uuid, ${user}::uuid, ${sealed}, ${hash}::bytea,
                ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(scopes)}::jsonb)), now() + ${expires_in_days}::int * interval '1 day'
              WHERE (SELECT count(*) FROM api_tokens WHERE user_id = ${user}::uuid) < ${MAX_TOKENS}::int
              RETURNING ${columns}`
            return rows[0] === undefined ? Option.none() : Option.some((yield* fromRow(rows[0])).token)
          }))
        }),
        list: Effect.fn("ApiTokenRepo.list")(function*(user, after, limit) {
          const place = Option.match(after, {
            onNone: () => sql`TRUE`,
            onSome: ({ micros, id }) =>
              sql`(created_at, id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`
          })
          const rows = yield* sql`
            SELECT ${columns} FROM api_tokens WHERE user_id = ${user} AND ${place} ORDER BY created_at DESC, id DESC LIMIT ${limit}::int`
          return yield* Effect.forEach(rows, fromRow)
        }),
        remove: Effect.fn("ApiTokenRepo.remove")((user, id) =>
          Effect.map(sql`DELETE FROM api_tokens WHERE id = ${id} AND user_id = ${user} RETURNING id`, (rows) => rows.length > 0)),
        use: Effect.fn("ApiTokenRepo.use")(function*(hash) {
          const rows = yield* sql`
            SELECT t.id AS token_id, t.scopes, t.expires_at <= now() AS expired, t.last_used_at < date_trunc('hour', now()) AS stale,
              u.id, o.id AS organization_id, u.is_admin, u.timezone
            FROM api_tokens t JOIN users u ON u.id = t.user_id JOIN organizations o ON o.personal_of = u.id
            WHERE t.token_hash = ${hash}::bytea`
          if (rows[0] === undefined) return Option.none()
          const { stale, ...holder } = yield* Effect.orDie(decodeHolder(rows[0]))
          if (!holder.expired && stale !== false) {
            yield* sql`UPDATE api_tokens SET last_used_at = date_trunc('hour', now()) WHERE id = ${holder.token_id}`
          }
          return Option.some(holder)
        }),
        removeExpired: Effect.map(
          sql`DELETE FROM api_tokens WHERE expires_at < now() - interval '30 days' RETURNING id`,
          (rows) => rows.length
        ).pipe(Effect.withSpan("ApiTokenRepo.removeExpired"))
      })
    })
  )
}

const decodeHolder = Schema.decodeUnknownEffect(Schema.Struct({
  ...TokenHolder.fields,
  /** Null where it was never used. */
  stale: Schema.NullOr(Schema.Boolean)
}))

const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  id: ApiTokenId,
  name: Schema.String,
  scopes: Schema.Array(TokenScope),
  created_at: Schema.DateTimeUtcFromDate,
  expires_at: Schema.DateTimeUtcFromDate,
  last_used_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  micros: Schema.String
}))
