/**
 * How people come to a team: an admin invites an e-mail address, and whoever has the token and an account with that address joins.
 * The token is told once and stored as a hash.
 */
import { InvitationId, type OrganizationId } from "@englog/domain/Ids"
import type { Team, TeamInvitation } from "@englog/domain/teams/Team"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { type BadRequest, Conflict, Forbidden, NotFound } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import {
  type InvitationPayload, MAX_INVITATIONS, MAX_MEMBERS, NewInvitation, type TeamInvitationPage, type TeamsQuery
} from "@englog/rpc/http/TeamsApi"
import { Context, Duration, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { randomBytes, randomUUID } from "node:crypto"
import { hashOf } from "../crypto/SecretHash.ts"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { Mails } from "../mail/Mails.ts"
import { InvitationRepo } from "./InvitationRepo.ts"
import { TeamRepo } from "./TeamRepo.ts"
import { roomFor, Teams } from "./Teams.ts"

type Caller = CurrentUser["Service"]

export const invitationLife = Duration.days(7)

export class Invitations extends Context.Service<Invitations, {
  readonly create: (
    caller: Caller,
    team: OrganizationId,
    invitation: InvitationPayload
  ) => Effect.Effect<NewInvitation, Conflict | Forbidden | NotFound | SqlError>
  readonly list: (
    caller: Caller,
    team: OrganizationId,
    page: TeamsQuery
  ) => Effect.Effect<typeof TeamInvitationPage.Type, BadRequest | Forbidden | NotFound | SqlError>
  readonly withdraw: (caller: Caller, team: OrganizationId, id: InvitationId) => Effect.Effect<void, Forbidden | NotFound | SqlError>
  readonly accept: (caller: Caller, token: string) => Effect.Effect<Team, Conflict | Forbidden | NotFound | SqlError>
  readonly decline: (caller: Caller, token: string) => Effect.Effect<void, Forbidden | NotFound | SqlError>
}>()("@englog/api/teams/Invitations") {
  static readonly layer = Layer.effect(
    Invitations,
    Effect.gen(function*() {
      const repo = yield* InvitationRepo
      const teams = yield* TeamRepo
      const mails = yield* Mails
      const { administered } = yield* Teams
      const { record } = yield* SecurityEvents

      /** The invitation of the token, where it is meant for the caller. */
      const meant = Effect.fnUntraced(function*(caller: Caller, token: string) {
        const found = yield* repo.findByToken(hashOf(token))
        if (Option.isNone(found)) return yield* gone
        const email = yield* repo.emailOf(caller.id)
        return Option.contains(email, found.value.email)
          ? found.value
          : yield* new Forbidden({ error: "this invitation is for another e-mail address than that of your account" })
      })

      const join = Effect.fnUntraced(function*(caller: Caller, { id, role, team_id }: TeamInvitation) {
        const roles = yield* teams.lock(team_id, caller.id)
        if (!(yield* repo.remove(team_id, id))) return yield* gone
        if (Option.isNone(roles.role)) {
          if (roles.members >= MAX_MEMBERS) return yield* new Conflict({ error: `the team has ${MAX_MEMBERS} members already`, code: "limit_reached" })
          yield* roomFor(teams, caller.id)
          yield* teams.addMember(team_id, caller.id, role)
        }
        const team = yield* teams.find(caller.id, team_id)
        return Option.isSome(team) ? team.value : yield* gone
      })

      /** To the invited address, in the name of whoever invites. */
      const letter = Effect.fnUntraced(function*(caller: Caller, { email, expires_at, role, team_id }: TeamInvitation, token: string) {
        const team = yield* teams.find(caller.id, team_id)
        const inviter = yield* repo.nameOf(caller.id)
        yield* mails.post({ user_id: caller.id, organization_id: caller.organization_id }, email, {
          template: "team_invitation",
          team: Option.match(team, { onNone: () => "", onSome: ({ name }) => name }),
          inviter,
          role,
          token,
          expires_at,
          url: mails.url
        })
      })

      return Invitations.of({
        create: Effect.fn("Invitations.create")((caller, team_id, { email, role }) =>
          teams.transaction(Effect.gen(function*() {
            yield* teams.lock(team_id, caller.id)
            yield* administered(caller, team_id)
            if (yield* repo.isMember(team_id, email)) return yield* new Conflict({ error: "email: somebody with this address is a member already" })
            if ((yield* repo.count(team_id)) >= MAX_INVITATIONS) {
              return yield* new Conflict({ error: `the team has ${MAX_INVITATIONS} open invitations already; withdraw one first`, code: "limit_reached" })
            }
            const token = randomBytes(32).toString("base64url")
            const id = InvitationId.make(randomUUID())
            const invitation = yield* repo.insert({ id, team_id, email, role, invited_by: caller.id, token_hash: hashOf(token) }, invitationLife)
            yield* letter(caller, invitation, token)
            return new NewInvitation({ ...invitation, token, accept_path: "/v1/invitations/accept" })
          })).pipe(Effect.tap(record({ event: "team_invited", user_id: caller.id, detail: { team_id, role } })))
        ),
        list: Effect.fn("Invitations.list")(function*(caller, team, { cursor, limit = defaultPageSize }) {
          yield* administered(caller, team)
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* repo.list(team, after, limit + 1), limit)
          return { items: rows.map(({ invitation }) => invitation), next_cursor }
        }),
        withdraw: Effect.fn("Invitations.withdraw")(function*(caller, team, id) {
          yield* administered(caller, team)
          if (!(yield* repo.remove(team, id))) return yield* new NotFound({ error: `the team has no open invitation ${id}` })
        }),
        accept: Effect.fn("Invitations.accept")(function*(caller, token) {
          const invitation = yield* meant(caller, token)
          const team = yield* teams.transaction(join(caller, invitation))
          yield* record({ event: "team_joined", user_id: caller.id, detail: { team_id: team.id, role: team.role } })
          return team
        }),
        decline: Effect.fn("Invitations.decline")(function*(caller, token) {
          const { id, team_id } = yield* meant(caller, token)
          if (!(yield* repo.remove(team_id, id))) return yield* gone
        })
      })
    })
  )
}

const gone = new NotFound({ error: "token: there is no such invitation, or it was used, withdrawn or has expired" })
