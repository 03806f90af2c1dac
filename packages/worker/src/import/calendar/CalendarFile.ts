/** An iCalendar file that somebody handed in. */
import type { ImportJob } from "@englog/domain/imports/ImportInput"
import { Effect, Stream } from "effect"
import { TaskFailure } from "../../handlers/TaskHandler.ts"
import * as ImportSource from "../ImportSource.ts"
import { readIcs } from "./IcsItems.ts"

export const calendarFile = Effect.succeed(ImportSource.make("calendar_file", ({ attendee, ics }, job) => pagesOf(ics, attendee, job)))

/** Of a file's text, wherever it came from. */
export const pagesOf = (ics: string, attendee: string | null, { period, resume, timezone }: ImportJob): Stream.Stream<ImportSource.ImportPage, TaskFailure> =>
  period === null
    ? Stream.fail(new TaskFailure({ message: "a calendar is imported within a period, and this import names none", retryable: false }))
    : Stream.unwrap(Effect.map(readIcs({ ics, attendee, timezone, period }), (found) => ImportSource.paged(found, resume)))
