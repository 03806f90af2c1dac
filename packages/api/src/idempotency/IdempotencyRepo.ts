/**
 * Keys of requests with what was answered to them. A key is claimed within the transaction of what its request does: it is
 * there with the answer, or not at all. Bodies are known by keyed digests, answers are encrypted.
 */
import type { UserId } from "@englog/domain/Ids"
import { Context, Duration, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { createHash, randomUUID } from "node:crypto"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"

/** What a key is unique within. */
export interface KeyScope {
  readonly user_id: UserId
  readonly method: string
  readonly path: string
  readonly key: string
}

/** An answer as it is given again. */
export const KeptAnswer = Schema.Struct({
  status: Schema.Int,
  headers: Schema.Record(Schema.String, Schema.String),
  /** UTF-8; null: it has none. */
  body: Schema.NullOr(Schema.String)
})
export type KeptAnswer = typeof KeptAnswer.Type

export interface KeptRequest {
  readonly answer: KeptAnswer
  /** Whether it was this request. */
  readonly same: boolean
}

/** As long as a key means its first request. */
export const retention = Duration.hours(24)

/** Its address and its body, one after the other: a large body is not copied. */
export type RequestBytes = ReadonlyArray<Uint8Array>

export class IdempotencyRepo extends Context.Service<IdempotencyRepo, {
  readonly find: (scope: KeyScope, request: RequestBytes) => Effect.Effect<Option.Option<KeptRequest>, SqlError>
  /**
   * The id under which the answer is to be kept; none where the key is taken. Waits for another transaction that has claimed it.
   * Call it within the request's transaction.
   */
  readonly claim: (scope: KeyScope, request: RequestBytes) => Effect.Effect<Option.Option<string>, SqlError>
  readonly keep: (id: string, answer: KeptAnswer) => Effect.Effect<void, SqlError>
  /** Removes keys that mean nothing any more; answers how many. */
  readonly removeExpired: Effect.Effect<number, SqlError>
}>()("@englog/api/idempotency/IdempotencyRepo") {
  static readonly layer: Layer.Layer<IdempotencyRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    IdempotencyRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const digests = (request: RequestBytes) => cipher.digests(request, "idempotency_keys.body_digest")
      const age = `${Duration.toSeconds(retention)} seconds`

      return IdempotencyRepo.of({
        find: Effect.fn("IdempotencyRepo.find")(function*(scope: KeyScope, request: RequestBytes) {
          const rows = yield* sql`
            SELECT id, body_digest, response FROM idempotency_keys
            WHERE key_digest = ${digestOf(scope)} AND response IS NOT NULL AND created_at > now() - ${age}::text::interval`
          const [row] = yield* Effect.orDie(decodeRows(rows))
          if (row === undefined) return Option.none()
          const text = yield* Effect.orDie(cipher.decrypt(row.response, EncryptedColumn.idempotentResponse, row.id))
          const answer = yield* Effect.orDie(decodeAnswer(text))
          return Option.some({ answer, same: digests(request).some((digest) => Buffer.compare(digest, row.body_digest) === 0) })
        }),
        claim: Effect.fn("IdempotencyRepo.claim")(function*(scope: KeyScope, request: RequestBytes) {
          const id = randomUUID()
          const rows = yield* sql`
            INSERT INTO idempotency_keys (id, user_id, key_digest, body_digest)
            VALUES (${id}, ${scope.user_id}, ${digestOf(scope)}, ${digests(request)[0]})
            ON CONFLICT (key_digest) DO UPDATE
            SET id = EXCLUDED.id, body_digest = EXCLUDED.body_digest, response = NULL, created_at = now()
            WHERE idempotency_keys.created_at <= now() - ${age}::text::interval
            RETURNING id`
          return rows.length === 0 ? Option.none() : Option.some(id)
        }),
        keep: Effect.fn("IdempotencyRepo.keep")(function*(id: string, answer: KeptAnswer) {
          const sealed = yield* cipher.encrypt(JSON.stringify(answer), EncryptedColumn.idempotentResponse, id)
          yield* sql`UPDATE idempotency_keys SET response = ${sealed} WHERE id = ${id}`
        }),
        removeExpired: Effect.map(
          sql`DELETE FROM idempotency_keys WHERE created_at <= now() - ${age}::text::interval RETURNING 1 AS one`,
          (rows) => rows.length
        ).pipe(Effect.withSpan("IdempotencyRepo.removeExpired"))
      })
    })
  )
}

/** Keys are random, or meant to be: their digest needs no key, and stays the same when keys are rotated. */
const digestOf = ({ key, method, path, user_id }: KeyScope): Uint8Array =>
  createHash("sha256").update(JSON.stringify([user_id, method, path, key])).digest()

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  id: Schema.String,
  body_digest: Schema.Uint8Array,
  response: Schema.String
})))
const decodeAnswer = Schema.decodeEffect(Schema.fromJsonString(KeptAnswer))
