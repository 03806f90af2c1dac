/**
 * How many requests one address and one user or API token may make. What is left is told in the headers `RateLimit-Limit`,
 * `RateLimit-Remaining` and `RateLimit-Reset` (seconds), of the limit that is nearest to its end; a request too many is
 * answered 429 with `Retry-After`.
 */
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import type { TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { Context, Data, Effect, Layer } from "effect"
import { HttpServerResponse } from "effect/http"
import { type Quota, type RateLimit, RateLimits } from "../../security/RateLimits.ts"
import { recordReachedLimit } from "../../security/ReachedLimits.ts"
import { SecurityEvents } from "../../security/SecurityEvents.ts"
import { EdgePolicy } from "./EdgePolicy.ts"
import { failureBody } from "../errors/ErrorBody.ts"
import { isAuthentication, isProbe } from "../RouteTable.ts"

/** A limit was reached; `failure` says when to come back. */
export class LimitExceeded extends Data.TaggedError("LimitExceeded")<{
  readonly limit: RateLimit
  readonly failure: TooManyRequests
}> {}

type Caller = Pick<CurrentUser["Service"], "id" | "credential">

export class RequestLimits extends Context.Service<RequestLimits, {
  /** One more request from an address; answers what is left, undefined where nothing limits it. */
  readonly ofAddress: (address: string, request: { readonly method: string; readonly url: string }) => Effect.Effect<Quota | undefined, LimitExceeded>
  /** One more request of a user or of their API token; `startsTask`: it makes a worker work. */
  readonly ofUser: (user: Caller, startsTask: boolean) => Effect.Effect<Quota | undefined, LimitExceeded>
}>()("@englog/api/http/RequestLimits") {
  static readonly layer: Layer.Layer<RequestLimits, never, RateLimits | SecurityEvents> = Layer.effect(
    RequestLimits,
    Effect.gen(function*() {
      const { limits: { address: perAddress, auth, starts, token: perToken, user: perUser } } = yield* EdgePolicy
      const limits = yield* RateLimits
      const recordReached = recordReachedLimit(limits, yield* SecurityEvents)

      const one = (limit: RateLimit | null, key: string): Effect.Effect<Quota | undefined, LimitExceeded> =>
        limit === null ? unlimited : Effect.mapError(limits.take(limit, key), (failure) => new LimitExceeded({ limit, failure }))

      const both = (one: Effect.Effect<Quota | undefined, LimitExceeded>, other: Effect.Effect<Quota | undefined, LimitExceeded>) =>
        Effect.zipWith(one, other, tighter)

      return RequestLimits.of({
        ofAddress: (address, { method, url }) =>
          isProbe(url)
            ? unlimited
            : method === "POST" && isAuthentication(url)
            ? Effect.tapError(both(one(perAddress, address), one(auth, address)), ({ limit }) => recordReached(limit))
            : one(perAddress, address),
        ofUser: ({ credential, id }, startsTask) => {
          const request = credential._tag === "ApiToken" ? one(perToken, credential.id) : one(perUser, id)
          return startsTask ? both(request, one(starts, id)) : request
        }
      })
    })
  )
}

const unlimited: Effect.Effect<Quota | undefined> = Effect.undefined

const tighter = (one: Quota | undefined, other: Quota | undefined): Quota | undefined =>
  one === undefined || (other !== undefined && other.remaining < one.remaining) ? other : one

/** The 429 of a limit that was reached. */
export const exceededAnswer = ({ failure, limit }: LimitExceeded): HttpServerResponse.HttpServerResponse =>
  withQuota(failureBody(failure), { limit: limit.limit, remaining: 0, reset: failure.retry_after })

/** Tells what is left, where the answer does not tell of a tighter limit already. */
export const withQuota = (
  response: HttpServerResponse.HttpServerResponse,
  quota: Quota | undefined
): HttpServerResponse.HttpServerResponse => {
  if (quota === undefined) return response
  const told = response.headers["ratelimit-remaining"]
  return told !== undefined && Number(told) <= quota.remaining
    ? response
    : HttpServerResponse.setHeaders(response, {
      "ratelimit-limit": String(quota.limit),
      "ratelimit-remaining": String(quota.remaining),
      "ratelimit-reset": String(quota.reset)
    })
}
