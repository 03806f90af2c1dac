/**
 * The secrets that messages are signed with, encrypted: of an endpoint, or of an organization for URLs that are named once. At most
 * two are alive at a time, so that a receiver can change from one to the other without refusing anything.
 */
import type { OrganizationId, WebhookId } from "@englog/domain/Ids"
import { Context, DateTime, type Duration, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomBytes, randomUUID } from "node:crypto"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"

export interface SecretOwner {
  readonly organization_id: OrganizationId
  /** Null: the organization itself. */
  readonly endpoint_id: WebhookId | null
}

export interface NewSecret {
  readonly secret: string
  /** Of the one before, which signs beside it until then. */
  readonly previous_valid_until: Option.Option<DateTime.Utc>
}

export class WebhookSecretRepo extends Context.Service<WebhookSecretRepo, {
  /** A new one; the one before stays for `overlap`, older ones end at once. */
  readonly renew: (owner: SecretOwner, overlap: Duration.Duration) => Effect.Effect<NewSecret, SqlError>
  /** Those that sign now, the newest first. */
  readonly alive: (owner: SecretOwner) => Effect.Effect<ReadonlyArray<string>, SqlError>
  readonly removeExpired: Effect.Effect<number, SqlError>
}>()("@englog/api/webhooks/WebhookSecretRepo") {
  static readonly layer = Layer.effect(
    WebhookSecretRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const ownerOf = ({ endpoint_id, organization_id }: SecretOwner) => endpoint_id ?? organization_id

      return WebhookSecretRepo.of({
        renew: Effect.fn("WebhookSecretRepo.renew")((owner, overlap) =>
          sql.withTransaction(Effect.gen(function*() {
            const id = randomUUID()
            const secret = `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`
            // Two that renew at the same time wait for each other.
            yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${ownerOf(owner)}, 0))`
            yield* sql`DELETE FROM webhook_secrets WHERE coalesce(endpoint_id, organization_id) = ${ownerOf(owner)}::uuid AND expires_at IS NOT NULL`
            const until = DateTime.addDuration(yield* DateTime.now, overlap)
            const before = yield* sql`
              UPDATE webhook_secrets SET expires_at = ${DateTime.toDateUtc(until)}
              WHERE coalesce(endpoint_id, organization_id) = ${ownerOf(owner)}::uuid RETURNING id`
            yield* sql`INSERT INTO webhook_secrets (id, organization_id, endpoint_id, secret)
              VALUES (${id}, ${owner.organization_id}, ${owner.endpoint_id}, ${yield* cipher.encrypt(secret, EncryptedColumn.webhookSecret, id)})`
            return { secret, previous_valid_until: before.length === 0 ? Option.none() : Option.some(until) }
          }))
        ),
        alive: Effect.fn("WebhookSecretRepo.alive")(function*(owner) {
          const rows = yield* sql`
            SELECT id, secret FROM webhook_secrets
            WHERE ${owner.endpoint_id === null ? sql`organization_id = ${owner.organization_id}::uuid AND endpoint_id IS NULL` : sql`endpoint_id = ${owner.endpoint_id}::uuid`}
              AND (expires_at IS NULL OR expires_at > now())
            ORDER BY expires_at DESC NULLS FIRST`
          return yield* Effect.forEach(yield* Effect.orDie(decodeRows(rows)), ({ id, secret }) =>
            Effect.orDie(cipher.decrypt(secret, EncryptedColumn.webhookSecret, id)))
        }),
        removeExpired: Effect.map(sql`DELETE FROM webhook_secrets WHERE expires_at <= now() RETURNING id`, (rows) => rows.length)
      })
    })
  )
}

/** The specification asks for 24 to 64. */
const SECRET_BYTES = 32

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: Schema.String, secret: Schema.String })))
