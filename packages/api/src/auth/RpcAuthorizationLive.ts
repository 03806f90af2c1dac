/** Authentication of RPCs: the same tokens and limits as over REST, from each request's own headers. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { RequiredScope, scopeOfProcedure } from "@englog/rpc/http/RequiredScope"
import { StartsTask } from "@englog/rpc/http/StartsTask"
import { RpcAuthorization } from "@englog/rpc/rpc/RpcAuthorization"
import { rpcFailure, RpcFailure } from "@englog/rpc/rpc/RpcFailure"
import { Cause, Context, Effect, Layer, Redacted } from "effect"
import { RequestLimits } from "../http/edge/RequestLimits.ts"
import { requestIdOf } from "../http/edge/RequestId.ts"
import { toRpcFailure } from "../rpc/RpcFailures.ts"
import { RequestOrigin } from "../security/RequestOrigin.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { StillAuthorized } from "../http/OpenStreams.ts"
import { allowed } from "./ApiTokens.ts"
import { Authenticator } from "./Authenticator.ts"

export const RpcAuthorizationLive = Layer.effect(
  RpcAuthorization,
  Effect.gen(function*() {
    const { authenticate } = yield* Authenticator
    const limits = yield* RequestLimits
    const { record } = yield* SecurityEvents
    return RpcAuthorization.of(Effect.fnUntraced(function*(effect, { headers, rpc }) {
      const request_id = requestIdOf(headers)
      const authorized = Effect.gen(function*() {
        const [, token] = /^Bearer (.+)$/i.exec(headers["authorization"] ?? "") ?? []
        if (token === undefined) {
          return yield* rpcFailure({ reason: "unauthorized", message: "an access token is needed" })
        }
        const user = yield* authenticate(Redacted.make(token)).pipe(Effect.mapError(toRpcFailure))
        yield* limits.ofUser(user, Context.get(rpc.annotations, StartsTask)).pipe(
          Effect.mapError(({ failure }) => toRpcFailure(failure))
        )
        const annotated = Context.get(rpc.annotations, RequiredScope)
        const mayDoIt = allowed(user.credential, scopeOfProcedure(rpc._tag, annotated))
        return yield* Effect.andThen(Effect.mapError(mayDoIt, toRpcFailure), effect).pipe(
          Effect.provideService(CurrentUser, user),
          Effect.provideService(StillAuthorized, authenticate(Redacted.make(token))),
          Effect.tapError((failure) =>
            failure instanceof RpcFailure && failure.reason === "forbidden"
              ? record({ event: "access_denied", user_id: user.id, detail: { rpc: rpc._tag } })
              : Effect.void),
          // The caller is told nothing about a fault of ours: it stands here or nowhere.
          Effect.tapCause((cause) => Cause.hasDies(cause) ? Effect.logError(`${rpc._tag} failed`, cause) : Effect.void),
          Effect.annotateLogs("user_id", user.id)
        )
      })
      return yield* authorized.pipe(
        Effect.provideService(RequestOrigin, { request_id, address: null, user_agent: null }),
        Effect.annotateLogs({ component: "rpc", operation: rpc._tag, request_id })
      )
    }))
  })
)
