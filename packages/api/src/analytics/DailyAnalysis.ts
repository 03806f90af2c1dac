/**
 * Has an organization's days rolled up: every night from now on, and a period at once. Called twice it does nothing twice: the
 * schedule's id follows from the organization, the tasks' unique keys from their periods and the state of the entries.
 */
import { type OrganizationId, ScheduleId } from "@englog/domain/Ids"
import { ANALYSED_DAYS, DataAnalysis, MAX_ANALYSED_DAYS } from "@englog/domain/tasks/DataAnalysis"
import { addDays, localDayOf, localPeriod } from "@englog/domain/users/LocalDays"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest } from "@englog/rpc/http/HttpErrors"
import type { AnalyticsScheduled, DailyAnalyticsQuery } from "@englog/rpc/http/IntegrationsApi"
import { Context, DateTime, Effect, Layer } from "effect"
import { createHash } from "node:crypto"
import { queuedMessage } from "../background/AcceptedMessage.ts"
import { type SubmissionProblem, TaskSubmissions } from "../background/TaskSubmissions.ts"
import { Schedules } from "../schedules/Schedules.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { RollupRepo } from "./RollupRepo.ts"
import type { Days } from "./Rollups.ts"

type Caller = CurrentUser["Service"]

export class DailyAnalysis extends Context.Service<DailyAnalysis, {
  readonly schedule: (caller: Caller, query: DailyAnalyticsQuery) => Effect.Effect<AnalyticsScheduled, SubmissionProblem>
}>()("@englog/api/analytics/DailyAnalysis") {
  static readonly layer = Layer.effect(
    DailyAnalysis,
    Effect.gen(function*() {
      const access = yield* TaskAccess
      const submissions = yield* TaskSubmissions
      const schedules = yield* Schedules
      const repo = yield* RollupRepo

      /** The state of what is analysed. A team's is not known at a glance: once a day is enough for it. */
      const versionOf = Effect.fnUntraced(function*(caller: Caller, organization_id: OrganizationId, { first, last }: Days, today: string) {
        return (yield* repo.isTeam(organization_id)) ? today : yield* repo.version(caller.id, localPeriod(first, last, caller.timezone))
      })

      return DailyAnalysis.of({
        schedule: Effect.fn("DailyAnalysis.schedule")(function*(caller, query) {
          const organization_id = yield* access.organization(caller, query.organization_id)
          const today = localDayOf(yield* DateTime.now, caller.timezone)
          const last = query.end_date ?? (query.start_date === undefined || query.start_date < today ? addDays(today, -1) : query.start_date)
          const first = query.start_date ?? addDays(last, 1 - ANALYSED_DAYS)
          const parts = periodsOf({ first, last })
          if (parts.length > MOST_TASKS) return yield* new BadRequest({ error: "start_date: a period has at most 3660 days" })
          const schedule = yield* schedules.ensure(caller, scheduleId(organization_id), {
            task_type: DataAnalysis.kind, organization_id, name: "Daily analytics", payload: {}, cron: "30 2 * * *", timezone: caller.timezone,
            catch_up: "last", catch_up_limit: 1, paused: false
          })
          const tasks = yield* Effect.forEach(parts, (part) =>
            Effect.map(versionOf(caller, organization_id, part, today), (version) => ({
              task_type: DataAnalysis.kind,
              organization_id,
              name: `Analytics from ${part.first} to ${part.last}`,
              payload: { start_date: part.first, end_date: part.last },
              unique_key: `analytics:${part.first}:${part.last}:${version}`
            })))
          const accepted = yield* submissions.submitAll(caller, { tasks })
          const [newest] = accepted
          if (newest === undefined) return yield* Effect.die(new Error("a period has no days"))
          const created = accepted.filter((one) => one.created).length
          return {
            task_id: newest.task_id,
            task_ids: accepted.map(({ task_id }) => task_id),
            schedule_id: schedule.id,
            message: created === 0 ? "These days have been rolled up, or are being; this is the task" : queuedMessage(created)
          }
        })
      })
    })
  ).pipe(Layer.provide(RollupRepo.layer))
}

/** Of 3,660 days. */
const MOST_TASKS = Math.ceil(3_660 / MAX_ANALYSED_DAYS)

/** As few as there may be, the newest first. */
const periodsOf = ({ first, last }: Days): ReadonlyArray<Days> => {
  const periods: Array<Days> = []
  for (let end = last; end >= first && periods.length <= MOST_TASKS; end = addDays(end, -MAX_ANALYSED_DAYS)) {
    const start = addDays(end, 1 - MAX_ANALYSED_DAYS)
    periods.push({ first: start < first ? first : start, last: end })
  }
  return periods
}

/** The same for the same organization: a UUID of version 8 (RFC 9562). */
const scheduleId = (organization_id: OrganizationId): ScheduleId => {
  const hex = createHash("sha256").update(`daily analytics of ${organization_id}`).digest("hex")
  return ScheduleId.make(`${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`)
}
