/**
 * From an access token or an API token to its caller, for HTTP and RPC alike. A revoked session or token, a removed user or an
 * expired token is noticed within three seconds: that is how long an answer is reused.
 */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { type ServiceUnavailable, Unauthorized } from "@englog/rpc/http/HttpErrors"
import { Cache, Context, Duration, Effect, Exit, Layer, Option, Redacted } from "effect"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { ApiTokenRepo } from "./ApiTokenRepo.ts"
import { hashOf } from "../crypto/SecretHash.ts"
import { isApiToken } from "./ApiTokens.ts"
import { InvalidToken, Jwt } from "./Jwt.ts"
import { recordRefusedToken } from "./RefusedToken.ts"
import { UserRepo } from "./UserRepo.ts"

export class Authenticator extends Context.Service<Authenticator, {
  readonly authenticate: (
    token: Redacted.Redacted<string>
  ) => Effect.Effect<CurrentUser["Service"], Unauthorized | ServiceUnavailable>
}>()("@englog/api/auth/Authenticator") {
  static readonly layer: Layer.Layer<Authenticator, never, ApiTokenRepo | Jwt | SecurityEvents | UserRepo> = Layer.effect(
    Authenticator,
    Effect.gen(function*() {
      const jwt = yield* Jwt
      const users = yield* UserRepo
      const tokens = yield* ApiTokenRepo
      const recordForged = recordRefusedToken(yield* SecurityEvents)
      const holderOf = Effect.fnUntraced(function*(token: string) {
        const found = yield* orUnavailable(tokens.use(hashOf(token)))
        if (Option.isNone(found)) return yield* new InvalidToken({ reason: "unknown", message: "there is no such API token, or it was revoked" })
        const { expired, is_admin, scopes, token_id, ...user } = found.value
        if (expired) return yield* new InvalidToken({ reason: "expired", message: "the API token has expired" })
        // What asks for `admin` asks for an administrator besides; what asks for `bounces` relies on who could give it.
        const held = is_admin ? scopes : scopes.filter((scope) => scope !== "bounces")
        return { ...user, is_admin: is_admin && scopes.includes("admin"), credential: { _tag: "ApiToken", id: token_id, scopes: held } } as const
      })
      const callerOf = Effect.fnUntraced(function*(token: string) {
        const { family, user } = yield* jwt.verifyAccess(Redacted.make(token))
        const caller = yield* orUnavailable(users.findCaller(user, family))
        if (Option.isSome(caller)) return { ...caller.value, credential: { _tag: "Session", id: family } } as const
        return yield* new Unauthorized({ error: "authorization: the session has ended; log in again" })
      })
      const lookUp = (token: string): Effect.Effect<CurrentUser["Service"], InvalidToken | Unauthorized | ServiceUnavailable> =>
        isApiToken(token) ? holderOf(token) : callerOf(token)
      const callers = yield* Cache.makeWith(lookUp, {
        capacity: 10_000,
        timeToLive: (exit) => Exit.isSuccess(exit) ? Duration.seconds(3) : Duration.zero
      })
      return Authenticator.of({
        authenticate: Effect.fn("Authenticator.authenticate")(function*(token: Redacted.Redacted<string>) {
          if (Redacted.value(token) === "") {
            return yield* new Unauthorized({ error: "authorization: a bearer token is required; log in at /v1/auth/login" })
          }
          return yield* Cache.get(callers, Redacted.value(token)).pipe(
            Effect.catchTag("InvalidToken", (invalid) => Effect.andThen(recordForged(invalid), refused(invalid)))
          )
        })
      })
    })
  )
}

const refused = (invalid: InvalidToken) => new Unauthorized({ error: `authorization: ${invalid.message}` })
