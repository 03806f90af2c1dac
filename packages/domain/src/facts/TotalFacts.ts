/**
 * The figures of the whole set: how much, how often, over which days, and how well it is described.
 */
import type { Fact } from "./Fact.ts"
import { minutesOf } from "./GroupFacts.ts"
import type { PlacedEntry } from "./LocalTime.ts"
import { makeFact } from "./MakeFact.ts"

export interface Period {
  /** Days since 1970-01-01, both inclusive. */
  readonly first: number
  readonly last: number
}

export const totalFacts = (placed: ReadonlyArray<PlacedEntry>, period: Period): ReadonlyArray<Fact> => {
  const minutes = minutesOf(placed)
  const inProjects = placed.filter(({ entry }) => entry.project_name !== null)
  const described = placed.filter(({ entry }) => (entry.description ?? "").trim() !== "")
  return [
    makeFact({ id: "period.start", label: "First day of the period", value: period.first, unit: "date", on: [] }),
    makeFact({ id: "period.end", label: "Last day of the period", value: period.last, unit: "date", on: [] }),
    makeFact({ id: "total.time", label: "Time recorded", value: minutes, unit: "minutes", on: placed }),
    makeFact({ id: "total.entries", label: "Entries recorded", value: placed.length, unit: "count", on: placed }),
    makeFact({
      id: "total.days",
      label: "Days with entries",
      value: new Set(placed.map(({ local }) => local.day)).size,
      unit: "count",
      on: placed
    }),
    makeFact({
      id: "total.projects",
      label: "Projects worked on",
      value: new Set(inProjects.map(({ entry }) => entry.project_name)).size,
      unit: "count",
      on: inProjects
    }),
    makeFact({
      id: "average.entry",
      label: "Average length of an entry",
      value: minutes / placed.length,
      unit: "minutes",
      on: placed
    }),
    makeFact({
      id: "described.share",
      label: "Share of entries that have a description",
      value: described.length / placed.length * 100,
      unit: "percent",
      on: described
    })
  ]
}
