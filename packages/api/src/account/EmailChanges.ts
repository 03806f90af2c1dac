/**
 * Another e-mail address for an account (docs/decisions/0044): asked for with the password, and confirmed by whoever is logged in to
 * the account and has the token that went to the new address. The old address is told of both.
 */
import { EmailChange, type EmailRequest, NewEmailChange, type Profile } from "@englog/rpc/http/AccountView"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, Conflict, Forbidden, NotFound, type ServiceUnavailable, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { Context, DateTime, Duration, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { randomBytes } from "node:crypto"
import { SessionRepo } from "../auth/SessionRepo.ts"
import { UserRepo } from "../auth/UserRepo.ts"
import { hashOf } from "../crypto/SecretHash.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Mails } from "../mail/Mails.ts"
import { RateLimits } from "../security/RateLimits.ts"
import { recordReachedLimit } from "../security/ReachedLimits.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { EmailChangeRepo } from "./EmailChangeRepo.ts"
import { gone, Ownership, sessionOf } from "./Ownership.ts"
import { ProfileRepo } from "./ProfileRepo.ts"

type Caller = CurrentUser["Service"]

export const changeLife = Duration.hours(24)

/** Each writes to an address of the caller's choice. */
const requestLimit = { name: "email-change", limit: 5, window: Duration.hours(1) } as const

export class EmailChanges extends Context.Service<EmailChanges, {
  readonly request: (
    caller: Caller,
    request: EmailRequest
  ) => Effect.Effect<NewEmailChange, BadRequest | Forbidden | NotFound | TooManyRequests | ServiceUnavailable>
  readonly open: (caller: Caller) => Effect.Effect<EmailChange, NotFound | ServiceUnavailable>
  readonly withdraw: (caller: Caller) => Effect.Effect<void, NotFound | ServiceUnavailable>
  readonly confirm: (caller: Caller, token: string) => Effect.Effect<Profile, Conflict | Forbidden | NotFound | ServiceUnavailable>
}>()("@englog/api/account/EmailChanges") {
  static readonly layer = Layer.effect(
    EmailChanges,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* EmailChangeRepo
      const profiles = yield* ProfileRepo
      const users = yield* UserRepo
      const sessions = yield* SessionRepo
      const mails = yield* Mails
      const limits = yield* RateLimits
      const { prove } = yield* Ownership
      const events = yield* SecurityEvents
      const recordReached = recordReachedLimit(limits, events)

      /** The token leaves by the letter alone, except where no letter can be sent at all. */
      const begin = Effect.fnUntraced(function*({ id, organization_id }: Caller, { email }: EmailRequest) {
        const token = randomBytes(32).toString("base64url")
        const change = yield* repo.put(id, email, hashOf(token), changeLife)
        const { expires_at } = change
        const posted = yield* mails.post({ user_id: id, organization_id }, email, { template: "email_change", token, expires_at, url: mails.url })
        yield* mails.postTo(id, ({ first_name }, url) => ({ template: "email_change_requested", first_name, email, expires_at, url }))
        return new NewEmailChange({ ...change, token: posted.status === "not_configured" ? token : null })
      })

      /** The account is locked first, as by whoever deletes it. */
      const change = Effect.fnUntraced(function*(caller: Caller, token: string) {
        const current = yield* sessionOf(caller)
        const before = yield* profiles.lock(caller.id)
        if (Option.isNone(before)) return yield* gone
        const taken = yield* repo.take(caller.id, hashOf(token))
        if (Option.isNone(taken)) return yield* unknown
        const { email } = taken.value
        yield* users.setEmail(caller.id, email)
        const at = yield* DateTime.now
        const { email: former, first_name, organization_id } = before.value
        yield* mails.post({ user_id: caller.id, organization_id }, former, { template: "email_changed", first_name, email, at })
        const ended = yield* sessions.revokeOthers(caller.id, current, "email")
        const profile = yield* profiles.find(caller.id)
        return Option.isSome(profile) ? { profile: profile.value, ended } : yield* gone
      })

      return EmailChanges.of({
        request: Effect.fn("EmailChanges.request")(function*(caller, request) {
          yield* prove(caller.id, { password: request.password, field: "password", purpose: "email" })
          const profile = yield* orUnavailable(profiles.find(caller.id))
          if (Option.isNone(profile)) return yield* gone
          if (profile.value.email.toLowerCase() === request.email) return yield* new BadRequest({ error: "email: is the address of your account already" })
          yield* Effect.tapError(limits.take(requestLimit, caller.id), () => recordReached(requestLimit))
          const made = yield* orUnavailable(sql.withTransaction(begin(caller, request)))
          yield* events.record({ event: "email_change_requested", user_id: caller.id })
          return made
        }),
        open: Effect.fn("EmailChanges.open")(function*({ id }) {
          const found = yield* orUnavailable(repo.find(id))
          return Option.isSome(found) ? new EmailChange(found.value) : yield* none
        }),
        withdraw: Effect.fn("EmailChanges.withdraw")(function*({ id }) {
          if (!(yield* orUnavailable(repo.remove(id)))) return yield* none
          yield* events.record({ event: "email_change_withdrawn", user_id: id })
        }),
        confirm: Effect.fn("EmailChanges.confirm")(function*(caller, token) {
          const { ended, profile } = yield* orUnavailable(sql.withTransaction(change(caller, token))).pipe(
            // Told to nobody but who reads the mail of that address, or to whoever may ask at the registration as well.
            Effect.catchTag("EmailTaken", () => new Conflict({ error: "email: another account has this address by now" }))
          )
          yield* events.record({ event: "email_changed", user_id: caller.id, detail: { sessions: ended } })
          return profile
        })
      })
    })
  )
}

const none = new NotFound({ error: "no change of your e-mail address is under way" })
const unknown = new NotFound({ error: "token: there is no such change of your address, or it was used, replaced, withdrawn or has expired" })
