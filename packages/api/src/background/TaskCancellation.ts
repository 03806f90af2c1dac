/** The end of many open tasks at once, chosen by what they are. */
import { firstNumberAt } from "@englog/domain/tasks/TaskNumber"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { type CancelFilter, CancelledCounts, MAX_CANCELS } from "@englog/rpc/http/DeadLetterView"
import type { Forbidden, NotFound } from "@englog/rpc/http/HttpErrors"
import { Clock, Context, Effect, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { type OpenTaskFilter, OpenTaskRepo } from "../queue/OpenTaskRepo.ts"
import { TaskOutcomes } from "../queue/TaskOutcomes.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { KnownKinds } from "./KnownKinds.ts"

export class TaskCancellation extends Context.Service<TaskCancellation, {
  /** Of one organization, those that were submitted before the request, the oldest first. */
  readonly cancelAll: (caller: CurrentUser["Service"], filter: CancelFilter) => Effect.Effect<typeof CancelledCounts.Type, Forbidden | NotFound | SqlError>
}>()("@englog/api/background/TaskCancellation") {
  static readonly layer = Layer.effect(
    TaskCancellation,
    Effect.gen(function*() {
      const access = yield* TaskAccess
      const kinds = yield* KnownKinds
      const open = yield* OpenTaskRepo
      const outcomes = yield* TaskOutcomes

      return TaskCancellation.of({
        cancelAll: Effect.fn("TaskCancellation.cancelAll")(function*(caller, { name, organization_id, queue, state, task_type }) {
          const filter: OpenTaskFilter = {
            organization_id: yield* access.organization(caller, organization_id),
            ...(task_type === undefined ? {} : { kind: yield* kinds.named(task_type) }),
            ...(queue === undefined ? {} : { queue }),
            ...(state === undefined ? {} : { state: state === "pending" ? "queued" as const : state }),
            ...(name === undefined ? {} : { name })
          }
          const now = firstNumberAt((yield* Clock.currentTimeMillis) + 1)
          const counts = { cancelled: 0, requested: 0, already_ended: 0 }
          let after: string | null = "-1"
          let asked = 0
          while (after !== null && asked < MAX_CANCELS) {
            const page: { readonly task_ids: ReadonlyArray<CancelledTask>; readonly next: string | null } = yield* open.find(filter, after, now, PAGE)
            const answers = yield* Effect.forEach(page.task_ids, (task_id) => outcomes.cancel(task_id, "cancelled by its owner"), { concurrency: 4 })
            for (const answer of answers) counts[answer === "not_found" ? "already_ended" : answer]++
            asked += page.task_ids.length
            after = page.next
          }
          return { ...counts, more: after !== null }
        })
      })
    })
  ).pipe(Layer.provide(OpenTaskRepo.layer))
}

type CancelledTask = Parameters<TaskOutcomes["Service"]["cancel"]>[0]

const PAGE = 500
