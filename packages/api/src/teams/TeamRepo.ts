/**
 * Teams and their members in PostgreSQL: organizations that are nobody's personal one. Changes of members happen one after the
 * other, under the lock of the team's row, so that there is always an admin. Every method joins a transaction that is open.
 */
import { OrganizationId, UserId } from "@englog/domain/Ids"
import { Team, TeamMember, TeamRole } from "@englog/domain/teams/Team"
import type { TeamPayload } from "@englog/rpc/http/TeamsApi"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"
import { withEtag } from "../http/EntityTag.ts"

export interface ListedTeam extends Cursor {
  readonly team: Team
}

export interface ListedMember extends Cursor {
  readonly member: TeamMember
}

/** What the rule about admins has to know. */
export interface Roles {
  readonly members: number
  readonly admins: number
  readonly role: Option.Option<TeamRole>
}

export class TeamRepo extends Context.Service<TeamRepo, {
  readonly transaction: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SqlError, R>
  /** With its creator as admin. */
  readonly insert: (creator: UserId, team: TeamPayload) => Effect.Effect<Team, SqlError>
  /** None where the user belongs to no such team. */
  readonly find: (user: UserId, id: OrganizationId) => Effect.Effect<Option.Option<Team>, SqlError>
  /** Newest first, at most `limit`. */
  readonly list: (user: UserId, after: Option.Option<Cursor>, limit: number) => Effect.Effect<ReadonlyArray<ListedTeam>, SqlError>
  readonly count: (user: UserId) => Effect.Effect<number, SqlError>
  readonly update: (id: OrganizationId, team: TeamPayload) => Effect.Effect<void, SqlError>
  /** Its projects pass to the organization given. */
  readonly remove: (id: OrganizationId, heir: OrganizationId) => Effect.Effect<void, SqlError>
  /** Locks the team until the transaction ends, and tells of one user. */
  readonly lock: (id: OrganizationId, user: UserId) => Effect.Effect<Roles, SqlError>
  /** In the order in which they joined, at most `limit`. */
  readonly members: (id: OrganizationId, after: Option.Option<Cursor>, limit: number) => Effect.Effect<ReadonlyArray<ListedMember>, SqlError>
  readonly member: (id: OrganizationId, user: UserId) => Effect.Effect<Option.Option<TeamMember>, SqlError>
  readonly addMember: (id: OrganizationId, user: UserId, role: TeamRole) => Effect.Effect<void, SqlError>
  readonly setRole: (id: OrganizationId, user: UserId, role: TeamRole) => Effect.Effect<void, SqlError>
  /** What they shared with the team, and a default project of the team, end with the membership. */
  readonly removeMember: (id: OrganizationId, user: UserId) => Effect.Effect<void, SqlError>
}>()("@englog/api/teams/TeamRepo") {
  static readonly layer: Layer.Layer<TeamRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    TeamRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const teamOf = Effect.fnUntraced(function*(raw: unknown) {
        const { micros, ...row } = yield* decodeTeam(raw)
        const description = row.description === null ? null : yield* cipher.decrypt(row.description, EncryptedColumn.organizationDescription, row.id)
        return { team: new Team(withEtag({ ...row, description })), micros, id: row.id }
      }, Effect.orDie)
      const sealed = ({ description = null }: TeamPayload, id: OrganizationId) =>
        description === null ? Effect.succeed(null) : cipher.encrypt(description, EncryptedColumn.organizationDescription, id)

      const select = Effect.fnUntraced(function*(user: UserId, more: Statement) {
        const rows = yield* sql`
          SELECT o.id, o.name, o.description, m.role, o.created_at, o.updated_at,
            (SELECT count(*)::int FROM organization_members a WHERE a.organization_id = o.id) AS member_count,
            (EXTRACT(EPOCH FROM o.created_at) * 1000000)::bigint::text AS micros
          FROM organization_members m JOIN organizations o ON o.id = m.organization_id
          WHERE m.user_id = ${user} AND o.personal_of IS NULL ${more}`
        return yield* Effect.forEach(rows, teamOf)
      })
      const find = (user: UserId, id: OrganizationId) =>
        Effect.map(select(user, sql`AND o.id = ${id}`), ([found]) => Option.map(Option.fromUndefinedOr(found), ({ team }) => team))

      const selectMembers = Effect.fnUntraced(function*(id: OrganizationId, more: Statement) {
        const rows = yield* sql`
          SELECT u.id AS user_id, u.first_name, u.last_name, u.email, m.role, m.joined_at,
            (EXTRACT(EPOCH FROM m.joined_at) * 1000000)::bigint::text AS micros
          FROM organization_members m JOIN users u ON u.id = m.user_id WHERE m.organization_id = ${id} ${more}`
        return (yield* Effect.orDie(decodeMembers(rows))).map(({ micros, ...row }) => ({ member: new TeamMember(withEtag(row)), micros, id: row.user_id }))
      })
      const addMember = (id: OrganizationId, user: UserId, role: TeamRole) => sql`
        INSERT INTO organization_members (organization_id, user_id, role) VALUES (${id}, ${user}, ${role})`

      return TeamRepo.of({
        transaction: sql.withTransaction,
        insert: Effect.fn("TeamRepo.insert")((creator, team) =>
          sql.withTransaction(Effect.gen(function*() {
            const id = OrganizationId.make(randomUUID())
            yield* sql`INSERT INTO organizations (id, name, description) VALUES (${id}, ${team.name}, ${yield* sealed(team, id)})`
            yield* addMember(id, creator, "admin")
            return yield* Effect.flatMap(find(creator, id), Option.match({
              onNone: () => Effect.die(new Error("a team vanished within its own transaction")),
              onSome: Effect.succeed
            }))
          }))
        ),
        find: Effect.fn("TeamRepo.find")(find),
        list: Effect.fn("TeamRepo.list")((user, after, limit) => {
          const place = Option.match(after, {
            onNone: () => sql``,
            onSome: ({ id, micros }) =>
              sql`AND (o.created_at, o.id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`
          })
          return select(user, sql`${place} ORDER BY o.created_at DESC, o.id DESC LIMIT ${limit}`)
        }),
        count: Effect.fn("TeamRepo.count")(function*(user) {
          const rows = yield* sql`
            SELECT count(*)::int AS count FROM organization_members m JOIN organizations o ON o.id = m.organization_id
            WHERE m.user_id = ${user} AND o.personal_of IS NULL`
          return (yield* Effect.orDie(decodeCount(rows[0]))).count
        }),
        update: Effect.fn("TeamRepo.update")(function*(id, team) {
          yield* sql`
            UPDATE organizations SET name = ${team.name}, description = ${yield* sealed(team, id)}, updated_at = now() WHERE id = ${id}`
        }),
        remove: Effect.fn("TeamRepo.remove")((id, heir) =>
          sql.withTransaction(Effect.gen(function*() {
            yield* sql`DELETE FROM project_shares WHERE organization_id = ${id}`
            yield* sql`UPDATE projects SET organization_id = ${heir}, updated_at = now() WHERE organization_id = ${id}`
            yield* sql`DELETE FROM organizations WHERE id = ${id} AND personal_of IS NULL`
          }))
        ),
        lock: Effect.fn("TeamRepo.lock")(function*(id, user) {
          yield* sql`SELECT 1 FROM organizations WHERE id = ${id} AND personal_of IS NULL FOR UPDATE`
          const rows = yield* sql`
            SELECT count(*)::int AS members, count(*) FILTER (WHERE m.role = 'admin')::int AS admins,
              max(m.role) FILTER (WHERE m.user_id = ${user}) AS role
            FROM organization_members m JOIN organizations o ON o.id = m.organization_id AND o.personal_of IS NULL
            WHERE m.organization_id = ${id}`
          const { role, ...counts } = yield* Effect.orDie(decodeRoles(rows[0]))
          return { ...counts, role: Option.fromNullOr(role) }
        }),
        members: Effect.fn("TeamRepo.members")((id, after, limit) => {
          const place = Option.match(after, {
            onNone: () => sql``,
            onSome: ({ id, micros }) =>
              sql`AND (m.joined_at, m.user_id) > (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`
          })
          return selectMembers(id, sql`${place} ORDER BY m.joined_at, m.user_id LIMIT ${limit}`)
        }),
        member: Effect.fn("TeamRepo.member")((id, user) =>
          Effect.map(selectMembers(id, sql`AND u.id = ${user}`), ([found]) => Option.map(Option.fromUndefinedOr(found), ({ member }) => member))
        ),
        addMember: Effect.fn("TeamRepo.addMember")((id, user, role) => Effect.asVoid(addMember(id, user, role))),
        setRole: Effect.fn("TeamRepo.setRole")(function*(id, user, role) {
          yield* sql`UPDATE organization_members SET role = ${role} WHERE organization_id = ${id} AND user_id = ${user}`
        }),
        removeMember: Effect.fn("TeamRepo.removeMember")(function*(id, user) {
          yield* sql`
            DELETE FROM default_projects d USING projects p WHERE p.id = d.project_id AND p.organization_id = ${id} AND d.user_id = ${user}`
          yield* sql`DELETE FROM organization_members WHERE organization_id = ${id} AND user_id = ${user}`
        })
      })
    })
  )
}

type Statement = ReturnType<SqlClient.SqlClient["and"]>

const decodeCount = Schema.decodeUnknownEffect(Schema.Struct({ count: Schema.Int }))
const decodeRoles = Schema.decodeUnknownEffect(Schema.Struct({ members: Schema.Int, admins: Schema.Int, role: Schema.NullOr(TeamRole) }))
const decodeTeam = Schema.decodeUnknownEffect(Schema.Struct({
  id: OrganizationId,
  name: Schema.String,
  description: Schema.NullOr(Schema.String),
  role: TeamRole,
  member_count: Schema.Int,
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate,
  micros: Schema.String
}))
const decodeMembers = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  user_id: UserId,
  first_name: Schema.String,
  last_name: Schema.String,
  email: Schema.String,
  role: TeamRole,
  joined_at: Schema.DateTimeUtcFromDate,
  micros: Schema.String
})))
