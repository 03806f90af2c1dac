/**
 * This period beside the one before it. `previous.<fact>` is the earlier figure, `change.<fact>` how the present one
 * differs: times and counts by percent of the earlier (absent where that was nothing), shares by percentage points.
 */
import { ActivityType } from "../entries/LogEntry.ts"
import { isCollaboration, isFocusTime, isHighValue, isWideImpact } from "../metrics/ActivityGroups.ts"
import { minuteShare } from "../metrics/ProductivityMetrics.ts"
import type { Fact, FactEntry } from "./Fact.ts"
import { changeText, pointsText } from "./FactText.ts"
import { minutesOf, shareOf } from "./GroupFacts.ts"
import type { PlacedEntry } from "./LocalTime.ts"
import { makeFact } from "./MakeFact.ts"

type Entries = ReadonlyArray<PlacedEntry>

/** Nothing to compare without entries on each side. */
export const comparisonFacts = (now: Entries, before: Entries): ReadonlyArray<Fact> =>
  now.length === 0 || before.length === 0 ? [] : [
    ...amountFacts("total.time", "time recorded", "minutes", now, before, minutesOf),
    ...amountFacts("total.entries", "entries recorded", "count", now, before, (entries) => entries.length),
    ...amountFacts("total.days", "days with entries", "count", now, before, daysIn),
    ...typeFacts(now, before),
    ...shareFacts("metric.focus_time_percentage", "share of focus time", now, before, isFocusTime),
    ...shareFacts("metric.collaboration_ratio", "share of collaboration", now, before, isCollaboration),
    ...shareFacts("metric.high_value_percentage", "share of work of high value", now, before, isHighValue),
    ...shareFacts("metric.company_impact_ratio", "share of work with product or company impact", now, before, isWideImpact)
  ]

const daysIn = (entries: Entries): number => new Set(entries.map(({ local }) => local.day)).size

const amountFacts = (
  id: string,
  what: string,
  unit: "minutes" | "count",
  now: Entries,
  before: Entries,
  measure: (entries: Entries) => number
): ReadonlyArray<Fact> => {
  const [present, earlier] = [measure(now), measure(before)]
  const previous = makeFact({ id: `previous.${id}`, label: `Preceding period: ${what}`, value: earlier, unit, on: before })
  if (earlier === 0) return [previous]
  const value = (present - earlier) / earlier * 100
  const label = `Change in ${what} against the preceding period`
  return [
    previous,
    makeFact({ id: `change.${id}`, label, value, unit: "percent", on: [...now, ...before], text: changeText(value) })
  ]
}

/** Every type that occurs on either side; its share compares periods of unequal length. */
const typeFacts = (now: Entries, before: Entries): ReadonlyArray<Fact> => {
  const [nowTotal, beforeTotal] = [minutesOf(now), minutesOf(before)]
  return ActivityType.literals.flatMap((type) => {
    const of = (entries: Entries) => entries.filter(({ entry }) => entry.type === type)
    const [present, earlier] = [of(now), of(before)]
    if (present.length === 0 && earlier.length === 0) return []
    const points = shareOf(minutesOf(present), nowTotal) - shareOf(minutesOf(earlier), beforeTotal)
    return [
      ...amountFacts(`type.${type}.time`, `time in ${type}`, "minutes", present, earlier, minutesOf),
      pointsFact(`type.${type}.share`, `share of ${type}`, points, [...present, ...earlier])
    ]
  })
}

const shareFacts = (
  id: string,
  what: string,
  now: Entries,
  before: Entries,
  chosen: (entry: FactEntry) => boolean
): ReadonlyArray<Fact> => {
  const earlier = minuteShare(before, chosen)
  const of = (entries: Entries) => entries.filter(({ entry }) => chosen(entry))
  return [
    makeFact({ id: `previous.${id}`, label: `Preceding period: ${what}`, value: earlier, unit: "percent", on: of(before) }),
    pointsFact(id, what, minuteShare(now, chosen) - earlier, [...of(now), ...of(before)])
  ]
}

const pointsFact = (id: string, what: string, value: number, on: Entries): Fact =>
  makeFact({
    id: `change.${id}`,
    label: `Change in ${what} against the preceding period, in percentage points`,
    value,
    unit: "percent",
    on,
    text: pointsText(value)
  })
