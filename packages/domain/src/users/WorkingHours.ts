/**
 * When somebody works: intervals by the clock on the wall in their zone, weekday by weekday. Work that goes on over midnight is two
 * intervals: until 24:00, and from 00:00 of the day after.
 */
import { Effect, Schema } from "effect"

/** Of one day. */
export const MAX_INTERVALS = 8

const minute = /^(?:[01]\d|2[0-3]):[0-5]\d$/

const WallTime = (last: "23:59" | "24:00") =>
  Schema.String.check(Schema.makeFilter<string>(
    (time) => minute.test(time) || time === last ? undefined : `must be a time of day as HH:MM, from 00:00 to ${last}`,
    {
      expected: "a time of day as HH:MM",
      toJsonSchema: () => [{ pattern: last === "24:00" ? "^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$" : "^([01]\\d|2[0-3]):[0-5]\\d$" }, true]
    }
  ))

const Interval = Schema.Struct({
  start: WallTime("23:59"),
  end: WallTime("24:00").annotate({ description: "After the start; 24:00 is the end of the day." })
})

/** In order, without overlap. */
const Day = Schema.Array(Interval).check(
  Schema.isMaxLength(MAX_INTERVALS, { expected: `at most ${MAX_INTERVALS} intervals` }),
  Schema.makeFilter<ReadonlyArray<typeof Interval.Type>>((intervals) => {
    for (const [index, { end, start }] of intervals.entries()) {
      if (end <= start) return { path: [index, "end"], issue: "must be after start" }
      const before = intervals[index - 1]
      if (before !== undefined && start < before.end) return { path: [index, "start"], issue: "must not be before the end of the interval before it" }
    }
    return undefined
  }, { toJsonSchema: () => [{}, true] })
)

const day = Day.annotate({ default: [] }).pipe(Schema.withDecodingDefaultKey(Effect.succeed([])))

/** From Monday, which is 1 in ISO, to Sunday. */
export const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const

/** As it is shown. */
export const WorkingHours = Schema.Struct({
  monday: Day, tuesday: Day, wednesday: Day, thursday: Day, friday: Day, saturday: Day, sunday: Day
}).annotate({ identifier: "WorkingHours" })
export type WorkingHours = typeof WorkingHours.Type

/** As it is written: a weekday that is left out is free. */
export const WorkingHoursRequest = Schema.Struct({
  monday: day, tuesday: day, wednesday: day, thursday: day, friday: day, saturday: day, sunday: day
}).check(Schema.makeFilter<WorkingHours>(
  (hours) => weekdays.some((weekday) => hours[weekday].length > 0) ? undefined : "must have an interval, or be null",
  { toJsonSchema: () => [{}, true] }
)).annotate({ identifier: "WorkingHoursRequest", description: "By the clock on the wall in your time zone; a weekday that is left out is free." })
