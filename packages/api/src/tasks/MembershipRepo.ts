/** Who belongs to which organization. */
import type { OrganizationId, UserId } from "@englog/domain/Ids"
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

export class MembershipRepo extends Context.Service<MembershipRepo, {
  readonly isMember: (user_id: UserId, organization_id: OrganizationId) => Effect.Effect<boolean, SqlError>
  readonly isAdmin: (user_id: UserId, organization_id: OrganizationId) => Effect.Effect<boolean, SqlError>
}>()("@englog/api/tasks/MembershipRepo") {
  static readonly layer = Layer.effect(
    MembershipRepo,
    Effect.map(SqlClient.SqlClient, (sql) =>
      MembershipRepo.of({
        isMember: Effect.fn("MembershipRepo.isMember")(function*(user_id, organization_id) {
          const rows = yield* sql`
            SELECT 1 FROM organization_members WHERE user_id = ${user_id}::uuid AND organization_id = ${organization_id}::uuid`
          return rows.length > 0
        }),
        isAdmin: Effect.fn("MembershipRepo.isAdmin")(function*(user_id, organization_id) {
          const rows = yield* sql`
            SELECT 1 FROM organization_members
            WHERE user_id = ${user_id}::uuid AND organization_id = ${organization_id}::uuid AND role IN ('owner', 'admin')`
          return rows.length > 0
        })
      }))
  )
}
