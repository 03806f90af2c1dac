/**
 * The report of every Monday: for each user at nine o'clock in their own zone, about the ISO week before (seed 004). What an outage
 * has kept from happening is made up for until the next Monday. Any number of servers may do this at once.
 */
import { scheduledReportPolicy, WeeklyReport } from "@englog/domain/tasks/WeeklyReport"
import { reportWeekAt } from "@englog/domain/users/ReportWeek"
import { Context, type DateTime, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { type Submission, TaskQueue } from "../queue/TaskQueue.ts"
import { WeeklyReportRepo } from "./WeeklyReportRepo.ts"

/** Users of one transaction. */
const PORTION = 200

export class WeeklyReports extends Context.Service<WeeklyReports, {
  /** Submits what is due by then; answers how many. What finds no room in the queue stays due. */
  readonly submitDueAt: (now: DateTime.Utc) => Effect.Effect<number, SqlError>
}>()("@englog/api/insights/WeeklyReports") {
  static readonly layer = Layer.effect(
    WeeklyReports,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* WeeklyReportRepo
      const queue = yield* TaskQueue

      const portion = (now: DateTime.Utc) =>
        sql.withTransaction(Effect.gen(function*() {
          const weeks = (yield* repo.zones).map((timezone) => ({ timezone, ...reportWeekAt(now, timezone) }))
          const due = yield* repo.take(weeks, PORTION)
          yield* queue.submitAll(due.map(submissionOf))
          return due.length
        })).pipe(Effect.catchTags({
          // They wait for no other task.
          DependencyProblem: Effect.die,
          QueueFull: (error) => Effect.as(Effect.logWarning("weekly reports wait until there is room in the queue", error.message), 0)
        }))

      return WeeklyReports.of({
        submitDueAt: Effect.fn("WeeklyReports.submitDueAt")(function*(now) {
          let submitted = 0
          for (let last = PORTION; last === PORTION; submitted += last) last = yield* portion(now)
          return submitted
        })
      })
    })
  ).pipe(Layer.provide(WeeklyReportRepo.layer))
}

type Due = Effect.Success<ReturnType<WeeklyReportRepo["Service"]["take"]>>[number]

const submissionOf = ({ end_date, organization_id, start_date, user_id }: Due): Submission => ({
  kind: WeeklyReport.kind,
  prefix: "report",
  organization_id,
  user_id,
  payload: JSON.stringify({ user_id, start_date, end_date, report_type: "weekly", scheduled: true }),
  private_input: null,
  policy: scheduledReportPolicy,
  unique_key: `weekly-report:${user_id}:${start_date}`
})
