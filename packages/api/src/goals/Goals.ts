/** What people do with their goals, by REST and RPC alike. Somebody else's goal is as absent as none. */
import type { Goal } from "@englog/domain/goals/Goal"
import type { GoalId } from "@englog/domain/Ids"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { type GoalHistory, type GoalPage, type GoalPayload, type GoalQuery, MAX_GOALS } from "@englog/rpc/http/GoalsApi"
import { BadRequest, Conflict, NotFound, type PreconditionFailed } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { type Seen, unlessStale } from "../http/EntityTag.ts"
import { fieldProblems } from "../http/errors/RequestProblems.ts"
import { ProjectRepo } from "../projects/ProjectRepo.ts"
import { GoalProgress } from "./GoalProgress.ts"
import { GoalRepo, type StoredGoal } from "./GoalRepo.ts"

type Caller = CurrentUser["Service"]

export class Goals extends Context.Service<Goals, {
  readonly create: (caller: Caller, goal: GoalPayload) => Effect.Effect<Goal, BadRequest | Conflict | SqlError>
  readonly list: (caller: Caller, query: GoalQuery) => Effect.Effect<typeof GoalPage.Type, BadRequest | SqlError>
  readonly get: (caller: Caller, id: GoalId) => Effect.Effect<Goal, NotFound | SqlError>
  readonly update: (
    caller: Caller,
    id: GoalId,
    goal: GoalPayload,
    seen: Seen
  ) => Effect.Effect<Goal, BadRequest | NotFound | PreconditionFailed | SqlError>
  readonly remove: (caller: Caller, id: GoalId, seen: Seen) => Effect.Effect<void, NotFound | PreconditionFailed | SqlError>
  readonly history: (caller: Caller, id: GoalId) => Effect.Effect<GoalHistory, NotFound | SqlError>
}>()("@englog/api/goals/Goals") {
  static readonly layer = Layer.effect(
    Goals,
    Effect.gen(function*() {
      const repo = yield* GoalRepo
      const progress = yield* GoalProgress
      const projects = yield* ProjectRepo

      const find = (caller: Caller, id: GoalId) => Effect.flatMap(repo.find(caller.id, id), orMissing(id))

      const told = Effect.fnUntraced(function*(caller: Caller, goal: StoredGoal) {
        const [one] = yield* progress.of(caller, [goal])
        return one ?? (yield* Effect.die(new Error("a goal has no progress")))
      })

      /** Locks the goal, so that what was checked holds when it is changed. */
      const changing = <A, E>(caller: Caller, id: GoalId, seen: Seen, change: (stored: StoredGoal) => Effect.Effect<A, E>) =>
        repo.transaction(Effect.gen(function*() {
          const stored = yield* Effect.flatMap(repo.lock(caller.id, id), orMissing(id))
          if (Option.isSome(seen)) yield* unlessStale(seen, yield* told(caller, stored), "goal")
          return yield* change(stored)
        }))

      /** Projects that were linked already may be those of a team that the caller has left. */
      const checkProjects = Effect.fnUntraced(function*(caller: Caller, { project_ids }: GoalPayload, linked: StoredGoal["project_ids"]) {
        const problems = yield* Effect.forEach(project_ids ?? [], (id, index) =>
          linked?.includes(id) === true ? Effect.succeed([]) : Effect.map(repoFinds(caller, id), (found) => found ? [] : [{ field: `project_ids[${index}]`, reason: `you have no project ${id}` }]))
        if (problems.flat().length > 0) return yield* new BadRequest(fieldProblems(problems.flat()))
      })
      const repoFinds = (caller: Caller, id: NonNullable<StoredGoal["project_ids"]>[number]) => Effect.map(projects.find(caller.id, id), Option.isSome)

      return Goals.of({
        create: Effect.fn("Goals.create")(function*(caller, goal) {
          yield* checkProjects(caller, goal, null)
          if ((yield* repo.count(caller.id)) >= MAX_GOALS) return yield* new Conflict({ error: `you have ${MAX_GOALS} goals already; delete one first`, code: "limit_reached" })
          return yield* told(caller, yield* repo.insert(caller.id, goal))
        }),
        list: Effect.fn("Goals.list")(function*(caller, { active_on, cursor, limit = defaultPageSize, project_id }) {
          const filter = {
            overlapping: Option.map(Option.fromUndefinedOr(active_on), (day) => ({ first: day, last: day })),
            project_id: Option.fromUndefinedOr(project_id),
            after: cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          }
          const { next_cursor, rows } = toPage(yield* repo.list(caller.id, filter, limit + 1), limit)
          return { items: yield* progress.of(caller, rows), next_cursor }
        }),
        get: Effect.fn("Goals.get")(function*(caller, id) {
          return yield* told(caller, yield* find(caller, id))
        }),
        update: Effect.fn("Goals.update")((caller, id, goal, seen) =>
          changing(caller, id, seen, (stored) =>
            Effect.gen(function*() {
              yield* checkProjects(caller, goal, stored.project_ids)
              return yield* told(caller, yield* Effect.flatMap(repo.update(caller.id, id, goal), orMissing(id)))
            }))
        ),
        remove: Effect.fn("Goals.remove")((caller, id, seen) => changing(caller, id, seen, () => repo.remove(caller.id, id))),
        history: Effect.fn("Goals.history")(function*(caller, id) {
          return { goal_id: id, weeks: yield* progress.history(caller, yield* find(caller, id)) }
        })
      })
    })
  )
}

const orMissing = (id: GoalId) => (found: Option.Option<StoredGoal>): Effect.Effect<StoredGoal, NotFound> =>
  Option.match(found, { onNone: () => new NotFound({ error: `you have no goal ${id}` }), onSome: Effect.succeed })
