/** What of the period's time lay outside the user's working hours, as dashboard and trends tell it, with the entries that it is part of. */
import { outsideWorkingHours, partsOutside } from "../metrics/OutsideWorkingHours.ts"
import type { WorkingHours } from "../users/WorkingHours.ts"
import type { Fact } from "./Fact.ts"
import type { LocalClock, PlacedEntry } from "./LocalTime.ts"
import { makeFact } from "./MakeFact.ts"

/** The first part of the ids of these facts: no others depend on working hours. */
export const OUTSIDE_HOURS = "outside_hours"

export const outsideFacts = (placed: ReadonlyArray<PlacedEntry>, hours: WorkingHours, clock: LocalClock): ReadonlyArray<Fact> => {
  const { entries, minutes, share } = outsideWorkingHours(placed, hours, clock)
  const on = partsOutside(placed, hours, clock).map(({ one }) => one)
  return [
    makeFact({ id: `${OUTSIDE_HOURS}.time`, label: "Time outside working hours", value: minutes, unit: "minutes", on }),
    makeFact({ id: `${OUTSIDE_HOURS}.share`, label: "Share of all time outside working hours", value: share, unit: "percent", on }),
    makeFact({ id: `${OUTSIDE_HOURS}.entries`, label: "Entries with time outside working hours", value: entries, unit: "count", on })
  ]
}
