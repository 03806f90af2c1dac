/**
 * The work that mattered most and the entries that took longest.
 *
 * Entries of the same title in the same project are one piece of work (a task worked on over several sittings). Pieces
 * rank like their best entry (value times impact), then by their minutes, then by their start.
 */
import { valueImpact } from "../metrics/ValueImpact.ts"
import type { Fact } from "./Fact.ts"
import { groupBy, minutesOf } from "./GroupFacts.ts"
import type { PlacedEntry } from "./LocalTime.ts"
import { makeFact } from "./MakeFact.ts"

export const MAX_HIGHLIGHTS = 12
export const MAX_LONGEST = 5

export const highlightFacts = (placed: ReadonlyArray<PlacedEntry>): ReadonlyArray<Fact> => [
  ...piecesOfWork(placed).slice(0, MAX_HIGHLIGHTS).flatMap((members, rank) => {
    const title = members[0]?.entry.title ?? ""
    const prefix = `highlight.${rank + 1}`
    return [
      makeFact({ id: `${prefix}.time`, label: `Time in “${title}”`, value: minutesOf(members), unit: "minutes", on: members }),
      makeFact({ id: `${prefix}.entries`, label: `Entries of “${title}”`, value: members.length, unit: "count", on: members })
    ]
  }),
  ...longest(placed).map((one, rank) =>
    makeFact({
      id: `longest.${rank + 1}.time`,
      label: `Length of the entry “${one.entry.title}”`,
      value: one.entry.duration_minutes,
      unit: "minutes",
      on: [one]
    })
  )
]

const piecesOfWork = (placed: ReadonlyArray<PlacedEntry>): ReadonlyArray<ReadonlyArray<PlacedEntry>> =>
  groupBy(placed, ({ entry }) => [JSON.stringify([entry.project_name, entry.title.trim().toLowerCase()])])
    .map(({ members }) => ({
      members,
      weight: Math.max(...members.map(({ entry }) => valueImpact(entry))),
      minutes: minutesOf(members),
      start: members[0]?.start ?? 0
    }))
    .sort((a, b) => b.weight - a.weight || b.minutes - a.minutes || a.start - b.start)
    .map(({ members }) => members)

/** `placed` is in the order of starts and sorting is stable: among equals the earliest comes first. */
const longest = (placed: ReadonlyArray<PlacedEntry>): ReadonlyArray<PlacedEntry> =>
  [...placed].sort((a, b) => b.entry.duration_minutes - a.entry.duration_minutes).slice(0, MAX_LONGEST)
