/**
 * Which entries tell most about a period: those of highest value times impact, then the longest, then the earliest.
 */
import { DateTime } from "effect"
import type { FactEntry } from "../facts/Fact.ts"
import { valueImpact } from "../metrics/ValueImpact.ts"

/** Most telling first. The order is total (ids decide last), so the same entries always rank the same. */
export const rankEntries = (entries: ReadonlyArray<FactEntry>): ReadonlyArray<FactEntry> =>
  [...entries].sort((a, b) =>
    valueImpact(b) - valueImpact(a)
    || b.duration_minutes - a.duration_minutes
    || DateTime.toEpochMillis(a.start_time) - DateTime.toEpochMillis(b.start_time)
    || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  )
