/**
 * How undisturbed the work was: focus blocks, short focus entries, switches of subject, days without meetings.
 */
import { FOCUS_MINUTES, isFocusTime, isFocusType } from "../metrics/ActivityGroups.ts"
import type { Fact } from "./Fact.ts"
import { focusBlocks } from "./FocusBlock.ts"
import { groupBy, minutesOf, shareOf } from "./GroupFacts.ts"
import type { PlacedEntry } from "./LocalTime.ts"
import { makeFact } from "./MakeFact.ts"

export const MAX_BLOCKS = 5

export const focusFacts = (placed: ReadonlyArray<PlacedEntry>): ReadonlyArray<Fact> => [
  ...blockFacts(placed),
  ...shortFocusFacts(placed),
  ...switchFacts(placed),
  ...meetingFreeFacts(placed)
]

const blockFacts = (placed: ReadonlyArray<PlacedEntry>): ReadonlyArray<Fact> => {
  const blocks = focusBlocks(placed)
  const long = blocks.filter(({ minutes }) => minutes >= FOCUS_MINUTES)
  const longest = [...blocks].sort((a, b) => b.minutes - a.minutes).slice(0, MAX_BLOCKS)
  return [
    makeFact({
      id: "focus.blocks",
      label: "Focus blocks of an hour or longer",
      value: long.length,
      unit: "count",
      on: long.flatMap(({ members }) => members)
    }),
    ...longest.flatMap(({ members, minutes }, rank) => {
      const first = members[0]
      if (first === undefined) return []
      const prefix = `focus.block.${rank + 1}`
      const what = rank === 0 ? "the longest focus block" : "a long focus block, ranked by the number in the id"
      return [
        makeFact({ id: `${prefix}.time`, label: `Time in ${what}`, value: minutes, unit: "minutes", on: members }),
        makeFact({ id: `${prefix}.date`, label: `Date of ${what}`, value: first.local.day, unit: "date", on: members }),
        makeFact({ id: `${prefix}.hour`, label: `Hour in which it began: ${what}`, value: first.local.hour, unit: "hour", on: members })
      ]
    })
  ]
}

/** Code, debug and docs entries too short to count as focus time: their number, time, and share of all such work. */
const shortFocusFacts = (placed: ReadonlyArray<PlacedEntry>): ReadonlyArray<Fact> => {
  const all = placed.filter(({ entry }) => isFocusType(entry))
  const short = all.filter(({ entry }) => !isFocusTime(entry))
  if (all.length === 0) return []
  const what = "code, debug and docs entries shorter than an hour"
  return [
    makeFact({ id: "focus.short.entries", label: `Number of ${what}`, value: short.length, unit: "count", on: short }),
    makeFact({ id: "focus.short.time", label: `Time in ${what}`, value: minutesOf(short), unit: "minutes", on: short }),
    makeFact({
      id: "focus.short.share",
      label: `Share of ${what} in the time of all code, debug and docs`,
      value: shareOf(minutesOf(short), minutesOf(all)),
      unit: "percent",
      on: short
    })
  ]
}

/** A switch: an entry that follows another on the same local day and differs from it in type or project. */
const switchFacts = (placed: ReadonlyArray<PlacedEntry>): ReadonlyArray<Fact> => {
  const switched = placed.filter((one, i) => {
    const before = placed[i - 1]
    return before !== undefined && before.local.day === one.local.day
      && (before.entry.type !== one.entry.type || before.entry.project_name !== one.entry.project_name)
  })
  const days = [...groupBy(switched, ({ local }) => [local.day])]
    .sort((a, b) => b.members.length - a.members.length || a.key - b.key)
  const worst = days[0]
  return [
    makeFact({
      id: "switch.count",
      label: "Switches to another type or project within a day",
      value: switched.length,
      unit: "count",
      on: switched
    }),
    ...(worst === undefined ? [] : [
      makeFact({ id: "switch.most.date", label: "Day with most switches", value: worst.key, unit: "date", on: worst.members }),
      makeFact({
        id: "switch.most.count",
        label: "Switches on the day with most of them",
        value: worst.members.length,
        unit: "count",
        on: worst.members
      })
    ])
  ]
}

const meetingFreeFacts = (placed: ReadonlyArray<PlacedEntry>): ReadonlyArray<Fact> => {
  const free = groupBy(placed, ({ local }) => [local.day])
    .filter(({ members }) => members.every(({ entry }) => entry.type !== "meeting"))
  return [
    makeFact({
      id: "meeting_free.days",
      label: "Days with entries but without a meeting",
      value: free.length,
      unit: "count",
      on: free.flatMap(({ members }) => members)
    })
  ]
}
