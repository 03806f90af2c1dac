/**
 * The server's side of Authorization: the bearer token of the request becomes its CurrentUser, who has a limit of requests. An
 * API token does what its scopes allow.
 */
import { Authorization, CurrentUser } from "@englog/rpc/http/Authorization"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { Forbidden } from "@englog/rpc/http/HttpErrors"
import { RequiredScope, scopeOfMethod } from "@englog/rpc/http/RequiredScope"
import { StartsTask } from "@englog/rpc/http/StartsTask"
import { Context, Effect, Layer, Predicate } from "effect"
import { exceededAnswer, RequestLimits, withQuota } from "../http/edge/RequestLimits.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { StillAuthorized } from "../http/OpenStreams.ts"
import { allowed } from "./ApiTokens.ts"
import { Authenticator } from "./Authenticator.ts"

export const AuthorizationLive: Layer.Layer<Authorization, never, Authenticator | RequestLimits | SecurityEvents> = Layer.effect(
  Authorization,
  Effect.gen(function*() {
    const { authenticate } = yield* Authenticator
    const limits = yield* RequestLimits
    const { record } = yield* SecurityEvents
    return Authorization.of({
      bearer: Effect.fnUntraced(function*(httpEffect, { credential, endpoint }) {
        const user = yield* authenticate(credential)
        yield* Effect.annotateCurrentSpan(Attribute.userId, user.id)
        const annotated = Context.get(endpoint.annotations, RequiredScope)
        const denied = record({ event: "access_denied", user_id: user.id, detail: { method: endpoint.method, route: endpoint.path } })
        const mayDoIt = Effect.tapError(allowed(user.credential, scopeOfMethod(endpoint.method, annotated)), () => denied)
        const handled = httpEffect.pipe(
          Effect.provideService(CurrentUser, user),
          Effect.provideService(StillAuthorized, authenticate(credential)),
          Effect.tapError((failure) =>
            isForbidden(failure) ? denied : Effect.void),
          Effect.annotateLogs("user_id", user.id)
        )
        return yield* Effect.matchEffect(limits.ofUser(user, Context.get(endpoint.annotations, StartsTask)), {
          onSuccess: (quota) => Effect.andThen(mayDoIt, Effect.map(handled, (answer) => withQuota(answer, quota))),
          onFailure: (exceeded) => Effect.succeed(exceededAnswer(exceeded))
        })
      })
    })
  })
)

/** HttpApi wraps what a handler fails with while it passes through a security middleware. */
const isForbidden = (failure: unknown): boolean => Predicate.hasProperty(failure, "error") && failure.error instanceof Forbidden
