/** How long an API wants to be left alone: Retry-After (RFC 9110, 10.2.3), and GitHub's headers of primary and secondary limits. */
import { DateTime, Duration, Option } from "effect"
import type { GuardedResponse } from "../web/GuardedFetch.ts"
import { retryAfter, until } from "../web/RetryAfter.ts"

/** GitHub asks for a minute where a secondary limit says nothing else. */
const UNTOLD = Duration.minutes(1)

export const limitOf = (response: GuardedResponse, now: DateTime.Utc): Option.Option<Duration.Duration> =>
  isLimit(response)
    ? Option.some(Option.getOrElse(Option.orElse(retryAfter(response.headers, now), () => reset(response, now)), () => UNTOLD))
    : Option.none()

const isLimit = ({ body, headers, status }: GuardedResponse): boolean =>
  status === 429
  || (status === 503 && headers["retry-after"] !== undefined)
  || (status === 403 && (headers["retry-after"] !== undefined || headers["x-ratelimit-remaining"] === "0" || /rate limit/i.test(new TextDecoder().decode(body.subarray(0, 2_000)))))

/** Seconds since 1970, of a clock that may be a second ahead. */
const reset = ({ headers }: GuardedResponse, now: DateTime.Utc): Option.Option<Duration.Duration> => {
  const said = headers["x-ratelimit-reset"]?.trim() ?? ""
  if (headers["x-ratelimit-remaining"] !== "0" || !/^\d{1,11}$/.test(said)) return Option.none()
  return Option.map(DateTime.make(Number(said) * 1_000), (at) => until(DateTime.add(at, { seconds: 1 }), now))
}
