/** Authentication of RPCs: the same tokens as over REST, from each request's own headers. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { RpcAuthorization } from "@englog/rpc/rpc/RpcAuthorization"
import { RpcFailure } from "@englog/rpc/rpc/RpcFailure"
import { Effect, Layer, Redacted } from "effect"
import { toRpcFailure } from "../rpc/RpcFailures.ts"
import { Authenticator } from "./Authenticator.ts"

export const RpcAuthorizationLive = Layer.effect(
  RpcAuthorization,
  Effect.gen(function*() {
    const authenticator = yield* Authenticator
    return RpcAuthorization.of(Effect.fnUntraced(function*(effect, { headers }) {
      const [, token] = /^Bearer (.+)$/i.exec(headers["authorization"] ?? "") ?? []
      if (token === undefined) {
        return yield* new RpcFailure({ reason: "unauthorized", message: "an access token is needed", retry_after: null })
      }
      const user = yield* authenticator.authenticate(Redacted.make(token)).pipe(Effect.mapError(toRpcFailure))
      return yield* Effect.provideService(effect, CurrentUser, user)
    }))
  })
)
