/**
 * Figures about somebody's time, of which everybody sees their own, and about what a team's members share. Dashboard, distribution
 * and trends are computed anew from entries for each question; days and what a team shares are read from roll-ups (Rollups).
 */
import type { DailyAnalytics, Dashboard, ProductivityTrends, TeamAnalytics, TimeDistribution } from "@englog/domain/analytics/Analytics"
import { dailyFigures } from "@englog/domain/analytics/DailyFigures"
import { amountOf, shareOf, sharesBy, sharesOfEach } from "@englog/domain/analytics/TimeShares"
import { firstMonday, weekTrends } from "@englog/domain/analytics/Trends"
import { isoDate, makeLocalClock, type Placed } from "@englog/domain/facts/LocalTime"
import type { OrganizationId } from "@englog/domain/Ids"
import type { Measured } from "@englog/domain/metrics/ActivityGroups"
import { outsideWorkingHours } from "@englog/domain/metrics/OutsideWorkingHours"
import { productivityMetrics } from "@englog/domain/metrics/ProductivityMetrics"
import { addDays, countDays, localPeriod, precedingPeriod } from "@englog/domain/users/LocalDays"
import type { AnalyticsQuery, TrendQuery } from "@englog/rpc/http/AnalyticsApi"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, NotFound, type ServiceUnavailable } from "@englog/rpc/http/HttpErrors"
import { Clock, Context, Effect, Layer, Option } from "effect"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { MembershipRepo } from "../tasks/MembershipRepo.ts"
import { type AnalysedEntry, AnalysedEntryRepo } from "./AnalysedEntryRepo.ts"
import { RollupRepo } from "./RollupRepo.ts"
import { minutesOf, rolledUp, Rollups } from "./Rollups.ts"
import { place } from "./PlacedEntries.ts"
import { WorkingHoursRepo } from "./WorkingHoursRepo.ts"

type Caller = CurrentUser["Service"]
type Analysed = Placed<AnalysedEntry>

/** Days that are looked at where none are named. */
const DAYS = 30
/** Ten years. */
const MOST_DAYS = 3_660
const WEEKS = 12
const TOP_PROJECTS = 10

export class Analytics extends Context.Service<Analytics, {
  readonly dashboard: (caller: Caller, query: AnalyticsQuery) => Effect.Effect<Dashboard, BadRequest | ServiceUnavailable>
  readonly timeDistribution: (caller: Caller, query: AnalyticsQuery) => Effect.Effect<TimeDistribution, BadRequest | ServiceUnavailable>
  readonly productivityTrends: (caller: Caller, query: TrendQuery) => Effect.Effect<ProductivityTrends, ServiceUnavailable>
  readonly daily: (caller: Caller, query: AnalyticsQuery) => Effect.Effect<DailyAnalytics, BadRequest | ServiceUnavailable>
  readonly teamDaily: (
    caller: Caller,
    team: OrganizationId,
    query: AnalyticsQuery
  ) => Effect.Effect<TeamAnalytics, BadRequest | NotFound | ServiceUnavailable>
}>()("@englog/api/analytics/Analytics") {
  static readonly layer = Layer.effect(
    Analytics,
    Effect.gen(function*() {
      const repo = yield* AnalysedEntryRepo
      const rollups = yield* Rollups
      const stored = yield* RollupRepo
      const members = yield* MembershipRepo
      const hours = yield* WorkingHoursRepo

      const today = (timezone: string) => Effect.map(Clock.currentTimeMillis, (now) => makeLocalClock(timezone).at(now).day)

      /** The days asked for: where one end is missing, `DAYS` days; where both are, the last ones, today included. */
      const period = Effect.fnUntraced(function*({ timezone }: Caller, { end_date, start_date }: AnalyticsQuery) {
        const last = end_date ?? (start_date === undefined ? isoDate(yield* today(timezone)) : addDays(start_date, DAYS - 1))
        const first = start_date ?? addDays(last, 1 - DAYS)
        if (countDays(first, last) > MOST_DAYS) return yield* new BadRequest({ error: `end_date: a period has at most ${MOST_DAYS} days` })
        return { first, last, local: localPeriod(first, last, timezone), named: { start_date: first, end_date: last, timezone } }
      })

      /** What of some entries lies outside the caller's working hours; null where they have set none. */
      const outsideHours = ({ id, timezone }: Caller) =>
        Effect.map(hours.find(id), (found) => {
          const clock = makeLocalClock(timezone)
          return (placed: ReadonlyArray<Placed<Measured>>) =>
            Option.getOrNull(Option.map(found, (hours) => outsideWorkingHours(placed, hours, clock)))
        })

      return Analytics.of({
        dashboard: Effect.fn("Analytics.dashboard")(function*(caller, query) {
          const { first, last, local, named } = yield* period(caller, query)
          const [entries, before, outside] = yield* orUnavailable(Effect.all([
            repo.inPeriod(caller.id, local),
            repo.totalInPeriod(caller.id, precedingPeriod(first, last, caller.timezone)),
            outsideHours(caller)
          ], { concurrency: 3 }))
          const placed = place(entries, caller.timezone)
          const total = amountOf(placed)
          const byDay = Map.groupBy(placed, ({ local }) => isoDate(local.day))
          return {
            period: named,
            total: { ...total, days: byDay.size },
            previous: { ...before, change: before.minutes === 0 ? null : (total.minutes - before.minutes) / before.minutes * 100 },
            metrics: productivityMetrics(placed),
            outside_working_hours: outside(placed),
            by_day: Array.from({ length: countDays(first, last) }, (_, index) => {
              const date = addDays(first, index)
              return { date, ...amountOf(byDay.get(date) ?? []) }
            }),
            by_type: byType(placed),
            top_projects: byProject(placed).slice(0, TOP_PROJECTS)
          }
        }),
        timeDistribution: Effect.fn("Analytics.timeDistribution")(function*(caller, query) {
          const { local, named } = yield* period(caller, query)
          const [entries, tags] = yield* orUnavailable(Effect.all([
            repo.inPeriod(caller.id, local),
            repo.tagsInPeriod(caller.id, local)
          ], { concurrency: 2 }))
          const placed = place(entries, caller.timezone)
          const total = amountOf(placed)
          return {
            period: named,
            total,
            by_type: byType(placed),
            by_project: byProject(placed),
            by_tag: tags.map(({ tag, ...amount }) => ({ tag, ...shareOf(amount, total) })),
            by_value_rating: sharesBy(placed, ({ entry }) => entry.value_rating).map(({ key, ...share }) => ({ value_rating: key, ...share })),
            by_impact_level: sharesBy(placed, ({ entry }) => entry.impact_level).map(({ key, ...share }) => ({ impact_level: key, ...share })),
            by_hour: sharesOfEach(placed, ({ local }) => local.hour, 0, 23).map(({ key, ...share }) => ({ hour: key, ...share })),
            by_weekday: sharesOfEach(placed, ({ local }) => local.weekday, 1, 7).map(({ key, ...share }) => ({ weekday: key, ...share }))
          }
        }),
        productivityTrends: Effect.fn("Analytics.productivityTrends")(function*(caller, { weeks = WEEKS }) {
          const { id, timezone } = caller
          const now = yield* today(timezone)
          const monday = firstMonday(now, weeks)
          const [entries, outside] = yield* orUnavailable(Effect.all([
            repo.inPeriod(id, localPeriod(isoDate(monday), isoDate(monday + 7 * weeks - 1), timezone)),
            outsideHours(caller)
          ], { concurrency: 2 }))
          return { timezone, weeks: weekTrends(place(entries, timezone), now, weeks, outside) }
        }),
        daily: Effect.fn("Analytics.daily")(function*(caller, query) {
          const { first, last, named } = yield* period(caller, query)
          const [rolled, before] = yield* orUnavailable(Effect.all([
            rollups.ofUser(caller, { first, last }),
            repo.totalInPeriod(caller.id, precedingPeriod(first, last, caller.timezone))
          ], { concurrency: 2 }))
          return { period: named, ...dailyFigures(first, last, rolledUp(rolled), before.minutes) }
        }),
        teamDaily: Effect.fn("Analytics.teamDaily")(function*(caller, team, query) {
          const visible = yield* orUnavailable(Effect.all([stored.isTeam(team), members.isMember(caller.id, team)]))
          if (visible.includes(false)) return yield* new NotFound({ error: `you have no team ${team}` })
          const { first, last } = yield* period(caller, query)
          const days = countDays(first, last)
          const [rolled, before] = yield* orUnavailable(Effect.all([
            rollups.ofTeam(team, { first, last }),
            rollups.ofTeam(team, { first: addDays(first, -days), last: addDays(first, -1) })
          ], { concurrency: 2 }))
          return { team_id: team, period: { start_date: first, end_date: last }, ...dailyFigures(first, last, rolledUp(rolled), minutesOf(rolledUp(before))) }
        })
      })
    })
  ).pipe(Layer.provide([AnalysedEntryRepo.layer, Rollups.layer, MembershipRepo.layer, WorkingHoursRepo.layer]), Layer.provide(RollupRepo.layer))
}

const byType = (placed: ReadonlyArray<Analysed>) => sharesBy(placed, ({ entry }) => entry.type).map(({ key, ...share }) => ({ type: key, ...share }))

const byProject = (placed: ReadonlyArray<Analysed>) => {
  const names = new Map(placed.map(({ entry }) => [entry.project_id, entry.project_name]))
  return sharesBy(placed, ({ entry }) => entry.project_id).map(({ key, ...share }) =>
    ({ project_id: key, project_name: names.get(key) ?? null, ...share }))
}
