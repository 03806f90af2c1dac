/** What members share of their entries on a team's projects. Every method joins a transaction that is open. */
import type { ProjectId, UserId } from "@englog/domain/Ids"
import { Sharing, SharingLevel } from "@englog/domain/projects/Sharing"
import type { SharingPayload } from "@englog/rpc/http/ProjectsApi"
import { Context, DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { withEtag } from "../http/EntityTag.ts"

export class SharingRepo extends Context.Service<SharingRepo, {
  readonly find: (user: UserId, project: ProjectId) => Effect.Effect<Sharing, SqlError>
  /** False where it is no project of a team that the user belongs to. */
  readonly set: (user: UserId, project: ProjectId, sharing: SharingPayload) => Effect.Effect<boolean, SqlError>
}>()("@englog/api/projects/SharingRepo") {
  static readonly layer: Layer.Layer<SharingRepo, never, SqlClient.SqlClient> = Layer.effect(
    SharingRepo,
    Effect.map(SqlClient.SqlClient, (sql) =>
      SharingRepo.of({
        find: Effect.fn("SharingRepo.find")(function*(user, project) {
          const rows = yield* sql`SELECT level, since FROM project_shares WHERE user_id = ${user} AND project_id = ${project}`
          const { level, since } = rows[0] === undefined ? { level: "none" as const, since: null } : yield* Effect.orDie(decodeRow(rows[0]))
          return new Sharing(withEtag({ project_id: project, level, since }))
        }),
        set: Effect.fn("SharingRepo.set")(function*(user, project, { level, since }) {
          if (level === "none") {
            yield* sql`DELETE FROM project_shares WHERE user_id = ${user} AND project_id = ${project}`
            return true
          }
          const given = since === undefined ? sql`now()` : sql`${since === null ? null : DateTime.toDateUtc(since)}::timestamptz`
          const kept = since === undefined ? sql`` : sql`, since = excluded.since`
          // The locks keep the project and the membership while this commits.
          const rows = yield* sql`
            INSERT INTO project_shares (project_id, organization_id, user_id, level, since)
            SELECT p.id, p.organization_id, m.user_id, ${level}, ${given}
            FROM projects p JOIN organizations o ON o.id = p.organization_id AND o.personal_of IS NULL
            JOIN organization_members m ON m.organization_id = o.id AND m.user_id = ${user}
            WHERE p.id = ${project} FOR KEY SHARE OF p, m
            ON CONFLICT (project_id, user_id) DO UPDATE SET level = excluded.level ${kept}
            RETURNING 1 AS one`
          return rows.length > 0
        })
      }))
  )
}

const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({ level: SharingLevel, since: Schema.NullOr(Schema.DateTimeUtcFromDate) }))
