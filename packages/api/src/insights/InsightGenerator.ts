/**
 * Insights over a period, as seed 004 asks for them. A question that a stored insight answers already is not asked again: the
 * question is put together from today's records, so whatever was written since makes it another question (decision 41).
 */
import type { ProjectId } from "@englog/domain/Ids"
import { inCategoryOrder, InsightCategory } from "@englog/domain/insights/InsightCategory"
import { defaultPeriod } from "@englog/domain/insights/ReportType"
import { countDays, localDayOf } from "@englog/domain/users/LocalDays"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, type Forbidden, type NotFound, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import type { InsightAnswer, InsightRequest } from "@englog/rpc/http/InsightRequest"
import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { fieldProblems } from "../http/errors/RequestProblems.ts"
import { ProjectRepo } from "../projects/ProjectRepo.ts"
import { InsightRepo } from "./InsightRepo.ts"
import { askingOfReport, InsightTasks } from "./InsightTasks.ts"
import { Questions } from "./Questions.ts"

type Caller = CurrentUser["Service"]

export class InsightGenerator extends Context.Service<InsightGenerator, {
  readonly generate: (
    caller: Caller,
    request: InsightRequest
  ) => Effect.Effect<InsightAnswer, BadRequest | Forbidden | NotFound | TooManyRequests | SqlError>
}>()("@englog/api/insights/InsightGenerator") {
  static readonly layer = Layer.effect(
    InsightGenerator,
    Effect.gen(function*() {
      const projects = yield* ProjectRepo
      const questions = yield* Questions
      const insights = yield* InsightRepo
      const tasks = yield* InsightTasks

      const checkProjects = Effect.fnUntraced(function*(caller: Caller, named: ReadonlyArray<ProjectId>) {
        const problems = yield* Effect.forEach(named, (id, index) =>
          Effect.map(projects.find(caller.id, id), (found) => Option.isSome(found) ? [] : [{ field: `include_projects[${index}]`, reason: `you have no project ${id}` }]))
        if (problems.flat().length > 0) return yield* new BadRequest(fieldProblems(problems.flat()))
      })

      return InsightGenerator.of({
        generate: Effect.fn("InsightGenerator.generate")(function*(caller, request) {
          const { focus_areas = [], include_projects = [] } = request
          const period = yield* periodOf(request, caller.timezone)
          yield* checkProjects(caller, include_projects)
          const report = {
            user_id: caller.id,
            ...period,
            report_type: request.report_type,
            // In one order, so that two ways to name the same ask the same.
            ...(include_projects.length === 0 ? {} : { project_ids: [...new Set(include_projects)].sort() }),
            focus_areas: focus_areas.length === 0 ? InsightCategory.literals : inCategoryOrder(focus_areas),
            ...(request.context === undefined ? {} : { context: request.context })
          }
          const { digest } = yield* questions.ofReport(askingOfReport(report))
          const answered = request.refresh === true ? Option.none() : yield* insights.findEqual(caller.id, digest)
          if (Option.isSome(answered)) {
            const { id: insight_id, task_id } = answered.value
            return { task_id, message: "An insight answers this question already; nothing that it rests on has changed", cached: true, insight_id }
          }
          const { created, task_id } = yield* tasks.requestReportOnce(caller, report, digest)
          const message = created ? "Insight generation task queued successfully" : "This question is being answered already; this is its task"
          return { task_id, message, cached: false, insight_id: null }
        })
      })
    })
  )
}

const LONGEST = 366

/** Whole local days: all that the period touches. It ends before an instant, and with a day. */
const periodOf = Effect.fnUntraced(function*({ period_end, period_start, report_type }: InsightRequest, timezone: string) {
  if (period_start === undefined || period_end === undefined) return defaultPeriod(report_type, localDayOf(yield* DateTime.now, timezone))
  const start_date = dayOf(period_start, timezone, 0)
  const end_date = dayOf(period_end, timezone, 1)
  if (end_date < start_date) return yield* new BadRequest({ error: "period_end: must not be before period_start" })
  return countDays(start_date, end_date) > LONGEST
    ? yield* new BadRequest({ error: `period_end: must be at most ${LONGEST} days after period_start` })
    : { start_date, end_date }
})

const dayOf = (text: string, timezone: string, before: number): string =>
  /^\d{4}-\d{2}-\d{2}$/.test(text)
    ? text
    : localDayOf(DateTime.subtract(DateTime.makeUnsafe(text.toUpperCase()), { milliseconds: before }), timezone)
