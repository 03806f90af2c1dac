/**
 * What people do with projects, by REST and RPC alike. A project of an organization that one does not belong to is as absent as
 * none; one of a team is changed by its leads and admins only.
 */
import type { OrganizationId, ProjectId, UserId } from "@englog/domain/Ids"
import type { Project } from "@englog/domain/projects/Project"
import type { ProjectStats } from "@englog/domain/projects/ProjectStats"
import type { Sharing } from "@englog/domain/projects/Sharing"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, Conflict, Forbidden, NotFound, type PreconditionFailed } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import type { ProjectPage, ProjectPayload, ProjectQuery, SharingPayload, StatsQuery } from "@englog/rpc/http/ProjectsApi"
import { Context, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { violatedConstraint } from "../db/Constraints.ts"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { type Seen, unlessStale } from "../http/EntityTag.ts"
import { ProjectRepo, type SeenProject } from "./ProjectRepo.ts"
import { ProjectStatsRepo } from "./ProjectStatsRepo.ts"
import { SharingRepo } from "./SharingRepo.ts"

type Caller = CurrentUser["Service"]

export class Projects extends Context.Service<Projects, {
  readonly create: (caller: Caller, project: ProjectPayload) => Effect.Effect<Project, BadRequest | Forbidden | SqlError>
  readonly list: (caller: Caller, query: ProjectQuery) => Effect.Effect<typeof ProjectPage.Type, BadRequest | SqlError>
  readonly get: (caller: Caller, id: ProjectId) => Effect.Effect<Project, NotFound | SqlError>
  readonly update: (
    caller: Caller,
    id: ProjectId,
    project: ProjectPayload,
    seen: Seen
  ) => Effect.Effect<Project, BadRequest | Conflict | Forbidden | NotFound | PreconditionFailed | SqlError>
  readonly remove: (caller: Caller, id: ProjectId, seen: Seen) => Effect.Effect<void, Forbidden | NotFound | PreconditionFailed | SqlError>
  readonly setArchived: (caller: Caller, id: ProjectId, archived: boolean) => Effect.Effect<Project, Forbidden | NotFound | SqlError>
  readonly makeDefault: (caller: Caller, id: ProjectId, seen: Seen) => Effect.Effect<Project, Conflict | NotFound | PreconditionFailed | SqlError>
  readonly endDefault: (caller: Caller, id: ProjectId, seen: Seen) => Effect.Effect<void, NotFound | PreconditionFailed | SqlError>
  readonly stats: (caller: Caller, id: ProjectId, period: StatsQuery) => Effect.Effect<ProjectStats, NotFound | SqlError>
  readonly sharing: (caller: Caller, id: ProjectId) => Effect.Effect<Sharing, NotFound | SqlError>
  readonly share: (
    caller: Caller,
    id: ProjectId,
    sharing: SharingPayload,
    seen: Seen
  ) => Effect.Effect<Sharing, Conflict | NotFound | PreconditionFailed | SqlError>
  /** Where a new entry goes: to the project it names, to none where it says null, to the default one where it says nothing. */
  readonly ofNewEntry: (user: UserId, named: ProjectId | null | undefined) => Effect.Effect<ProjectId | null, BadRequest | SqlError>
  /** The user sees the project; a project that is archived is fine for what is recorded already. */
  readonly check: (user: UserId, named: ProjectId | null | undefined) => Effect.Effect<void, BadRequest | SqlError>
}>()("@englog/api/projects/Projects") {
  static readonly layer = Layer.effect(
    Projects,
    Effect.gen(function*() {
      const repo = yield* ProjectRepo
      const statistics = yield* ProjectStatsRepo
      const sharing = yield* SharingRepo

      const find = (caller: Caller, id: ProjectId) => Effect.flatMap(repo.find(caller.id, id), orMissing(id))

      /** Those who only see a team's project are told why they may not change it. */
      const steered = Effect.fnUntraced(function*(found: SeenProject) {
        return found.steers ? found : yield* new Forbidden({ error: "only leads and admins of the team may change its projects" })
      })

      /** Locks the project, so that what was checked holds when it is changed. */
      const changing = <A, E>(caller: Caller, id: ProjectId, seen: Seen, change: (found: SeenProject) => Effect.Effect<A, E>) =>
        repo.transaction(Effect.gen(function*() {
          const found = yield* Effect.flatMap(Effect.flatMap(repo.lock(caller.id, id), orMissing(id)), steered)
          yield* unlessStale(seen, found.project, "project")
          return yield* change(found)
        }))

      /** What the caller chooses for themselves about a project, which takes no steering. */
      const choosing = <A, E>(caller: Caller, id: ProjectId, choose: (project: Project) => Effect.Effect<A, E>) =>
        repo.transaction(Effect.gen(function*() {
          yield* repo.lockChoices(caller.id)
          return yield* Effect.flatMap(projectOf(Effect.flatMap(repo.lock(caller.id, id), orMissing(id))), choose)
        }))

      const mayAddTo = Effect.fnUntraced(function*(caller: Caller, team_id: OrganizationId) {
        const steers = yield* repo.steers(caller.id, team_id)
        if (Option.isNone(steers) || team_id === caller.organization_id) return yield* new BadRequest({ error: `team_id: you have no team ${team_id}` })
        if (!steers.value) return yield* new Forbidden({ error: "team_id: only leads and admins of the team may add projects" })
      })

      /** The organization of a project that is replaced. */
      const organizationOf = Effect.fnUntraced(function*(caller: Caller, { project }: SeenProject, team_id: OrganizationId | null | undefined) {
        if (team_id === undefined || team_id === project.team_id) return project.organization_id
        if (project.team_id !== null) return yield* new Conflict({ error: "team_id: a team's project stays the team's" })
        if (team_id === null) return project.organization_id
        yield* mayAddTo(caller, team_id)
        return team_id
      })

      const visible = Effect.fnUntraced(function*(user: UserId, id: ProjectId) {
        const found = yield* repo.find(user, id)
        return Option.isSome(found) ? found.value.project : yield* noProject(id)
      })

      return Projects.of({
        create: Effect.fn("Projects.create")(function*(caller, project) {
          if (project.team_id !== undefined && project.team_id !== null) yield* mayAddTo(caller, project.team_id)
          return (yield* repo.insert(caller.id, project.team_id ?? caller.organization_id, project)).project
        }),
        list: Effect.fn("Projects.list")(function*(caller, { archived = "false", cursor, limit = defaultPageSize, status, team_id }) {
          const filter = {
            status: Option.fromUndefinedOr(status),
            archived: archived === "all" ? Option.none() : Option.some(archived === "true"),
            organization_id: Option.fromUndefinedOr(team_id),
            after: cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          }
          const { next_cursor, rows } = toPage(yield* repo.list(caller.id, filter, limit + 1), limit)
          return { items: rows.map(({ project }) => project), next_cursor }
        }),
        get: Effect.fn("Projects.get")((caller, id) => projectOf(find(caller, id))),
        update: Effect.fn("Projects.update")((caller, id, project, seen) =>
          changing(caller, id, seen, (found) =>
            Effect.gen(function*() {
              const organization = yield* organizationOf(caller, found, project.team_id)
              return yield* projectOf(Effect.flatMap(repo.update(caller.id, id, organization, project), orMissing(id)))
            }))
        ),
        remove: Effect.fn("Projects.remove")((caller, id, seen) => changing(caller, id, seen, () => repo.remove(id))),
        setArchived: Effect.fn("Projects.setArchived")(function*(caller, id, archived) {
          yield* Effect.flatMap(find(caller, id), steered)
          return yield* projectOf(Effect.flatMap(repo.setArchived(caller.id, id, archived), orMissing(id)))
        }),
        makeDefault: Effect.fn("Projects.makeDefault")((caller, id, seen) =>
          choosing(caller, id, (found) =>
            Effect.gen(function*() {
              yield* unlessStale(seen, found, "project")
              const project = yield* projectOf(Effect.flatMap(repo.makeDefault(caller.id, id), orMissing(id)))
              return project.is_default ? project : yield* new Conflict({ error: "this project is archived; take it out of the archive first" })
            }))
        ),
        endDefault: Effect.fn("Projects.endDefault")((caller, id, seen) =>
          choosing(caller, id, (found) => Effect.andThen(unlessStale(seen, found, "project"), repo.endDefault(caller.id, id)))
        ),
        stats: Effect.fn("Projects.stats")(function*(caller, id, period) {
          yield* find(caller, id)
          return yield* statistics.compute(caller.id, id, period)
        }),
        sharing: Effect.fn("Projects.sharing")(function*(caller, id) {
          yield* find(caller, id)
          return yield* sharing.find(caller.id, id)
        }),
        share: Effect.fn("Projects.share")((caller, id, wanted, seen) =>
          choosing(caller, id, () =>
            Effect.gen(function*() {
              yield* unlessStale(seen, yield* sharing.find(caller.id, id), "sharing")
              if (!(yield* sharing.set(caller.id, id, wanted))) return yield* new Conflict({ error: "this is no team's project: there is nobody to share it with" })
              return yield* sharing.find(caller.id, id)
            }))
        ),
        ofNewEntry: Effect.fn("Projects.ofNewEntry")(function*(user, named) {
          if (named === undefined) return Option.getOrNull(yield* repo.findDefault(user))
          if (named === null) return null
          const project = yield* visible(user, named)
          return project.archived_at === null
            ? named
            : yield* new BadRequest({ error: `project_id: "${project.name}" is archived and takes no new entries` })
        }),
        check: Effect.fn("Projects.check")(function*(user, named) {
          if (named !== undefined && named !== null) yield* visible(user, named)
        })
      })
    })
  ).pipe(Layer.provide([ProjectStatsRepo.layer, SharingRepo.layer]))
}

/** Whether an entry was not written because somebody removed its project meanwhile. */
export const isForLackOfProject = (error: unknown): boolean => violatedConstraint(error) === "log_entries_project_id_fkey"

export const noProject = (id: ProjectId | null | undefined) => new BadRequest({ error: `project_id: you have no project ${id}` })

const orMissing = (id: ProjectId) => (found: Option.Option<SeenProject>): Effect.Effect<SeenProject, NotFound> =>
  Option.match(found, { onNone: () => new NotFound({ error: `you have no project ${id}` }), onSome: Effect.succeed })

const projectOf = Effect.map(({ project }: SeenProject) => project)
