/**
 * What a calendar file says was done within a period: single events, the occurrences of series, and what changed of those. One name for
 * each: UID, and for an occurrence the time at which the series has it.
 */
import type { ImportedItem, ImportProblem } from "@englog/domain/imports/ImportedItem"
import type { ImportPeriod } from "@englog/domain/imports/ImportInput"
import { DateTime, Effect, Result } from "effect"
import { descriptionOf, problemOf, tagsOf, textOf, titleOf } from "../ImportText.ts"
import { suggestType } from "../SuggestType.ts"
import { digestOf, isWithin } from "./CalendarData.ts"
import { type IcsEvent, readEvent } from "./IcsEvent.ts"
import { expand, MAX_OCCURRENCES, type StepBudget, stepBudget } from "./IcsRecurrence.ts"
import { readIcsText } from "./IcsText.ts"
import { dayOf, type IcsTime, inZone, type TimeContext, wallAt, wallSeconds } from "./IcsTimes.ts"
import { zoneNamed, zonesOf } from "./IcsZones.ts"

export interface IcsRequest {
  readonly ics: string
  /** Of days, and of times that name no zone. */
  readonly timezone: string
  readonly period: ImportPeriod
  /** Whose answers to invitations count, in lower case. */
  readonly attendee: string | null
}

export interface IcsFound {
  readonly items: ReadonlyArray<ImportedItem>
  readonly problems: ReadonlyArray<ImportProblem>
  readonly skipped: number
}

/** Of one file; the others are told as one problem. */
const MAX_EVENTS = 20_000

export const readIcs = Effect.fnUntraced(function*({ attendee, ics, period, timezone }: IcsRequest): Effect.fn.Return<IcsFound> {
  const text = readIcsText(ics)
  const context = { zones: zonesOf(text.timezones), floating: zoneNamed(timezone) }
  // A calendar of years is much to read: others must have their turn in between.
  const read = yield* Effect.forEach(text.events.slice(0, MAX_EVENTS), (block) => Effect.map(Effect.yieldNow, () => readEvent(block, context)))
  const problems = [...text.problems, ...read.flatMap((one) => Result.isFailure(one) ? [one.failure] : [])]
  if (text.events.length > MAX_EVENTS) problems.push(problemOf({ error: `the file holds more than ${MAX_EVENTS} events: the others are left out` }))
  const events = read.flatMap((one) => Result.isSuccess(one) ? [one.success] : [])
  const me = attendee ?? text.properties.get("X-WR-CALNAME")?.toLowerCase() ?? ""
  const series: Series = { context, period, me, cancelled: text.properties.get("METHOD")?.toUpperCase() === "CANCEL", budget: stepBudget() }
  const items: Array<ImportedItem> = []
  let skipped = 0
  for (const [name, group] of Map.groupBy(events, nameOf)) {
    yield* Effect.yieldNow
    const found = itemsOf(name, group, series)
    items.push(...found.items)
    problems.push(...found.problems)
    skipped += found.skipped
  }
  return { items, problems, skipped }
})

interface Series {
  readonly context: TimeContext
  readonly period: ImportPeriod
  readonly me: string
  /** All that the file holds. */
  readonly cancelled: boolean
  readonly budget: StepBudget
}

const nameOf = (event: IcsEvent): string =>
  event.uid === "" ? digestOf([event.summary, DateTime.formatIso(event.start.instant), event.description]) : textOf(event.uid, 1_000)

/** Of several versions of the same, the latest. */
const latest = (events: ReadonlyArray<IcsEvent>): IcsEvent | undefined =>
  events.reduce<IcsEvent | undefined>((best, event) => best === undefined || event.sequence >= best.sequence ? event : best, undefined)

const itemsOf = (name: string, group: ReadonlyArray<IcsEvent>, series: Series): IcsFound => {
  const master = latest(group.filter(({ instead }) => instead === undefined))
  const changed = [...Map.groupBy(group.filter(({ instead }) => instead !== undefined), ({ instead }) => instead === undefined ? "" : keyOf(instead)).values()]
    .flatMap((versions) => latest(versions) ?? [])
  const { period } = series
  const items: Array<ImportedItem> = []
  const problems: Array<ImportProblem> = []
  let skipped = 0
  const add = (event: IcsEvent, start: IcsTime, occurrence: string) => {
    const item = itemOf(name, event, start, occurrence, series)
    if (Result.isFailure(item)) problems.push(problemOf({ row: event.row, field: "DTSTART", item: event.summary, error: item.failure }))
    else if (isWithin(item.success, period)) items.push(item.success)
    else skipped += 1
  }
  for (const event of changed) if (event.instead !== undefined) add(event, event.start, keyOf(event.instead))
  if (master !== undefined && master.rules.length === 0 && master.added.length === 0) add(master, master.start, "")
  else if (master !== undefined) {
    const onwards = changed.flatMap(({ instead, ...event }) => event.onwards && instead !== undefined ? [{ ...event, instead }] : [])
      .toSorted((a, b) => DateTime.toEpochMillis(a.instead.instant) - DateTime.toEpochMillis(b.instead.instant))
    const { problem, times } = occurrencesOf(master, { ...series, period: widened(period, onwards) })
    if (problem !== undefined) problems.push(problemOf({ row: master.row, field: "RRULE", item: master.summary, error: problem }))
    const others = new Set(changed.flatMap(({ instead }) => instead === undefined ? [] : [keyOf(instead), dayKey(instead)]))
    const excepted = new Set(master.excepted.flatMap((time) => [keyOf(time), dayKey(time)]))
    for (const time of times) {
      // A day as exception or as name stands for the occurrence on that day, at whatever time.
      const keys = [keyOf(time), `${dayOf(time)} day`]
      if (keys.some((key) => others.has(key) || excepted.has(key))) continue
      const version = onwards.findLast(({ instead }) => DateTime.isGreaterThanOrEqualTo(time.instant, instead.instant))
      const moved = version === undefined ? Result.succeed(time) : inZone(wallAt(wallSeconds(time.wall) + shiftOf(version)), { ...time, isDate: version.start.isDate })
      if (Result.isFailure(moved)) problems.push(problemOf({ row: version?.row ?? master.row, field: "DTSTART", item: version?.summary ?? master.summary, error: moved.failure }))
      else if (isWithin({ start_time: moved.success.instant }, period)) add(version ?? master, moved.success, keyOf(time))
    }
  }
  return { items, problems, skipped }
}

interface Onwards extends IcsEvent {
  readonly instead: IcsTime
}

/** Seconds by which it is later than what it is instead of, and every later occurrence likewise. */
const shiftOf = ({ instead, start }: Onwards): number =>
  instead.zone === start.zone || instead.isDate || start.isDate
    ? wallSeconds(start.wall) - wallSeconds(instead.wall)
    : (DateTime.toEpochMillis(start.instant) - DateTime.toEpochMillis(instead.instant)) / 1_000

/** What is moved into the period, or out of it, lies outside before or after. */
const widened = ({ from, to }: ImportPeriod, onwards: ReadonlyArray<Onwards>): ImportPeriod => {
  const milliseconds = Math.max(0, ...onwards.map((event) => Math.abs(shiftOf(event)) * 1_000))
  return { from: DateTime.subtract(from, { milliseconds }), to: DateTime.add(to, { milliseconds }) }
}

/** The name of an occurrence. */
const keyOf = (time: IcsTime): string => time.isDate ? dayOf(time) : DateTime.formatIso(time.instant)
const dayKey = (time: IcsTime): string => time.isDate ? `${dayOf(time)} day` : keyOf(time)

const occurrencesOf = (event: IcsEvent, { budget, context, period }: Series) => {
  const expanded = event.rules.map((rule) => expand(rule, event.start, period.to, period.from, context, budget))
  const times = [event.start, ...event.added, ...expanded.flatMap(({ times }) => times)]
  const within = [...new Map(times.filter((time) => isWithin({ start_time: time.instant }, period)).map((time) => [keyOf(time), time])).values()]
  const problem = expanded.map(({ problem }) => problem).find((one) => one !== undefined)
  return { times: within.slice(0, MAX_OCCURRENCES), problem }
}

const itemOf = (name: string, event: IcsEvent, start: IcsTime, occurrence: string, { cancelled, me }: Series): Result.Result<ImportedItem, string> =>
  Result.map(endOf(event, start), (end) => ({
    source: "calendar",
    external_id: name,
    occurrence,
    removed: cancelled || event.cancelled || event.declined.has(me),
    title: titleOf(event.summary),
    description: descriptionOf(event.description),
    start_time: start.instant,
    end_time: end,
    all_day: start.isDate,
    type: suggestType(event.summary, "meeting"),
    impact_level: "team" as const,
    tags: tagsOf(event.categories),
    project: null
  }))

/** Exactly as long as the first occurrence (RFC 5545, 3.8.5.3); days are counted as days. */
const endOf = (event: IcsEvent, start: IcsTime): Result.Result<DateTime.Utc, string> => {
  const { duration, end, start: first } = event
  if (start.isDate && duration === undefined) return onWall(start, end === undefined ? 86_400 : wallSeconds(end.wall) - wallSeconds(first.wall))
  const elapsed = duration ?? DateTime.toEpochMillis(end?.instant ?? first.instant) - DateTime.toEpochMillis(first.instant)
  return Result.succeed(DateTime.add(start.instant, { milliseconds: elapsed }))
}

const onWall = (start: IcsTime, seconds: number): Result.Result<DateTime.Utc, string> =>
  Result.map(inZone(wallAt(wallSeconds(start.wall) + seconds), start), ({ instant }) => instant)
