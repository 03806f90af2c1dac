/** Shares of organizations beside each other's, where they are not alike; claims read them from the table. */
import { OrganizationId } from "@englog/domain/Ids"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

const Weighted = Schema.Struct({ organization_id: OrganizationId, weight: Schema.Int })

export class TenantWeightRepo extends Context.Service<TenantWeightRepo, {
  /** Those for which one was set, in the order of their ids, after one of them. */
  readonly list: (after: OrganizationId | null, limit: number) => Effect.Effect<ReadonlyArray<typeof Weighted.Type>, SqlError>
  /** False: there is no such organization. */
  readonly set: (organization_id: OrganizationId, weight: number) => Effect.Effect<boolean, SqlError>
}>()("@englog/api/queue/TenantWeightRepo") {
  static readonly layer = Layer.effect(
    TenantWeightRepo,
    Effect.map(SqlClient.SqlClient, (sql) =>
      TenantWeightRepo.of({
        list: Effect.fn("TenantWeightRepo.list")(function*(after, limit) {
          const rows = yield* sql`
            SELECT organization_id, weight FROM task_tenants WHERE ${after}::text IS NULL OR organization_id > ${after}::text::uuid
            ORDER BY organization_id LIMIT ${limit}::int`
          return yield* Effect.orDie(decodeRows(rows))
        }),
        set: Effect.fn("TenantWeightRepo.set")(function*(organization_id, weight) {
          const rows = yield* sql`
            INSERT INTO task_tenants (organization_id, weight) SELECT id, ${weight}::smallint FROM organizations WHERE id = ${organization_id}::uuid
            ON CONFLICT (organization_id) DO UPDATE SET weight = excluded.weight RETURNING 1`
          return rows.length > 0
        })
      }))
  )
}

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Weighted))
