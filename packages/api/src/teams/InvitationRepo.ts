/**
 * Invitations in PostgreSQL: the address encrypted and found by a keyed digest, the token as a hash. One that has expired is as
 * absent as none. Every method joins a transaction that is open.
 */
import { InvitationId, OrganizationId, UserId } from "@englog/domain/Ids"
import { TeamInvitation, TeamRole } from "@englog/domain/teams/Team"
import { Context, Duration, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"

export interface ToInvite {
  readonly id: InvitationId
  readonly team_id: OrganizationId
  /** Normalized. */
  readonly email: string
  readonly role: TeamRole
  readonly invited_by: UserId
  readonly token_hash: Uint8Array
}

export interface ListedInvitation extends Cursor {
  readonly invitation: TeamInvitation
}

export class InvitationRepo extends Context.Service<InvitationRepo, {
  /** In place of an earlier one for the same address; good for `life`. */
  readonly insert: (invitation: ToInvite, life: Duration.Duration) => Effect.Effect<TeamInvitation, SqlError>
  /** Newest first, at most `limit`. */
  readonly list: (team: OrganizationId, after: Option.Option<Cursor>, limit: number) => Effect.Effect<ReadonlyArray<ListedInvitation>, SqlError>
  readonly count: (team: OrganizationId) => Effect.Effect<number, SqlError>
  readonly findByToken: (token_hash: Uint8Array) => Effect.Effect<Option.Option<TeamInvitation>, SqlError>
  /** False where there is none any more: of two who try, one succeeds. */
  readonly remove: (team: OrganizationId, id: InvitationId) => Effect.Effect<boolean, SqlError>
  readonly isMember: (team: OrganizationId, email: string) => Effect.Effect<boolean, SqlError>
  readonly emailOf: (user: UserId) => Effect.Effect<Option.Option<string>, SqlError>
  /** Of a user, for others to see. */
  readonly nameOf: (user: UserId) => Effect.Effect<string, SqlError>
  /** Answers how many. */
  readonly removeExpired: Effect.Effect<number, SqlError>
}>()("@englog/api/teams/InvitationRepo") {
  static readonly layer: Layer.Layer<InvitationRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    InvitationRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const digests = (email: string) => cipher.digests(new TextEncoder().encode(email), "team_invitations.email_digest")

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const { micros, ...row } = yield* decodeRow(raw)
        const email = yield* cipher.decrypt(row.email, EncryptedColumn.invitationEmail, row.id)
        return { invitation: new TeamInvitation({ ...row, email }), micros, id: row.id }
      }, Effect.orDie)
      const columns = sql.literal(`id, organization_id AS team_id, email, role, invited_by, created_at, expires_at,
        (EXTRACT(EPOCH FROM created_at) * 1000000)::bigint::text AS micros`)

      return InvitationRepo.of({
        insert: Effect.fn("InvitationRepo.insert")(({ email, id, invited_by, role, team_id, token_hash }, life) =>
          sql.withTransaction(Effect.gen(function*() {
            const known = digests(email)
            yield* sql`DELETE FROM team_invitations WHERE organization_id = ${team_id} AND email_digest IN ${sql.in(known)}`
            const rows = yield* sql`
              INSERT INTO team_invitations (id, organization_id, email, email_digest, role, token_hash, invited_by, expires_at)
              VALUES (${id}, ${team_id}, ${yield* cipher.encrypt(email, EncryptedColumn.invitationEmail, id)}, ${known[0]}::bytea, ${role},
                ${token_hash}::bytea, ${invited_by}, now() + ${Duration.toMillis(life)}::int * interval '1 millisecond')
              RETURNING ${columns}`
            return (yield* fromRow(rows[0])).invitation
          }))
        ),
        list: Effect.fn("InvitationRepo.list")(function*(team, after, limit) {
          const place = Option.match(after, {
            onNone: () => sql``,
            onSome: ({ id, micros }) =>
              sql`AND (created_at, id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`
          })
          const rows = yield* sql`
            SELECT ${columns} FROM team_invitations WHERE organization_id = ${team} AND expires_at > now() ${place}
            ORDER BY created_at DESC, id DESC LIMIT ${limit}`
          return yield* Effect.forEach(rows, fromRow)
        }),
        count: Effect.fn("InvitationRepo.count")(function*(team) {
          const rows = yield* sql`SELECT count(*)::int AS count FROM team_invitations WHERE organization_id = ${team} AND expires_at > now()`
          return (yield* Effect.orDie(decodeCount(rows[0]))).count
        }),
        findByToken: Effect.fn("InvitationRepo.findByToken")(function*(token_hash) {
          const rows = yield* sql`SELECT ${columns} FROM team_invitations WHERE token_hash = ${token_hash}::bytea AND expires_at > now()`
          return rows[0] === undefined ? Option.none() : Option.some((yield* fromRow(rows[0])).invitation)
        }),
        remove: Effect.fn("InvitationRepo.remove")((team, id) =>
          Effect.map(
            sql`DELETE FROM team_invitations WHERE organization_id = ${team} AND id = ${id} AND expires_at > now() RETURNING id`,
            (rows) => rows.length > 0
          )
        ),
        isMember: Effect.fn("InvitationRepo.isMember")((team, email) =>
          Effect.map(
            sql`
              SELECT 1 FROM organization_members m JOIN users u ON u.id = m.user_id
              WHERE m.organization_id = ${team} AND lower(u.email) = ${email}`,
            (rows) => rows.length > 0
          )
        ),
        emailOf: Effect.fn("InvitationRepo.emailOf")(function*(user) {
          const rows = yield* sql`SELECT lower(email) AS email FROM users WHERE id = ${user}`
          return rows[0] === undefined ? Option.none() : Option.some((yield* Effect.orDie(decodeEmail(rows[0]))).email)
        }),
        nameOf: Effect.fn("InvitationRepo.nameOf")(function*(user) {
          const rows = yield* sql`SELECT first_name || ' ' || last_name AS name FROM users WHERE id = ${user}`
          return rows[0] === undefined ? "" : (yield* Effect.orDie(decodeName(rows[0]))).name
        }),
        removeExpired: Effect.map(
          sql`DELETE FROM team_invitations WHERE expires_at <= now() RETURNING id`,
          (rows) => rows.length
        ).pipe(Effect.withSpan("InvitationRepo.removeExpired"))
      })
    })
  )
}

const decodeCount = Schema.decodeUnknownEffect(Schema.Struct({ count: Schema.Int }))
const decodeName = Schema.decodeUnknownEffect(Schema.Struct({ name: Schema.String }))
const decodeEmail = Schema.decodeUnknownEffect(Schema.Struct({ email: Schema.String }))
const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  id: InvitationId,
  team_id: OrganizationId,
  email: Schema.String,
  role: TeamRole,
  invited_by: Schema.NullOr(UserId),
  created_at: Schema.DateTimeUtcFromDate,
  expires_at: Schema.DateTimeUtcFromDate,
  micros: Schema.String
}))
