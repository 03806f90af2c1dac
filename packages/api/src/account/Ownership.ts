/** That whoever is logged in knows the password as well: asked before what cannot be undone. Counts as logins do. */
import type { FamilyId, UserId } from "@englog/domain/Ids"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { Forbidden, NotFound, type ServiceUnavailable, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { Context, Effect, Layer, Option, type Redacted } from "effect"
import { loginLimits } from "../auth/Accounts.ts"
import { PasswordHasher } from "../auth/PasswordHasher.ts"
import { UserRepo } from "../auth/UserRepo.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { RateLimits } from "../security/RateLimits.ts"
import { recordReachedLimit } from "../security/ReachedLimits.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"

export interface Claim {
  readonly password: Redacted.Redacted<string>
  /** Name of the field that holds it. */
  readonly field: string
  /** What it is asked for, as the audit log says it. */
  readonly purpose: string
}

export class Ownership extends Context.Service<Ownership, {
  readonly prove: (user: UserId, claim: Claim) => Effect.Effect<void, Forbidden | NotFound | TooManyRequests | ServiceUnavailable>
}>()("@englog/api/account/Ownership") {
  static readonly layer = Layer.effect(
    Ownership,
    Effect.gen(function*() {
      const users = yield* UserRepo
      const hasher = yield* PasswordHasher
      const limits = yield* RateLimits
      const events = yield* SecurityEvents
      const recordReached = recordReachedLimit(limits, events)
      return Ownership.of({
        prove: Effect.fn("Ownership.prove")(function*(user, { field, password, purpose }) {
          const known = yield* orUnavailable(users.findCredentialsOf(user))
          if (Option.isNone(known)) return yield* gone
          // The same counter as that of logins: there are not twice as many guesses for whoever stole a token.
          const { email, password_hash } = known.value
          yield* Effect.tapError(limits.take(loginLimits.account, email), () => recordReached(loginLimits.account))
          if (!(yield* Effect.orDie(hasher.verify(password_hash, password)))) {
            yield* events.record({ event: "password_refused", user_id: user, detail: { for: purpose } })
            return yield* new Forbidden({ error: `${field}: is wrong` })
          }
          yield* limits.giveBack(loginLimits.account, email)
        })
      })
    })
  )
}

/** Whoever came by an API token has no session; the edge lets nobody like that get here. */
export const sessionOf = ({ credential }: CurrentUser["Service"]): Effect.Effect<FamilyId, Forbidden> =>
  credential._tag === "Session" ? Effect.succeed(credential.id) : Effect.fail(new Forbidden({ error: "an API token may not do this; log in" }))

export const gone = new NotFound({ error: "this account no longer exists" })
