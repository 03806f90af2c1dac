/**
 * Changes of e-mail addresses that wait for their confirmation, in PostgreSQL: the address encrypted, the token as a hash. One that
 * has expired is as absent as none. Every method joins a transaction that is open.
 */
import type { UserId } from "@englog/domain/Ids"
import { Context, DateTime, Duration, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"

export interface OpenChange {
  /** Normalized. */
  readonly email: string
  readonly requested_at: DateTime.Utc
  readonly expires_at: DateTime.Utc
}

export class EmailChangeRepo extends Context.Service<EmailChangeRepo, {
  /** In place of an earlier one; good for `life`. */
  readonly put: (user: UserId, email: string, token_hash: Uint8Array, life: Duration.Duration) => Effect.Effect<OpenChange, SqlError>
  readonly find: (user: UserId) => Effect.Effect<Option.Option<OpenChange>, SqlError>
  /** Takes it away: of two who try, one gets it. */
  readonly take: (user: UserId, token_hash: Uint8Array) => Effect.Effect<Option.Option<OpenChange>, SqlError>
  /** False where there is none. */
  readonly remove: (user: UserId) => Effect.Effect<boolean, SqlError>
  /** Answers how many. */
  readonly removeExpired: Effect.Effect<number, SqlError>
}>()("@englog/api/account/EmailChangeRepo") {
  static readonly layer: Layer.Layer<EmailChangeRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    EmailChangeRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const open = Effect.fnUntraced(function*(user: UserId, [row]: ReadonlyArray<unknown>) {
        if (row === undefined) return Option.none()
        const { email, ...times } = yield* decodeRow(row)
        return Option.some({ ...times, email: yield* cipher.decrypt(email, EncryptedColumn.changedEmail, user) })
      }, Effect.orDie)

      return EmailChangeRepo.of({
        put: Effect.fn("EmailChangeRepo.put")(function*(user, email, token_hash, life) {
          const rows = yield* sql`
            INSERT INTO email_changes (user_id, email, token_hash, expires_at)
            VALUES (${user}, ${yield* cipher.encrypt(email, EncryptedColumn.changedEmail, user)}, ${token_hash}::bytea,
              now() + ${Duration.toMillis(life)}::int * interval '1 millisecond')
            ON CONFLICT (user_id) DO UPDATE SET email = excluded.email, token_hash = excluded.token_hash, requested_at = now(),
              expires_at = excluded.expires_at
            RETURNING email, requested_at, expires_at`
          return yield* Effect.flatMap(open(user, rows), Option.match({
            onNone: () => Effect.die(new Error("a change of an address vanished within its own transaction")),
            onSome: Effect.succeed
          }))
        }),
        find: Effect.fn("EmailChangeRepo.find")(function*(user) {
          return yield* open(user, yield* sql`
            SELECT email, requested_at, expires_at FROM email_changes WHERE user_id = ${user} AND expires_at > now()`)
        }),
        take: Effect.fn("EmailChangeRepo.take")(function*(user, token_hash) {
          return yield* open(user, yield* sql`
            DELETE FROM email_changes WHERE user_id = ${user} AND token_hash = ${token_hash}::bytea AND expires_at > now()
            RETURNING email, requested_at, expires_at`)
        }),
        remove: Effect.fn("EmailChangeRepo.remove")((user) =>
          Effect.map(
            sql`DELETE FROM email_changes WHERE user_id = ${user} RETURNING expires_at > now() AS open`,
            (rows) => rows[0]?.["open"] === true
          )
        ),
        removeExpired: Effect.map(
          sql`DELETE FROM email_changes WHERE expires_at <= now() RETURNING user_id`,
          (rows) => rows.length
        ).pipe(Effect.withSpan("EmailChangeRepo.removeExpired"))
      })
    })
  )
}

const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  email: Schema.String,
  requested_at: Schema.DateTimeUtcFromDate,
  expires_at: Schema.DateTimeUtcFromDate
}))
