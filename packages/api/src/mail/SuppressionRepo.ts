/**
 * Addresses of which a mail server said that they do not exist, in PostgreSQL: by their digests, as messages have them; their text is
 * that of a message that is kept. Every method joins a transaction that is open.
 */
import { MailSuppression } from "@englog/domain/mail/Delivery"
import { type DeliveryId, SuppressionId } from "@englog/domain/Ids"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"

export interface ListedSuppression extends Cursor {
  readonly suppression: MailSuppression
}

export class SuppressionRepo extends Context.Service<SuppressionRepo, {
  /** Of the message's address. */
  readonly put: (id: DeliveryId, codes: { readonly smtp_code: number | null; readonly status_code: string | null }) => Effect.Effect<void, SqlError>
  /** Of one address, or all; newest first, at most `limit`. */
  readonly list: (
    address: Option.Option<string>,
    after: Option.Option<Cursor>,
    limit: number
  ) => Effect.Effect<ReadonlyArray<ListedSuppression>, SqlError>
  /** Of one address, or any; false where there is none. */
  readonly remove: (id: SuppressionId, address: Option.Option<string>) => Effect.Effect<boolean, SqlError>
  /** Of the message's address. */
  readonly forgive: (id: DeliveryId) => Effect.Effect<void, SqlError>
}>()("@englog/api/mail/SuppressionRepo") {
  static readonly layer: Layer.Layer<SuppressionRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    SuppressionRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const digests = addressDigests(cipher)

      return SuppressionRepo.of({
        put: Effect.fn("SuppressionRepo.put")((id, { smtp_code, status_code }) =>
          Effect.asVoid(sql`
            INSERT INTO undeliverable_addresses (address_digest, smtp_code, status_code)
            SELECT address_digest, ${smtp_code}::int, ${status_code} FROM mail_deliveries WHERE id = ${id}
            ON CONFLICT (address_digest) DO UPDATE SET smtp_code = excluded.smtp_code, status_code = excluded.status_code, noted_at = now()`)
        ),
        list: Effect.fn("SuppressionRepo.list")(function*(address, after, limit) {
          const conditions = [
            Option.map(address, (one) => sql`u.address_digest IN ${sql.in(digests(one))}`),
            Option.map(after, ({ id, micros }) =>
              sql`(u.noted_at, u.id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`)
          ].flatMap(Option.toArray)
          const rows = yield* sql`
            SELECT u.id, u.smtp_code::int AS smtp_code, u.status_code, u.noted_at, (EXTRACT(EPOCH FROM u.noted_at) * 1000000)::bigint::text AS micros,
              d.id AS delivery_id, d.address
            FROM undeliverable_addresses u LEFT JOIN LATERAL (
              SELECT m.id, m.address FROM mail_deliveries m WHERE m.address_digest = u.address_digest ORDER BY m.created_at DESC LIMIT 1
            ) d ON true
            WHERE ${sql.and([sql`TRUE`, ...conditions])} ORDER BY u.noted_at DESC, u.id DESC LIMIT ${limit}`
          return yield* Effect.forEach(yield* Effect.orDie(decodeSuppressions(rows)), ({ address, delivery_id, micros, ...row }) =>
            Effect.map(
              address === null || delivery_id === null ? Effect.succeed(null) : Effect.orDie(cipher.decrypt(address, EncryptedColumn.mailAddress, delivery_id)),
              (opened) => ({ suppression: new MailSuppression({ ...row, address: opened }), micros, id: row.id })
            ))
        }),
        remove: Effect.fn("SuppressionRepo.remove")((id, address) =>
          Effect.map(
            sql`
              DELETE FROM undeliverable_addresses u WHERE u.id = ${id}
                AND ${Option.match(address, { onNone: () => sql`TRUE`, onSome: (one) => sql`u.address_digest IN ${sql.in(digests(one))}` })} RETURNING u.id`,
            (rows) => rows.length > 0
          )
        ),
        forgive: Effect.fn("SuppressionRepo.forgive")((id) =>
          Effect.asVoid(sql`
            DELETE FROM undeliverable_addresses u USING mail_deliveries d WHERE d.id = ${id} AND u.address_digest = d.address_digest`)
        )
      })
    })
  )
}

/** By which an address is found without being read: under each key of the ring, the newest first. */
export const addressDigests = (cipher: FieldCipher["Service"]) => (email: string) =>
  cipher.digests(new TextEncoder().encode(email.toLowerCase()), "mail_deliveries.address_digest")

const decodeSuppressions = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  id: SuppressionId,
  smtp_code: Schema.NullOr(Schema.Int),
  status_code: Schema.NullOr(Schema.String),
  noted_at: Schema.DateTimeUtcFromDate,
  micros: Schema.String,
  delivery_id: Schema.NullOr(Schema.String),
  address: Schema.NullOr(Schema.String)
})))
