/**
 * Asking for insights and reports: who may ask about whose entries, and what becomes a task.
 */
import { type CurrentUser } from "@englog/rpc/http/Authorization"
import { Forbidden, NotFound, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import type { InsightTaskRequest, ReportTaskRequest } from "@englog/rpc/http/TaskView"
import { type OrganizationId, type ProjectId, type TaskId, type UserId } from "@englog/domain/Ids"
import type { InsightCategory } from "@englog/domain/insights/InsightCategory"
import { fittingType } from "@englog/domain/insights/ReportType"
import { InsightGeneration } from "@englog/domain/tasks/InsightGeneration"
import { WeeklyReport } from "@englog/domain/tasks/WeeklyReport"
import { countDays } from "@englog/domain/users/LocalDays"
import { Context, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { UserRepo } from "../auth/UserRepo.ts"
import { EntryRepo } from "../entries/EntryRepo.ts"
import { orTooMany } from "../tasks/SubmissionProblem.ts"
import { type Accepted, type Submission, type SubmissionError, TaskQueue } from "../queue/TaskQueue.ts"
import type { AskingTask } from "./Questions.ts"

type Caller = CurrentUser["Service"]

export class InsightTasks extends Context.Service<InsightTasks, {
  readonly requestInsight: (caller: Caller, request: InsightTaskRequest) => Effect.Effect<TaskId, Forbidden | NotFound | TooManyRequests | SqlError>
  readonly requestReport: (caller: Caller, request: AskedReport) => Effect.Effect<TaskId, Forbidden | NotFound | TooManyRequests | SqlError>
  /** Likewise, unless the very question is being answered already: then it is that task. */
  readonly requestReportOnce: (
    caller: Caller,
    request: AskedReport,
    digest: Uint8Array
  ) => Effect.Effect<Accepted, Forbidden | NotFound | TooManyRequests | SqlError>
}>()("@englog/api/insights/InsightTasks") {
  static readonly layer = Layer.effect(
    InsightTasks,
    Effect.gen(function*() {
      const users = yield* UserRepo
      const entries = yield* EntryRepo
      const queue = yield* TaskQueue

      /** Neither kind waits for other tasks. */
      const accepted = <A>(submitted: Effect.Effect<A, SubmissionError>) =>
        orTooMany(submitted).pipe(Effect.catchTag("DependencyProblem", Effect.die))

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
          const task_id = yield* accepted(queue.submit({
            kind: InsightGeneration.kind,
            prefix: "insight",
            organization_id,
            user_id: request.user_id,
            payload: JSON.stringify({ user_id: request.user_id, entry_ids, insight_type: request.insight_type }),
            private_input: contextText(request),
            policy: InsightGeneration.policy
          }))
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
          return yield* accepted(queue.submit(reportOf(organization_id, request)))
        }
      )

      const requestReportOnce: InsightTasks["Service"]["requestReportOnce"] = Effect.fn("InsightTasks.requestReportOnce")(
        function*(caller, request, digest) {
          const organization_id = yield* authorize(caller, request.user_id)
          const unique_key = `question:${Buffer.from(digest).toString("base64url")}`
          return yield* accepted(queue.submitUnlessOpen({ ...reportOf(organization_id, request), unique_key }))
        }
      )

      return InsightTasks.of({ requestInsight, requestReport, requestReportOnce })
    })
  )
}

const reportOf = (organization_id: OrganizationId, request: AskedReport): Submission => ({
  kind: WeeklyReport.kind,
  prefix: "report",
  organization_id,
  ...askingOfReport(request),
  policy: WeeklyReport.policy
})

/** What the caller wrote about the purpose: text, so it does not belong into the payload. */
const contextText = (request: InsightTaskRequest | ReportTaskRequest): string | null =>
  request.context === undefined ? null : JSON.stringify(request.context)

/** A report, of all sections and entries or of some. */
export interface AskedReport extends ReportTaskRequest {
  readonly project_ids?: ReadonlyArray<ProjectId>
  readonly focus_areas?: ReadonlyArray<InsightCategory>
}

/** What its task will ask. */
export const askingOfReport = (request: AskedReport): AskingTask => {
  const { context: _, end_date, start_date, user_id, ...rest } = request
  const report_type = request.report_type ?? fittingType(countDays(start_date, end_date))
  return { user_id, payload: JSON.stringify({ user_id, start_date, end_date, ...rest, report_type }), private_input: contextText(request) }
}
