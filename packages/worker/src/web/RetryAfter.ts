/** How long a server wants to be left alone: Retry-After (RFC 9110, 10.2.3), a number of seconds or an HTTP date. */
import { MAX_DELAY } from "@englog/domain/tasks/TaskPolicy"
import { DateTime, Duration, Option } from "effect"
import type { GuardedResponse } from "./GuardedFetch.ts"

type Headers = GuardedResponse["headers"]

/** None where it says nothing that can be understood. */
export const retryAfter = (headers: Headers, now: DateTime.Utc): Option.Option<Duration.Duration> => {
  const said = headers["retry-after"]?.trim() ?? ""
  return /^\d{1,9}$/.test(said) ? Option.some(Duration.seconds(Number(said))) : Option.map(DateTime.make(said), (at) => until(DateTime.toUtc(at), now))
}

/** Milliseconds, for a task that is tried again: 0 where nothing was said, `MAX_DELAY` at most. */
export const retryDelay = (headers: Headers, now: DateTime.Utc): number =>
  Math.min(Option.match(retryAfter(headers, now), { onNone: () => 0, onSome: Duration.toMillis }), MAX_DELAY)

export const until = (at: DateTime.Utc, now: DateTime.Utc): Duration.Duration =>
  DateTime.isGreaterThan(at, now) ? DateTime.distance(now, at) : Duration.zero
