/** Entries with the local day and hour in which they start. */
import { makeLocalClock, type Placed } from "@englog/domain/facts/LocalTime"
import type { AnalysedEntry } from "./AnalysedEntryRepo.ts"

export const place = (entries: ReadonlyArray<AnalysedEntry>, timezone: string): ReadonlyArray<Placed<AnalysedEntry>> => {
  const clock = makeLocalClock(timezone)
  return entries.map((entry) => ({ entry, start: entry.start, local: clock.at(entry.start) }))
}
