/**
 * The server's side of Authorization: the bearer token of the request becomes its CurrentUser.
 */
import { Authorization, CurrentUser } from "@englog/rpc/http/Authorization"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { Effect, Layer } from "effect"
import { Authenticator } from "./Authenticator.ts"

export const AuthorizationLive: Layer.Layer<Authorization, never, Authenticator> = Layer.effect(
  Authorization,
  Effect.map(Authenticator, ({ authenticate }) =>
    Authorization.of({
      bearer: Effect.fnUntraced(function*(httpEffect, { credential }) {
        const user = yield* authenticate(credential)
        yield* Effect.annotateCurrentSpan(Attribute.userId, user.id)
        return yield* httpEffect.pipe(
          Effect.provideService(CurrentUser, user),
          Effect.annotateLogs("user_id", user.id)
        )
      })
    }))
)
