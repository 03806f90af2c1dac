/**
 * Registration, login and the life of a session (seed 004): every login opens a session, every refresh rotates its token.
 */
import { FamilyId, OrganizationId, UserId } from "@englog/domain/Ids"
import type { User } from "@englog/domain/users/User"
import { type LoginPayload, type RegisterPayload, SessionResponse, TokenResponse } from "@englog/rpc/http/AuthApi"
import { BadRequest, Conflict, NotFound, type ServiceUnavailable, type TooManyRequests, Unauthorized } from "@englog/rpc/http/HttpErrors"
import { Context, Duration, Effect, Layer, Option, type Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { SqlClient } from "effect/sql"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { accessTokenLife, type InvalidToken, Jwt, makeJti } from "./Jwt.ts"
import { recordRefusedToken } from "./RefusedToken.ts"
import { PasswordHasher } from "./PasswordHasher.ts"
import { type RateLimit, RateLimits } from "../security/RateLimits.ts"
import { recordReachedLimit } from "../security/ReachedLimits.ts"
import { Mails } from "../mail/Mails.ts"
import { RequestOrigin } from "../security/RequestOrigin.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { SessionRepo } from "./SessionRepo.ts"
import { UserRepo } from "./UserRepo.ts"

/** Failed logins: ten for one account, a hundred from one address, in a quarter of an hour. */
export const loginLimits = {
  account: { name: "login-account", limit: 10, window: Duration.minutes(15) },
  address: { name: "login-address", limit: 100, window: Duration.minutes(15) }
} as const

export class Accounts extends Context.Service<Accounts, {
  readonly register: (account: typeof RegisterPayload.Type) => Effect.Effect<SessionResponse, Conflict | ServiceUnavailable>
  /** `address`: where the attempt comes from, for the limit. */
  readonly login: (
    credentials: typeof LoginPayload.Type,
    address: string
  ) => Effect.Effect<SessionResponse, Unauthorized | TooManyRequests | ServiceUnavailable>
  readonly refresh: (token: Redacted.Redacted<string>) => Effect.Effect<TokenResponse, Unauthorized | ServiceUnavailable>
  readonly logout: (token: Redacted.Redacted<string>) => Effect.Effect<void, BadRequest | Unauthorized | ServiceUnavailable>
  readonly me: (id: UserId) => Effect.Effect<User, NotFound | ServiceUnavailable>
}>()("@englog/api/auth/Accounts") {
  static readonly layer: Layer.Layer<Accounts, never, Jwt | Mails | SqlClient.SqlClient | PasswordHasher | RateLimits | SecurityEvents | SessionRepo | UserRepo> = Layer.effect(
    Accounts,
    Effect.gen(function*() {
      const jwt = yield* Jwt
      const hasher = yield* PasswordHasher
      const limits = yield* RateLimits
      const events = yield* SecurityEvents
      const recordReached = recordReachedLimit(limits, events)
      const recordForged = recordRefusedToken(events)
      const sessions = yield* SessionRepo
      const users = yield* UserRepo
      const mails = yield* Mails
      const sql = yield* SqlClient.SqlClient

      const attempt = (limit: RateLimit, key: string) => Effect.tapError(limits.take(limit, key), () => recordReached(limit))

      const issue = Effect.fnUntraced(function*(user: UserId, family: FamilyId) {
        const jti = yield* makeJti
        return {
          access_token: yield* jwt.signAccess({ user, family }),
          refresh_token: yield* jwt.signRefresh({ user, family, jti }),
          expires_in: Duration.toSeconds(accessTokenLife),
          token_type: "Bearer"
        } as const
      })

      const begin = Effect.fnUntraced(function*(user: SessionResponse["user"]) {
        const family = FamilyId.make(randomUUID())
        yield* orUnavailable(sessions.open(family, user.id, yield* RequestOrigin))
        const { id, email, first_name, last_name } = user
        return new SessionResponse({ ...(yield* issue(user.id, family)), user: { id, email, first_name, last_name } })
      })

      /** Unknown accounts cost the same work, so that time does not tell which addresses have one. */
      const matching = Effect.fnUntraced(function*({ email, password }: typeof LoginPayload.Type) {
        const known = yield* orUnavailable(users.findCredentials(email))
        const matches = yield* Option.match(known, {
          onNone: () => hasher.verifyNobody(password),
          onSome: (user) => hasher.verify(user.password_hash, password)
        }).pipe(Effect.orDie)
        if (matches && Option.isSome(known)) return known.value
        yield* events.record(Option.match(known, {
          onNone: () => ({ event: "login_failed", detail: { reason: "unknown_account" } } as const),
          onSome: (user) => ({ event: "login_failed", user_id: user.id, detail: { reason: "wrong_password" } } as const)
        }))
        return yield* new Unauthorized({ error: "email or password is wrong" })
      })

      return Accounts.of({
        register: Effect.fn("Accounts.register")(function*(account) {
          const { email, first_name, last_name, timezone } = account
          const id = UserId.make(randomUUID())
          const organization_id = OrganizationId.make(randomUUID())
          const password_hash = yield* hasher.hash(account.password)
          const created = sql.withTransaction(Effect.andThen(
            users.create({ id, organization_id, email, password_hash, first_name, last_name, timezone }),
            mails.post({ user_id: id, organization_id }, email, { template: "welcome", first_name, url: mails.url })
          )).pipe(
            Effect.as(true),
            Effect.catchTag("EmailTaken", () => Effect.succeed(false))
          )
          if (!(yield* orUnavailable(created))) {
            return yield* new Conflict({ error: "email: this address already has an account" })
          }
          yield* events.record({ event: "registered", user_id: id })
          return yield* begin({ id, email, first_name, last_name })
        }),
        login: Effect.fn("Accounts.login")(function*(credentials, address) {
          yield* attempt(loginLimits.account, credentials.email)
          yield* attempt(loginLimits.address, address)
          const user = yield* matching(credentials)
          yield* limits.giveBack(loginLimits.account, credentials.email)
          yield* limits.giveBack(loginLimits.address, address)
          yield* orUnavailable(users.recordLogin(user.id))
          yield* events.record({ event: "login", user_id: user.id })
          return yield* begin(user)
        }),
        refresh: Effect.fn("Accounts.refresh")(function*(token) {
          const { user, family, jti } = yield* jwt.verifyRefresh(token).pipe(Effect.tapError(recordForged), Effect.mapError(unauthorized))
          const rotation = yield* orUnavailable(sessions.rotate(family, jti))
          if (rotation === "reused") yield* events.record({ event: "refresh_reused", user_id: user })
          if (rotation !== "rotated") return yield* ended
          return new TokenResponse(yield* issue(user, family))
        }),
        logout: Effect.fn("Accounts.logout")(function*(token) {
          const { user, family, jti } = yield* jwt.verifyRefresh(token).pipe(
            Effect.tapError(recordForged),
            Effect.mapError((invalid) =>
              invalid.reason === "type" ? new BadRequest({ error: `refresh_token: ${invalid.message}` }) : unauthorized(invalid))
          )
          if (!(yield* orUnavailable(sessions.close(family, jti)))) return yield* ended
          yield* events.record({ event: "session_ended", user_id: user })
        }),
        me: Effect.fn("Accounts.me")(function*(id) {
          const user = yield* orUnavailable(users.find(id))
          if (Option.isNone(user)) return yield* new NotFound({ error: "this account no longer exists" })
          return user.value
        })
      })
    })
  )
}

const ended = new Unauthorized({ error: "refresh_token: was used before, or its session has ended; log in again" })

const unauthorized = (invalid: InvalidToken) => new Unauthorized({ error: `refresh_token: ${invalid.message}` })
