/**
 * When the work happened, in the user's zone: by day, week, weekday, hour and part of the day. An entry counts whole where
 * it starts; among equals the earliest is the busiest.
 */
import { isCollaboration, isFocusTime } from "../metrics/ActivityGroups.ts"
import type { Fact } from "./Fact.ts"
import { weekdayName } from "./FactText.ts"
import { groupBy, groupFacts } from "./GroupFacts.ts"
import type { Group } from "./GroupFacts.ts"
import { isoDate, weekdayOf } from "./LocalTime.ts"
import type { PlacedEntry } from "./LocalTime.ts"
import { makeFact } from "./MakeFact.ts"

export const calendarFacts = (placed: ReadonlyArray<PlacedEntry>, total: number): ReadonlyArray<Fact> => [
  ...dayFacts(placed),
  ...weekFacts(placed),
  ...inOrder(groupBy(placed, ({ local }) => [local.weekday])).flatMap(({ key, members }) =>
    groupFacts(`weekday.${weekdayName(key).toLowerCase()}`, `on a ${weekdayName(key)}`, members, total)
  ),
  ...inOrder(groupBy(placed, ({ local }) => [local.hour])).map(({ key, members, minutes }) =>
    makeFact({
      id: `hour.${String(key).padStart(2, "0")}.time`,
      label: "Time in entries that start in the hour named in the id",
      value: minutes,
      unit: "minutes",
      on: members
    })
  ),
  ...dayPartFacts(placed, total)
]

const inOrder = (groups: ReadonlyArray<Group<number>>): ReadonlyArray<Group<number>> =>
  [...groups].sort((a, b) => a.key - b.key)

/** Groups come with most minutes first and, among equals, the earliest start first. */
const dayFacts = (placed: ReadonlyArray<PlacedEntry>): ReadonlyArray<Fact> => {
  const days = groupBy(placed, ({ local }) => [local.day])
  const busiest = days[0]
  return [
    ...(busiest === undefined ? [] : spanFacts("busiest_day", "the busiest day", busiest)),
    ...inOrder(days).map(({ key, members, minutes }) =>
      makeFact({
        id: `day.${isoDate(key)}.time`,
        label: `Time on the day named in the id, a ${weekdayName(weekdayOf(key))}`,
        value: minutes,
        unit: "minutes",
        on: members
      })
    )
  ]
}

/** ISO weeks, named by their Monday; only where the entries touch more than a single week. */
const weekFacts = (placed: ReadonlyArray<PlacedEntry>): ReadonlyArray<Fact> => {
  const weeks = groupBy(placed, ({ local }) => [local.day - local.weekday + 1])
  const busiest = weeks[0]
  if (busiest === undefined || weeks.length < 2) return []
  return [
    makeFact({ id: "total.weeks", label: "Weeks with entries", value: weeks.length, unit: "count", on: placed }),
    ...spanFacts("busiest_week", "the busiest week, which began on the date given", busiest),
    ...inOrder(weeks).map(({ key, members, minutes }) =>
      makeFact({
        id: `week.${isoDate(key)}.time`,
        label: "Time in the week that began on the Monday named in the id",
        value: minutes,
        unit: "minutes",
        on: members
      })
    )
  ]
}

const spanFacts = (prefix: string, what: string, { key, members, minutes }: Group<number>): ReadonlyArray<Fact> => [
  makeFact({ id: `${prefix}.date`, label: `Date of ${what}`, value: key, unit: "date", on: members }),
  makeFact({ id: `${prefix}.time`, label: `Time in ${what}`, value: minutes, unit: "minutes", on: members }),
  makeFact({ id: `${prefix}.entries`, label: `Entries in ${what}`, value: members.length, unit: "count", on: members })
]

/** Night ends at 06:00, morning at 12:00, afternoon at 18:00. */
const dayPart = (hour: number): "night" | "morning" | "afternoon" | "evening" =>
  hour < 6 ? "night" : hour < 12 ? "morning" : hour < 18 ? "afternoon" : "evening"

const dayPartFacts = (placed: ReadonlyArray<PlacedEntry>, total: number): ReadonlyArray<Fact> =>
  groupBy(placed, ({ local }) => [dayPart(local.hour)]).flatMap(({ key, members }) => [
    ...groupFacts(`daypart.${key}`, `begun in the ${key}`, members, total),
    ...timeFact(`daypart.${key}.focus`, `Focus time begun in the ${key}`, members.filter(({ entry }) => isFocusTime(entry))),
    ...timeFact(
      `daypart.${key}.collaboration`,
      `Meetings, mentoring and reviews begun in the ${key}`,
      members.filter(({ entry }) => isCollaboration(entry))
    )
  ])

const timeFact = (id: string, label: string, on: ReadonlyArray<PlacedEntry>): ReadonlyArray<Fact> =>
  on.length === 0
    ? []
    : [makeFact({ id, label, value: on.reduce((sum, { entry }) => sum + entry.duration_minutes, 0), unit: "minutes", on })]
