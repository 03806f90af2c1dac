/**
 * Projects in PostgreSQL, their descriptions encrypted. A project is its creator's until teams share them. Every method joins a transaction that is open.
 */
import { OrganizationId, ProjectId, UserId } from "@englog/domain/Ids"
import { Project, ProjectStatus } from "@englog/domain/projects/Project"
import type { ProjectPayload } from "@englog/rpc/http/ProjectsApi"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"

export interface ListedProject extends Cursor {
  readonly project: Project
}

export class ProjectRepo extends Context.Service<ProjectRepo, {
  readonly insert: (
    owner: { readonly id: UserId; readonly organization_id: OrganizationId },
    project: ProjectPayload
  ) => Effect.Effect<Project, SqlError>
  /** None where the user has no such project. */
  readonly find: (user: UserId, id: ProjectId) => Effect.Effect<Option.Option<Project>, SqlError>
  /** Newest first, at most `limit`. */
  readonly list: (
    user: UserId,
    after: Option.Option<Cursor>,
    limit: number
  ) => Effect.Effect<ReadonlyArray<ListedProject>, SqlError>
}>()("@englog/api/projects/ProjectRepo") {
  static readonly layer: Layer.Layer<ProjectRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    ProjectRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const { micros, ...row } = yield* decodeRow(raw)
        const description = row.description === null
          ? null
          : yield* cipher.decrypt(row.description, EncryptedColumn.projectDescription, row.id)
        return { project: new Project({ ...row, description, team_id: null }), micros, id: row.id }
      }, Effect.orDie)

      const columns = sql.literal(`id, organization_id, name, description, status, to_char(start_date, 'YYYY-MM-DD') AS start_date,
        to_char(end_date, 'YYYY-MM-DD') AS end_date, created_by, created_at, updated_at,
        (EXTRACT(EPOCH FROM created_at) * 1000000)::bigint::text AS micros`)

      return ProjectRepo.of({
        insert: Effect.fn("ProjectRepo.insert")(function*(owner, project) {
          const id = ProjectId.make(randomUUID())
          const description = project.description ?? null
          const sealed = description === null ? null : yield* cipher.encrypt(description, EncryptedColumn.projectDescription, id)
          const rows = yield* sql`
            INSERT INTO projects (id, organization_id, name, description, status, start_date, end_date, created_by)
            VALUES (${id}, ${owner.organization_id}, ${project.name}, ${sealed}, ${project.status},
              ${project.start_date ?? null}::text::date, ${project.end_date ?? null}::text::date, ${owner.id})
            RETURNING ${columns}`
          return (yield* fromRow(rows[0])).project
        }),
        find: Effect.fn("ProjectRepo.find")(function*(user, id) {
          const rows = yield* sql`SELECT ${columns} FROM projects WHERE id = ${id} AND created_by = ${user}`
          return rows[0] === undefined ? Option.none() : Option.some((yield* fromRow(rows[0])).project)
        }),
        list: Effect.fn("ProjectRepo.list")(function*(user, after, limit) {
          const place = Option.match(after, {
            onNone: () => sql`TRUE`,
            onSome: ({ micros, id }) =>
              sql`(created_at, id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`
          })
          const rows = yield* sql`
            SELECT ${columns} FROM projects WHERE created_by = ${user} AND ${place}
            ORDER BY created_at DESC, id DESC LIMIT ${limit}`
          return yield* Effect.forEach(rows, fromRow)
        })
      })
    })
  )
}

const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  id: ProjectId,
  organization_id: OrganizationId,
  name: Schema.String,
  description: Schema.NullOr(Schema.String),
  status: ProjectStatus,
  start_date: Schema.NullOr(Schema.String),
  end_date: Schema.NullOr(Schema.String),
  created_by: UserId,
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate,
  micros: Schema.String
}))
