/**
 * A limit on authentication that was reached is a security event: one a minute for each limit and address, so that a flood of
 * requests is no flood of events.
 */
import { Duration, Effect } from "effect"
import type { RateLimit, RateLimits } from "./RateLimits.ts"
import { RequestOrigin } from "./RequestOrigin.ts"
import type { SecurityEvents } from "./SecurityEvents.ts"

const toldOnce: RateLimit = { name: "told", limit: 1, window: Duration.minutes(1) }

export const recordReachedLimit = ({ take }: RateLimits["Service"], { record }: SecurityEvents["Service"]) => ({ name }: RateLimit) =>
  Effect.gen(function*() {
    const { address } = yield* RequestOrigin
    yield* take(toldOnce, `${name} ${address}`)
    yield* record({ event: "rate_limited", detail: { limit: name } })
  }).pipe(Effect.ignore)
