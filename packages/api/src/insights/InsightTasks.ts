/**
 * Asking for insights and reports: who may ask about whose entries, and what becomes a task.
 */
import { type CurrentUser } from "@englog/rpc/http/Authorization"
import { Forbidden, NotFound, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import type { InsightTaskRequest, ReportTaskRequest, ReportType } from "@englog/rpc/http/TaskView"
import { type OrganizationId, type TaskId, type UserId } from "@englog/domain/Ids"
import { InsightGeneration } from "@englog/domain/tasks/InsightGeneration"
import { WeeklyReport } from "@englog/domain/tasks/WeeklyReport"
import { countDays } from "@englog/domain/users/LocalDays"
import { Context, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { UserRepo } from "../auth/UserRepo.ts"
import { EntryRepo } from "../entries/EntryRepo.ts"
import { orTooMany } from "../tasks/SubmissionProblem.ts"
import { type Submission, TaskQueue } from "../queue/TaskQueue.ts"

type Caller = CurrentUser["Service"]

export class InsightTasks extends Context.Service<InsightTasks, {
  readonly requestInsight: (caller: Caller, request: InsightTaskRequest) => Effect.Effect<TaskId, Forbidden | NotFound | TooManyRequests | SqlError>
  readonly requestReport: (caller: Caller, request: ReportTaskRequest) => Effect.Effect<TaskId, Forbidden | NotFound | TooManyRequests | SqlError>
}>()("@englog/api/insights/InsightTasks") {
  static readonly layer = Layer.effect(
    InsightTasks,
    Effect.gen(function*() {
      const users = yield* UserRepo
      const entries = yield* EntryRepo
      const queue = yield* TaskQueue

      /** Neither kind waits for other tasks. */
      const submit = (submission: Submission) =>
        orTooMany(queue.submit(submission)).pipe(Effect.catchTag("DependencyProblem", Effect.die))

      /** The organization of the user whose entries are asked about. */
      const authorize = Effect.fnUntraced(function*(
        caller: Caller,
        user_id: UserId
      ): Effect.fn.Return<OrganizationId, Forbidden | NotFound | SqlError> {
        if (caller.id === user_id) return caller.organization_id
        if (!caller.is_admin) return yield* new Forbidden({ error: "user_id: must be your own id" })
        const user = yield* users.find(user_id)
        if (Option.isNone(user)) return yield* new NotFound({ error: `user_id: there is no user ${user_id}` })
        return user.value.organization_id
      })

      const requestInsight: InsightTasks["Service"]["requestInsight"] = Effect.fn("InsightTasks.requestInsight")(
        function*(caller, request) {
          const organization_id = yield* authorize(caller, request.user_id)
          const entry_ids = [...new Set(request.entry_ids)]
          const unknown = yield* entries.findMissing(request.user_id, entry_ids)
          if (unknown.length > 0) {
            return yield* new NotFound({ error: `entry_ids: there are no such entries of this user: ${unknown.join(", ")}` })
          }
          const task_id = yield* submit({
            kind: InsightGeneration.kind,
            prefix: "insight",
            organization_id,
            user_id: request.user_id,
            payload: JSON.stringify({ user_id: request.user_id, entry_ids, insight_type: request.insight_type }),
            private_input: contextText(request),
            policy: InsightGeneration.policy
          })
          yield* Effect.logDebug("accepted an insight request").pipe(Effect.annotateLogs({
            component: "insight_generation",
            operation: "request_received",
            user_id: request.user_id,
            task_id,
            entry_count: entry_ids.length
          }))
          return task_id
        }
      )

      const requestReport: InsightTasks["Service"]["requestReport"] = Effect.fn("InsightTasks.requestReport")(
        function*(caller, request) {
          const organization_id = yield* authorize(caller, request.user_id)
          const { end_date, start_date, user_id } = request
          const report_type = request.report_type ?? fittingType(countDays(start_date, end_date))
          return yield* submit({
            kind: WeeklyReport.kind,
            prefix: "report",
            organization_id,
            user_id,
            payload: JSON.stringify({ user_id, start_date, end_date, report_type }),
            private_input: contextText(request),
            policy: WeeklyReport.policy
          })
        }
      )

      return InsightTasks.of({ requestInsight, requestReport })
    })
  )
}

/** What the caller wrote about the purpose: text, so it does not belong into the payload. */
const contextText = (request: InsightTaskRequest | ReportTaskRequest): string | null =>
  request.context === undefined ? null : JSON.stringify(request.context)

/** The report type (seed 004) whose usual length is nearest from above; a sprint is taken to last up to three weeks. */
const fittingType = (days: number): ReportType =>
  days <= 1 ? "daily" : days <= 7 ? "weekly" : days <= 21 ? "sprint" : days <= 31 ? "monthly" : days <= 92 ? "quarterly" : "annual"
