/** Figures about somebody's time, computed anew for each question from their entries. Everybody sees their own. */
import type { Dashboard, ProductivityTrends, TimeDistribution } from "@englog/domain/analytics/Analytics"
import { amountOf, shareOf, sharesBy, sharesOfEach } from "@englog/domain/analytics/TimeShares"
import { firstMonday, weekTrends } from "@englog/domain/analytics/Trends"
import { isoDate, makeLocalClock, type Placed } from "@englog/domain/facts/LocalTime"
import { productivityMetrics } from "@englog/domain/metrics/ProductivityMetrics"
import { addDays, countDays, localPeriod, precedingPeriod } from "@englog/domain/users/LocalDays"
import type { AnalyticsQuery, TrendQuery } from "@englog/rpc/http/AnalyticsApi"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, type ServiceUnavailable } from "@englog/rpc/http/HttpErrors"
import { Clock, Context, Effect, Layer } from "effect"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { type AnalysedEntry, AnalysedEntryRepo } from "./AnalysedEntryRepo.ts"

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
}>()("@englog/api/analytics/Analytics") {
  static readonly layer = Layer.effect(
    Analytics,
    Effect.gen(function*() {
      const repo = yield* AnalysedEntryRepo

      const today = (timezone: string) => Effect.map(Clock.currentTimeMillis, (now) => makeLocalClock(timezone).at(now).day)

      /** The days asked for: where one end is missing, `DAYS` days; where both are, the last ones, today included. */
      const period = Effect.fnUntraced(function*({ timezone }: Caller, { end_date, start_date }: AnalyticsQuery) {
        const last = end_date ?? (start_date === undefined ? isoDate(yield* today(timezone)) : addDays(start_date, DAYS - 1))
        const first = start_date ?? addDays(last, 1 - DAYS)
        if (countDays(first, last) > MOST_DAYS) return yield* new BadRequest({ error: `end_date: a period has at most ${MOST_DAYS} days` })
        return { first, last, local: localPeriod(first, last, timezone), named: { start_date: first, end_date: last, timezone } }
      })

      const place = (entries: ReadonlyArray<AnalysedEntry>, timezone: string): ReadonlyArray<Analysed> => {
        const clock = makeLocalClock(timezone)
        return entries.map((entry) => ({ entry, start: entry.start, local: clock.at(entry.start) }))
      }

      return Analytics.of({
        dashboard: Effect.fn("Analytics.dashboard")(function*(caller, query) {
          const { first, last, local, named } = yield* period(caller, query)
          const [entries, before] = yield* orUnavailable(Effect.all([
            repo.inPeriod(caller.id, local),
            repo.totalInPeriod(caller.id, precedingPeriod(first, last, caller.timezone))
          ], { concurrency: 2 }))
          const placed = place(entries, caller.timezone)
          const total = amountOf(placed)
          const byDay = Map.groupBy(placed, ({ local }) => isoDate(local.day))
          return {
            period: named,
            total: { ...total, days: byDay.size },
            previous: { ...before, change: before.minutes === 0 ? null : (total.minutes - before.minutes) / before.minutes * 100 },
            metrics: productivityMetrics(placed),
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
        productivityTrends: Effect.fn("Analytics.productivityTrends")(function*({ id, timezone }, { weeks = WEEKS }) {
          const now = yield* today(timezone)
          const monday = firstMonday(now, weeks)
          const entries = yield* orUnavailable(repo.inPeriod(id, localPeriod(isoDate(monday), isoDate(monday + 7 * weeks - 1), timezone)))
          return { timezone, weeks: weekTrends(place(entries, timezone), now, weeks) }
        })
      })
    })
  ).pipe(Layer.provide(AnalysedEntryRepo.layer))
}

const byType = (placed: ReadonlyArray<Analysed>) => sharesBy(placed, ({ entry }) => entry.type).map(({ key, ...share }) => ({ type: key, ...share }))

const byProject = (placed: ReadonlyArray<Analysed>) => {
  const names = new Map(placed.map(({ entry }) => [entry.project_id, entry.project_name]))
  return sharesBy(placed, ({ entry }) => entry.project_id).map(({ key, ...share }) =>
    ({ project_id: key, project_name: names.get(key) ?? null, ...share }))
}
