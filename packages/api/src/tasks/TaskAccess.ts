/** Who may see and start tasks of which organization. A task of an organization that the caller is no member of does not exist for them. */
import type { OrganizationId, TaskId } from "@englog/domain/Ids"
import type { Task } from "@englog/domain/tasks/Task"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { Forbidden, NotFound } from "@englog/rpc/http/HttpErrors"
import { Context, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { TaskRepo } from "../queue/TaskRepo.ts"
import { MembershipRepo } from "./MembershipRepo.ts"

type Caller = CurrentUser["Service"]

export class TaskAccess extends Context.Service<TaskAccess, {
  readonly find: (caller: Caller, id: TaskId) => Effect.Effect<Task, NotFound | SqlError>
  /** The organization that was named, where the caller belongs to it; their own where none was. */
  readonly organization: (caller: Caller, named: OrganizationId | undefined) => Effect.Effect<OrganizationId, Forbidden | SqlError>
  /** Likewise, where the caller also administers it: as an admin of the team, or because it is their own. */
  readonly administered: (caller: Caller, named: OrganizationId | undefined) => Effect.Effect<OrganizationId, Forbidden | SqlError>
}>()("@englog/api/tasks/TaskAccess") {
  static readonly layer = Layer.effect(
    TaskAccess,
    Effect.gen(function*() {
      const tasks = yield* TaskRepo
      const members = yield* MembershipRepo

      const belongs = (caller: Caller, organization_id: OrganizationId) =>
        caller.organization_id === organization_id ? Effect.succeed(true) : members.isMember(caller.id, organization_id)

      const organization = Effect.fn("TaskAccess.organization")(function*(caller: Caller, named: OrganizationId | undefined) {
        if (named === undefined || (yield* belongs(caller, named))) return named ?? caller.organization_id
        return yield* new Forbidden({ error: "organization_id: you are not a member of it" })
      })

      return TaskAccess.of({
        organization,
        administered: Effect.fn("TaskAccess.administered")(function*(caller, named) {
          const id = yield* organization(caller, named)
          if (id === caller.organization_id || (yield* members.isAdmin(caller.id, id))) return id
          return yield* new Forbidden({ error: "organization_id: only an admin of the team may do this" })
        }),
        find: Effect.fn("TaskAccess.find")(function*(caller, id) {
          const task = yield* tasks.find(id)
          if (Option.isSome(task) && (yield* belongs(caller, task.value.organization_id))) return task.value
          return yield* new NotFound({ error: `there is no task ${id}` })
        })
      })
    })
  ).pipe(Layer.provide(MembershipRepo.layer))
}
