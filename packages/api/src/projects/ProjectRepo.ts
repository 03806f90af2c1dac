/**
 * Projects in PostgreSQL, their descriptions encrypted. One sees those of the organizations that one is a member of: one's own
 * and one's teams'. Every method joins a transaction that is open.
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
import { withEtag } from "../http/EntityTag.ts"

/** A project as one of its organization's members sees it. */
export interface SeenProject extends Cursor {
  readonly project: Project
  /** Whether they may change it: their own, or a team's as its lead or admin. */
  readonly steers: boolean
}

/** All that is given must hold. */
export interface ProjectFilter {
  readonly status: Option.Option<ProjectStatus>
  readonly archived: Option.Option<boolean>
  readonly organization_id: Option.Option<OrganizationId>
  readonly after: Option.Option<Cursor>
}

export class ProjectRepo extends Context.Service<ProjectRepo, {
  readonly transaction: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SqlError, R>
  readonly insert: (creator: UserId, organization: OrganizationId, project: ProjectPayload) => Effect.Effect<SeenProject, SqlError>
  /** None where the user sees no such project; likewise below. */
  readonly find: (user: UserId, id: ProjectId) => Effect.Effect<Option.Option<SeenProject>, SqlError>
  /** As it is until the transaction ends: nobody else changes it meanwhile. */
  readonly lock: (user: UserId, id: ProjectId) => Effect.Effect<Option.Option<SeenProject>, SqlError>
  /** Nobody else changes what the user shares, or their default project but by archiving it, until the transaction ends. */
  readonly lockChoices: (user: UserId) => Effect.Effect<void, SqlError>
  /** Whether the user may change projects of the organization; none where they do not belong to it. */
  readonly steers: (user: UserId, organization: OrganizationId) => Effect.Effect<Option.Option<boolean>, SqlError>
  /** Newest first, at most `limit`. */
  readonly list: (user: UserId, filter: ProjectFilter, limit: number) => Effect.Effect<ReadonlyArray<SeenProject>, SqlError>
  readonly update: (
    user: UserId,
    id: ProjectId,
    organization: OrganizationId,
    project: ProjectPayload
  ) => Effect.Effect<Option.Option<SeenProject>, SqlError>
  readonly remove: (id: ProjectId) => Effect.Effect<void, SqlError>
  /** It is nobody's default once it is archived. */
  readonly setArchived: (user: UserId, id: ProjectId, archived: boolean) => Effect.Effect<Option.Option<SeenProject>, SqlError>
  /** Instead of the one before. */
  readonly makeDefault: (user: UserId, id: ProjectId) => Effect.Effect<Option.Option<SeenProject>, SqlError>
  readonly endDefault: (user: UserId, id: ProjectId) => Effect.Effect<void, SqlError>
  readonly findDefault: (user: UserId) => Effect.Effect<Option.Option<ProjectId>, SqlError>
}>()("@englog/api/projects/ProjectRepo") {
  static readonly layer: Layer.Layer<ProjectRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    ProjectRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const { micros, steers, ...row } = yield* decodeRow(raw)
        const description = row.description === null
          ? null
          : yield* cipher.decrypt(row.description, EncryptedColumn.projectDescription, row.id)
        return { project: new Project(withEtag({ ...row, description })), steers, micros, id: row.id }
      }, Effect.orDie)

      const select = Effect.fnUntraced(function*(user: UserId, where: Statement, order = sql``) {
        const rows = yield* sql`
          SELECT p.id, p.organization_id, p.name, p.description, p.status, p.color, to_char(p.start_date, 'YYYY-MM-DD') AS start_date,
            to_char(p.end_date, 'YYYY-MM-DD') AS end_date, CASE WHEN o.personal_of IS NULL THEN o.id END AS team_id,
            EXISTS (SELECT 1 FROM default_projects d WHERE d.project_id = p.id AND d.user_id = m.user_id) AS is_default,
            p.archived_at, p.created_by, p.created_at, p.updated_at, m.role <> 'member' AS steers,
            (EXTRACT(EPOCH FROM p.created_at) * 1000000)::bigint::text AS micros
          FROM organization_members m JOIN organizations o ON o.id = m.organization_id JOIN projects p ON p.organization_id = o.id
          WHERE m.user_id = ${user} AND ${where} ${order}`
        return yield* Effect.forEach(rows, fromRow)
      })
      const find = (user: UserId, id: ProjectId) => Effect.map(select(user, sql`p.id = ${id}`), ([found]) => Option.fromUndefinedOr(found))

      const sealed = ({ description = null }: ProjectPayload, id: ProjectId) =>
        description === null ? Effect.succeed(null) : cipher.encrypt(description, EncryptedColumn.projectDescription, id)

      return ProjectRepo.of({
        transaction: sql.withTransaction,
        insert: Effect.fn("ProjectRepo.insert")((creator, organization, project) =>
          sql.withTransaction(Effect.gen(function*() {
            const id = ProjectId.make(randomUUID())
            yield* sql`
              INSERT INTO projects (id, organization_id, name, description, status, color, start_date, end_date, created_by)
              VALUES (${id}, ${organization}, ${project.name}, ${yield* sealed(project, id)}, ${project.status}, ${project.color ?? null},
                ${project.start_date ?? null}::text::date, ${project.end_date ?? null}::text::date, ${creator})`
            return yield* Effect.flatMap(find(creator, id), Option.match({
              onNone: () => Effect.die(new Error("a project was made for an organization that its creator does not belong to")),
              onSome: Effect.succeed
            }))
          }))
        ),
        find: Effect.fn("ProjectRepo.find")(find),
        lock: Effect.fn("ProjectRepo.lock")(function*(user, id) {
          // Entries and goals that name it are written all the same. Read by a statement of its own: what another transaction did
          // until it let go of the lock is seen by later statements only.
          yield* sql`
            SELECT 1 FROM projects p JOIN organization_members m ON m.organization_id = p.organization_id
            WHERE p.id = ${id} AND m.user_id = ${user} FOR NO KEY UPDATE OF p`
          return yield* find(user, id)
        }),
        lockChoices: Effect.fn("ProjectRepo.lockChoices")((user) => Effect.asVoid(sql`SELECT 1 AS one FROM users WHERE id = ${user} FOR NO KEY UPDATE`)),
        steers: Effect.fn("ProjectRepo.steers")(function*(user, organization) {
          const rows = yield* sql`
            SELECT m.role <> 'member' AS steers FROM organization_members m WHERE m.user_id = ${user} AND m.organization_id = ${organization}`
          return rows[0] === undefined ? Option.none() : Option.some((yield* Effect.orDie(decodeSteers(rows[0]))).steers)
        }),
        list: Effect.fn("ProjectRepo.list")((user, filter, limit) => {
          const conditions = [
            Option.map(filter.status, (status) => sql`p.status = ${status}`),
            Option.map(filter.archived, (archived) => archived ? sql`p.archived_at IS NOT NULL` : sql`p.archived_at IS NULL`),
            Option.map(filter.organization_id, (organization) => sql`p.organization_id = ${organization}`),
            Option.map(filter.after, ({ micros, id }) =>
              sql`(p.created_at, p.id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`)
          ].flatMap(Option.toArray)
          return select(user, sql.and([sql`TRUE`, ...conditions]), sql`ORDER BY p.created_at DESC, p.id DESC LIMIT ${limit}`)
        }),
        update: Effect.fn("ProjectRepo.update")(function*(user, id, organization, project) {
          yield* sql`
            UPDATE projects SET organization_id = ${organization}, name = ${project.name}, description = ${yield* sealed(project, id)},
              status = ${project.status}, color = ${project.color ?? null}, start_date = ${project.start_date ?? null}::text::date,
              end_date = ${project.end_date ?? null}::text::date, updated_at = now()
            WHERE id = ${id}`
          return yield* find(user, id)
        }),
        remove: Effect.fn("ProjectRepo.remove")((id) => Effect.asVoid(sql`DELETE FROM projects WHERE id = ${id}`)),
        setArchived: Effect.fn("ProjectRepo.setArchived")((user, id, archived) =>
          sql.withTransaction(Effect.gen(function*() {
            const change = archived ? sql`archived_at = now()` : sql`archived_at = NULL`
            yield* sql`UPDATE projects SET ${change}, updated_at = now() WHERE id = ${id} AND (archived_at IS NOT NULL) <> ${archived}`
            if (archived) yield* sql`DELETE FROM default_projects WHERE project_id = ${id}`
            return yield* find(user, id)
          }))
        ),
        makeDefault: Effect.fn("ProjectRepo.makeDefault")((user, id) =>
          sql.withTransaction(Effect.gen(function*() {
            // The lock keeps it from being archived or removed at the same moment.
            yield* sql`
              INSERT INTO default_projects (user_id, project_id)
              SELECT ${user}::uuid, p.id FROM projects p WHERE p.id = ${id} AND p.archived_at IS NULL FOR SHARE
              ON CONFLICT (user_id) DO UPDATE SET project_id = excluded.project_id`
            return yield* find(user, id)
          }))
        ),
        endDefault: Effect.fn("ProjectRepo.endDefault")(function*(user, id) {
          yield* sql`DELETE FROM default_projects WHERE user_id = ${user} AND project_id = ${id}`
        }),
        findDefault: Effect.fn("ProjectRepo.findDefault")((user) =>
          Effect.map(
            select(user, sql`p.archived_at IS NULL AND p.id = (SELECT d.project_id FROM default_projects d WHERE d.user_id = m.user_id)`),
            ([found]) => Option.map(Option.fromUndefinedOr(found), ({ project }) => project.id)
          )
        )
      })
    })
  )
}

type Statement = ReturnType<SqlClient.SqlClient["and"]>

const decodeSteers = Schema.decodeUnknownEffect(Schema.Struct({ steers: Schema.Boolean }))

const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  id: ProjectId,
  organization_id: OrganizationId,
  name: Schema.String,
  description: Schema.NullOr(Schema.String),
  status: ProjectStatus,
  color: Schema.NullOr(Schema.String),
  start_date: Schema.NullOr(Schema.String),
  end_date: Schema.NullOr(Schema.String),
  team_id: Schema.NullOr(OrganizationId),
  is_default: Schema.Boolean,
  archived_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  created_by: Schema.NullOr(UserId),
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate,
  steers: Schema.Boolean,
  micros: Schema.String
}))
