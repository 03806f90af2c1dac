/**
 * What people do with teams, by REST and RPC alike. A team that one does not belong to is as absent as none; only its admins
 * change it and its members, and there is always one.
 */
import type { OrganizationId, UserId } from "@englog/domain/Ids"
import type { Team, TeamMember, TeamRole, TeamStats } from "@englog/domain/teams/Team"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { type BadRequest, Conflict, Forbidden, NotFound, type PreconditionFailed } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import {
  MAX_TEAMS, type SharedEntryPage, type TeamEntriesQuery, type TeamMemberPage, type TeamPage, type TeamPayload, type TeamsQuery, type TeamStatsQuery
} from "@englog/rpc/http/TeamsApi"
import { Context, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { type Seen, unlessStale } from "../http/EntityTag.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { type Roles, TeamRepo } from "./TeamRepo.ts"
import { TeamViewRepo } from "./TeamViewRepo.ts"

type Caller = CurrentUser["Service"]

export class Teams extends Context.Service<Teams, {
  readonly create: (caller: Caller, team: TeamPayload) => Effect.Effect<Team, Conflict | SqlError>
  readonly list: (caller: Caller, page: TeamsQuery) => Effect.Effect<typeof TeamPage.Type, BadRequest | SqlError>
  readonly get: (caller: Caller, id: OrganizationId) => Effect.Effect<Team, NotFound | SqlError>
  readonly update: (
    caller: Caller,
    id: OrganizationId,
    team: TeamPayload,
    seen: Seen
  ) => Effect.Effect<Team, Forbidden | NotFound | PreconditionFailed | SqlError>
  readonly remove: (
    caller: Caller,
    id: OrganizationId,
    seen: Seen
  ) => Effect.Effect<void, Conflict | Forbidden | NotFound | PreconditionFailed | SqlError>
  readonly members: (caller: Caller, id: OrganizationId, page: TeamsQuery) => Effect.Effect<typeof TeamMemberPage.Type, BadRequest | NotFound | SqlError>
  readonly member: (caller: Caller, id: OrganizationId, user: UserId) => Effect.Effect<TeamMember, NotFound | SqlError>
  readonly setRole: (
    caller: Caller,
    id: OrganizationId,
    user: UserId,
    role: TeamRole,
    seen: Seen
  ) => Effect.Effect<TeamMember, Conflict | Forbidden | NotFound | PreconditionFailed | SqlError>
  /** Leaving, where it is the caller. */
  readonly removeMember: (
    caller: Caller,
    id: OrganizationId,
    user: UserId,
    seen: Seen
  ) => Effect.Effect<void, Conflict | Forbidden | NotFound | PreconditionFailed | SqlError>
  readonly entries: (
    caller: Caller,
    id: OrganizationId,
    query: TeamEntriesQuery
  ) => Effect.Effect<typeof SharedEntryPage.Type, BadRequest | NotFound | SqlError>
  readonly stats: (caller: Caller, id: OrganizationId, query: TeamStatsQuery) => Effect.Effect<TeamStats, NotFound | SqlError>
  /** The team, where the caller is its admin. */
  readonly administered: (caller: Caller, id: OrganizationId) => Effect.Effect<Team, Forbidden | NotFound | SqlError>
}>()("@englog/api/teams/Teams") {
  static readonly layer = Layer.effect(
    Teams,
    Effect.gen(function*() {
      const repo = yield* TeamRepo
      const view = yield* TeamViewRepo
      const { record } = yield* SecurityEvents

      const find = (caller: Caller, id: OrganizationId) =>
        Effect.flatMap(repo.find(caller.id, id), Option.match({ onNone: () => Effect.fail(noTeam(id)), onSome: Effect.succeed }))

      const administered = Effect.fn("Teams.administered")(function*(caller: Caller, id: OrganizationId) {
        const team = yield* find(caller, id)
        return team.role === "admin" ? team : yield* new Forbidden({ error: "only an admin of the team may do this" })
      })

      const memberOf = (id: OrganizationId, user: UserId) =>
        Effect.flatMap(repo.member(id, user), Option.match({ onNone: () => Effect.fail(noMember(user)), onSome: Effect.succeed }))

      /** Locks the team, so that what was checked holds when it is changed. */
      const changing = <A, E>(caller: Caller, id: OrganizationId, user: UserId, change: (roles: Roles) => Effect.Effect<A, E>) =>
        repo.transaction(Effect.gen(function*() {
          const roles = yield* repo.lock(id, user)
          if (user !== caller.id) yield* administered(caller, id)
          return yield* change(roles)
        }))

      return Teams.of({
        administered,
        create: Effect.fn("Teams.create")(function*(caller, team) {
          yield* roomFor(repo, caller.id)
          const created = yield* repo.insert(caller.id, team)
          yield* record({ event: "team_created", user_id: caller.id, detail: { team_id: created.id } })
          return created
        }),
        list: Effect.fn("Teams.list")(function*(caller, { cursor, limit = defaultPageSize }) {
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* repo.list(caller.id, after, limit + 1), limit)
          return { items: rows.map(({ team }) => team), next_cursor }
        }),
        get: Effect.fn("Teams.get")(find),
        update: Effect.fn("Teams.update")((caller, id, team, seen) =>
          changing(caller, id, caller.id, () =>
            Effect.gen(function*() {
              yield* unlessStale(seen, yield* administered(caller, id), "team")
              yield* repo.update(id, team)
              return yield* find(caller, id)
            }))
        ),
        remove: Effect.fn("Teams.remove")((caller, id, seen) =>
          changing(caller, id, caller.id, ({ members }) =>
            Effect.gen(function*() {
              yield* unlessStale(seen, yield* administered(caller, id), "team")
              if (members > 1) return yield* new Conflict({ error: "the team has other members; remove them first" })
              yield* repo.remove(id, caller.organization_id)
            })).pipe(Effect.tap(record({ event: "team_deleted", user_id: caller.id, detail: { team_id: id } })))
        ),
        members: Effect.fn("Teams.members")(function*(caller, id, { cursor, limit = defaultPageSize }) {
          yield* find(caller, id)
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* repo.members(id, after, limit + 1), limit)
          return { items: rows.map(({ member }) => member), next_cursor }
        }),
        member: Effect.fn("Teams.member")((caller, id, user) => Effect.andThen(find(caller, id), memberOf(id, user))),
        setRole: Effect.fn("Teams.setRole")((caller, id, user, role, seen) =>
          changing(caller, id, user, (roles) =>
            Effect.gen(function*() {
              yield* administered(caller, id)
              yield* unlessStale(seen, yield* memberOf(id, user), "member")
              if (role !== "admin") yield* anAdminStays(roles)
              yield* repo.setRole(id, user, role)
              return yield* memberOf(id, user)
            })).pipe(
              Effect.tap(record({ event: "team_role_changed", user_id: caller.id, detail: { team_id: id, member_id: user, role } }))
            )
        ),
        removeMember: Effect.fn("Teams.removeMember")((caller, id, user, seen) =>
          changing(caller, id, user, (roles) =>
            Effect.gen(function*() {
              yield* find(caller, id)
              yield* unlessStale(seen, yield* memberOf(id, user), "member")
              yield* anAdminStays(roles)
              yield* repo.removeMember(id, user)
            })).pipe(
              Effect.tap(record({ event: "team_member_removed", user_id: caller.id, detail: { team_id: id, member_id: user } }))
            )
        ),
        entries: Effect.fn("Teams.entries")(function*(caller, id, { cursor, limit = defaultPageSize, ...filter }) {
          yield* find(caller, id)
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* view.entries(id, filter, after, limit + 1), limit)
          return { items: rows.map(({ entry }) => entry), next_cursor }
        }),
        stats: Effect.fn("Teams.stats")(function*(caller, id, filter) {
          yield* find(caller, id)
          return yield* view.stats(id, filter)
        })
      })
    })
  ).pipe(Layer.provide(TeamViewRepo.layer))
}

/** Refuses one team too many. */
export const roomFor = Effect.fnUntraced(function*(repo: TeamRepo["Service"], user: UserId) {
  if ((yield* repo.count(user)) >= MAX_TEAMS) return yield* new Conflict({ error: `you belong to ${MAX_TEAMS} teams already; leave one first`, code: "limit_reached" })
})

const anAdminStays = Effect.fnUntraced(function*({ admins, members, role }: Roles) {
  if (admins > 1 || !Option.contains(role, "admin")) return
  return yield* new Conflict({
    error: members > 1 ? "this is the team's last admin; make somebody else an admin first" : "this is the team's last member; delete the team instead"
  })
})

const noTeam = (id: OrganizationId) => new NotFound({ error: `you have no team ${id}` })
const noMember = (id: UserId) => new NotFound({ error: `the team has no member ${id}` })
