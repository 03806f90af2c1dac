/** Of which days is imported. */
import { countDays } from "@englog/domain/users/LocalDays"
import { TimeZone } from "@englog/domain/users/TimeZone"
import { Schema } from "effect"
import { LocalDate } from "./Times.ts"

/** Days of one import. */
export const MAX_IMPORT_DAYS = 3_660

export const periodFields = {
  from: Schema.optionalKey(LocalDate.annotate({ description: "First local day; what starts earlier is skipped." })),
  to: Schema.optionalKey(LocalDate.annotate({ description: "Last local day; what starts later is skipped." })),
  timezone: Schema.optionalKey(TimeZone.annotate({ description: "Of times that name no zone; yours where it is not given." }))
}

interface Days {
  readonly from?: string
  readonly to?: string
}

export const shortEnough = Schema.makeFilter((days: Days) =>
  days.from !== undefined && days.to !== undefined && countDays(days.from, days.to) > MAX_IMPORT_DAYS
    ? { path: ["to"], issue: `must be at most ${MAX_IMPORT_DAYS} days after from` }
    : undefined, { toJsonSchema: () => [{}, true] })
