/** The secret of each organization, made when it is first needed. */
import type { OrganizationId } from "@englog/domain/Ids"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import { newSecret } from "./KnowledgeSecret.ts"

export class KnowledgeKeyRepo extends Context.Service<KnowledgeKeyRepo, {
  readonly secretOf: (organization_id: OrganizationId) => Effect.Effect<string, SqlError>
}>()("@englog/api/documents/KnowledgeKeyRepo") {
  static readonly layer: Layer.Layer<KnowledgeKeyRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    KnowledgeKeyRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const find = Effect.fnUntraced(function*(organization_id: OrganizationId) {
        const rows = yield* sql`SELECT secret FROM knowledge_keys WHERE organization_id = ${organization_id}::uuid`
        if (rows[0] === undefined) return undefined
        const { secret } = yield* Effect.orDie(decodeRow(rows[0]))
        return yield* Effect.orDie(cipher.decrypt(secret, EncryptedColumn.knowledgeSecret, organization_id))
      })

      return KnowledgeKeyRepo.of({
        secretOf: Effect.fn("KnowledgeKeyRepo.secretOf")(function*(organization_id) {
          const known = yield* find(organization_id)
          if (known !== undefined) return known
          const sealed = yield* cipher.encrypt(newSecret(), EncryptedColumn.knowledgeSecret, organization_id)
          yield* sql`INSERT INTO knowledge_keys (organization_id, secret) VALUES (${organization_id}::uuid, ${sealed}) ON CONFLICT DO NOTHING`
          // Whoever was first made the one that holds.
          return (yield* find(organization_id)) ?? (yield* Effect.die(new Error("an organization's secret vanished")))
        })
      })
    })
  )
}

const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({ secret: Schema.String }))
