/**
 * The days of a person or of a team: those that are rolled up and right as they are stored, the others from their entries. So a
 * roll-up is never a second truth: with or without it the figures are the same.
 *
 * Nothing is stored of a team. What it may see is decided when somebody looks, from its members' own roll-ups, project by
 * project: whoever shares no longer is gone from all of its days at once (docs/decisions/0027, 0033).
 */
import { type DayRollup, type RolledEntry, rollUp } from "@englog/domain/analytics/DayRollup"
import { isoDate, makeLocalClock } from "@englog/domain/facts/LocalTime"
import type { OrganizationId, ProjectId, UserId } from "@englog/domain/Ids"
import { addAll } from "@englog/domain/metrics/WorkSums"
import type { AnalysisInput } from "@englog/domain/tasks/DataAnalysis"
import { addDays, countDays, localDayOf, localPeriod } from "@englog/domain/users/LocalDays"
import { Context, DateTime, Effect, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { createHash } from "node:crypto"
import { RollupRepo, type Share, type Span, type SpannedEntry, type Stored } from "./RollupRepo.ts"

/** Local days, both included. */
export interface Days {
  readonly first: string
  readonly last: string
}

/** Whose days they are, and in which zone. */
export interface DaysOwner {
  readonly id: UserId
  readonly timezone: string
}

/** A day that is not rolled up, with its entries in the order of their starts. */
export type OpenDay = AnalysisInput["days"][number]

export interface Rolled {
  readonly known: ReadonlyArray<DayRollup>
  readonly open: ReadonlyArray<OpenDay>
}

export class Rollups extends Context.Service<Rollups, {
  readonly ofUser: (owner: DaysOwner, days: Days) => Effect.Effect<Rolled, SqlError>
  /** What members share; each day is their own. */
  readonly ofTeam: (team: OrganizationId, days: Days) => Effect.Effect<Rolled, SqlError>
  /** Days before `first` that were rolled up once and are not right any more, at most `limit`. */
  readonly stale: (owner: DaysOwner, first: string, limit: number) => Effect.Effect<ReadonlyArray<OpenDay>, SqlError>
  /** These days as they are now. */
  readonly open: (owner: DaysOwner, dates: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<OpenDay>, SqlError>
}>()("@englog/api/analytics/Rollups") {
  static readonly layer = Layer.effect(
    Rollups,
    Effect.gen(function*() {
      const repo = yield* RollupRepo

      const open: Rollups["Service"]["open"] = Effect.fn("Rollups.open")(function*(owner, dates) {
        if (dates.length === 0) return []
        const spans = rangesOf(dates).map(({ first, last }) => ({ user_id: owner.id, project_id: null, ...localPeriod(first, last, owner.timezone) }))
        return openDays(dates, yield* repo.entries(spans), () => owner.timezone)
      })

      return Rollups.of({
        open,
        ofUser: Effect.fn("Rollups.ofUser")(function*(owner, days) {
          const known = yield* repo.right([owner], days)
          const dates = new Set(known.map(({ date }) => date))
          return { known, open: yield* open(owner, datesOf(days).filter((date) => !dates.has(date))) }
        }),
        ofTeam: Effect.fn("Rollups.ofTeam")(function*(team, days) {
          const shares = yield* repo.shares(team)
          const zones = new Map(shares.map(({ timezone, user_id }) => [user_id, timezone]))
          const stored = yield* repo.right([...zones].map(([id, timezone]) => ({ id, timezone })), days)
          const shared = sharedDays(shares, stored, days)
          const entries = shared.spans.length === 0 ? [] : yield* repo.entries(shared.spans)
          return { known: shared.known, open: openDays([], entries, (user) => zones.get(user) ?? "UTC") }
        }),
        stale: Effect.fn("Rollups.stale")(function*(owner, first, limit) {
          return yield* open(owner, (yield* repo.stale(owner.id, first, limit)).toReversed())
        })
      })
    })
  )
}

/** All of them as roll-ups; a day may come more than once. */
export const rolledUp = ({ known, open }: Rolled): ReadonlyArray<DayRollup> => [...known, ...open.map(({ date, entries }) => rollUp(date, entries))]

export const minutesOf = (rollups: ReadonlyArray<DayRollup>): number =>
  rollups.flatMap(({ projects }) => projects).reduce((sum, { sums }) => sum + sums.minutes, 0)

const datesOf = ({ first, last }: Days): ReadonlyArray<string> => Array.from({ length: countDays(first, last) }, (_, index) => addDays(first, index))

/** Days that follow one another, together; they come in their order. */
const rangesOf = (dates: ReadonlyArray<string>): ReadonlyArray<Days> => {
  const ranges: Array<Days> = []
  for (const date of dates) {
    const before = ranges.at(-1)
    if (before !== undefined && addDays(before.last, 1) === date) ranges[ranges.length - 1] = { first: before.first, last: date }
    else ranges.push({ first: date, last: date })
  }
  return ranges
}

/** By local day: these days, entries or not, and whichever others the entries have. */
const openDays = (
  dates: ReadonlyArray<string>,
  entries: ReadonlyArray<SpannedEntry>,
  zoneOf: (user: UserId) => string
): ReadonlyArray<OpenDay> => {
  const clocks = new Map<string, ReturnType<typeof makeLocalClock>>()
  const clockOf = (user: UserId) => {
    const zone = zoneOf(user)
    const clock = clocks.get(zone) ?? makeLocalClock(zone)
    clocks.set(zone, clock)
    return clock
  }
  const byDate = new Map<string, Array<RolledEntry>>(dates.map((date) => [date, []]))
  for (const { start, user_id, ...entry } of entries) {
    const local = clockOf(user_id).at(start)
    const date = isoDate(local.day)
    const day = byDate.get(date) ?? []
    byDate.set(date, day)
    day.push({ ...entry, hour: local.hour })
  }
  return [...byDate].map(([date, entries]) => ({ date, digest: digestOf(entries), entries }))
}

/** Of the entries in their order: the same for the same figures. */
const digestOf = (entries: ReadonlyArray<RolledEntry>): string =>
  createHash("sha256").update(JSON.stringify(entries.map((e) => [e.hour, e.duration_minutes, e.type, e.value_rating, e.impact_level, e.project_id])))
    .digest("base64url").slice(0, 22)

interface Shared {
  readonly known: ReadonlyArray<DayRollup>
  /** Where nothing is rolled up, and the part of a day that is shared only in part. */
  readonly spans: ReadonlyArray<Span>
}

const sharedDays = (shares: ReadonlyArray<Share>, stored: ReadonlyArray<Stored>, days: Days): Shared => {
  const known = new Map<string, Array<DayRollup["projects"][number]>>()
  const spans: Array<Span> = []
  const byUser = Map.groupBy(stored, ({ user_id }) => user_id)
  const dates = datesOf(days)
  for (const { project_id, since, timezone, user_id } of shares) {
    const rolled = new Map((byUser.get(user_id) ?? []).map(({ date, projects }) => [date, projects]))
    const from = since === null ? undefined : localDayOf(since, timezone)
    const open: Array<string> = []
    for (const date of dates) {
      if (from !== undefined && date < from) continue
      const projects = date === from ? undefined : rolled.get(date)
      if (projects === undefined) open.push(date)
      else known.set(date, [...(known.get(date) ?? []), ...projects.filter((one) => one.project_id === project_id)])
    }
    for (const { first, last } of rangesOf(open)) {
      const period = localPeriod(first, last, timezone)
      spans.push({ user_id, project_id, to: period.to, from: since === null ? period.from : DateTime.max(period.from, since) })
    }
  }
  return { known: [...known].map(([date, projects]) => ({ date, projects: together(projects) })), spans }
}

/** What several members did for one project on one day, added up. */
const together = (projects: DayRollup["projects"]): DayRollup["projects"] =>
  [...Map.groupBy(projects, ({ project_id }): ProjectId | null => project_id)].map(([project_id, parts]) =>
    ({ project_id, sums: addAll(parts.map(({ sums }) => sums)) }))
