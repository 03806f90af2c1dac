/** An iCalendar file at an address, fetched as everything is that a user names. */
import { Duration, Effect, Stream } from "effect"
import { TaskFailure } from "../../handlers/TaskHandler.ts"
import { GuardedFetch } from "../../web/GuardedFetch.ts"
import * as ImportSource from "../ImportSource.ts"
import { pagesOf } from "./CalendarFile.ts"

/** Ten times what can be handed in as a file. */
const MAX_BYTES = 10 * 1024 * 1024
const TIMEOUT = Duration.seconds(60)

export const calendarUrl = Effect.map(GuardedFetch, ({ fetch }) =>
  ImportSource.make("calendar_url", ({ attendee, url }, job) =>
    Stream.unwrap(Effect.gen(function*() {
      // webcal is how calendars are linked to; it means https.
      const response = yield* fetch({
        method: "GET",
        url: url.replace(/^webcals?:/i, "https:"),
        headers: { accept: "text/calendar, */*;q=0.5", "accept-encoding": "gzip, br" },
        redirects: 5,
        maxBytes: MAX_BYTES,
        excess: "fail",
        timeout: TIMEOUT
      }).pipe(Effect.mapError(({ message, retryable }) => new TaskFailure({ message: `url: ${message}`, retryable })))
      if (response.status !== 200) {
        return yield* new TaskFailure({
          message: `url: the server answered ${response.status}`,
          retryable: response.status === 429 || response.status >= 500
        })
      }
      const ics = new TextDecoder("utf-8").decode(response.body)
      return /^\uFEFF?\s*BEGIN:VCALENDAR\s/i.test(ics)
        ? pagesOf(ics, attendee, job)
        : yield* new TaskFailure({ message: "url: what it answers is no iCalendar text: it does not begin with BEGIN:VCALENDAR", retryable: false })
    }))))
