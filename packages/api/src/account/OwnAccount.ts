/** What a person changes of their own account: profile, preferences, password, sessions, API tokens. */
import { ApiTokenId, type FamilyId, type UserId } from "@englog/domain/Ids"
import {
  type ApiToken, type ApiTokenRequest, LoginSession, MAX_TOKENS, NewApiToken, type PasswordRequest, type Preferences, type PreferencesRequest, type Profile,
  type ProfileRequest
} from "@englog/rpc/http/AccountView"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { type BadRequest, Conflict, Forbidden, NotFound, type PreconditionFailed, type ServiceUnavailable, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { administrative } from "@englog/rpc/http/RequiredScope"
import { Context, DateTime, Effect, Layer, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { ApiTokenRepo } from "../auth/ApiTokenRepo.ts"
import { makeApiToken } from "../auth/ApiTokens.ts"
import { hashOf } from "../crypto/SecretHash.ts"
import { PasswordHasher } from "../auth/PasswordHasher.ts"
import { SessionRepo } from "../auth/SessionRepo.ts"
import { UserRepo } from "../auth/UserRepo.ts"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { type Seen, unlessStale, withEtag } from "../http/EntityTag.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Mails } from "../mail/Mails.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { EmailChangeRepo } from "./EmailChangeRepo.ts"
import { gone, Ownership, sessionOf } from "./Ownership.ts"
import { type ProfileChange, ProfileRepo } from "./ProfileRepo.ts"

type Caller = CurrentUser["Service"]

export interface PageRequest {
  readonly limit?: number
  readonly cursor?: string
}

interface PageOf<A> {
  readonly items: ReadonlyArray<A>
  readonly next_cursor: string | null
}

export class OwnAccount extends Context.Service<OwnAccount, {
  readonly profile: (caller: Caller) => Effect.Effect<Profile, NotFound | ServiceUnavailable>
  readonly updateProfile: (
    caller: Caller,
    change: ProfileRequest,
    seen: Seen
  ) => Effect.Effect<Profile, NotFound | PreconditionFailed | ServiceUnavailable>
  readonly preferences: (caller: Caller) => Effect.Effect<Preferences, NotFound | ServiceUnavailable>
  readonly updatePreferences: (
    caller: Caller,
    change: PreferencesRequest,
    seen: Seen
  ) => Effect.Effect<Preferences, NotFound | PreconditionFailed | ServiceUnavailable>
  readonly changePassword: (caller: Caller, change: PasswordRequest) => Effect.Effect<
    void,
    Forbidden | NotFound | TooManyRequests | ServiceUnavailable
  >
  readonly sessions: (caller: Caller, page: PageRequest) => Effect.Effect<PageOf<LoginSession>, BadRequest | ServiceUnavailable>
  readonly revokeSession: (caller: Caller, id: FamilyId) => Effect.Effect<void, NotFound | ServiceUnavailable>
  readonly revokeSessions: (caller: Caller) => Effect.Effect<{ readonly revoked: number }, Forbidden | ServiceUnavailable>
  readonly createToken: (caller: Caller, token: ApiTokenRequest) => Effect.Effect<NewApiToken, Forbidden | Conflict | ServiceUnavailable>
  readonly tokens: (caller: Caller, page: PageRequest) => Effect.Effect<PageOf<ApiToken>, BadRequest | ServiceUnavailable>
  readonly revokeToken: (caller: Caller, id: ApiTokenId) => Effect.Effect<void, NotFound | ServiceUnavailable>
}>()("@englog/api/account/OwnAccount") {
  static readonly layer = Layer.effect(
    OwnAccount,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const profiles = yield* ProfileRepo
      const users = yield* UserRepo
      const sessions = yield* SessionRepo
      const tokens = yield* ApiTokenRepo
      const emailChanges = yield* EmailChangeRepo
      const hasher = yield* PasswordHasher
      const mails = yield* Mails
      const { prove } = yield* Ownership
      const { record } = yield* SecurityEvents

      const profile = Effect.fn("OwnAccount.profile")(({ id }: Caller) => found(profiles.find(id)))

      /** Locks the account, so that what was checked holds when it is changed. */
      const changing = (id: UserId, change: ProfileChange, check: (stored: Profile) => Effect.Effect<void, PreconditionFailed>) =>
        orUnavailable(sql.withTransaction(Effect.gen(function*() {
          yield* check(yield* found(profiles.lock(id)))
          return yield* found(profiles.change(id, change))
        })))

      return OwnAccount.of({
        profile,
        updateProfile: Effect.fn("OwnAccount.updateProfile")(({ id }, { first_name, last_name, preferences, timezone }, seen) =>
          changing(id, { first_name, last_name, preferences, timezone }, (stored) => unlessStale(seen, stored, "profile"))),
        preferences: (caller) => Effect.map(profile(caller), preferencesOf),
        updatePreferences: Effect.fn("OwnAccount.updatePreferences")(({ id }, { etag: _, timezone, ...preferences }, seen) =>
          Effect.map(
            changing(id, { timezone, preferences }, (stored) => unlessStale(seen, preferencesOf(stored), "preferences")),
            preferencesOf
          )),
        changePassword: Effect.fn("OwnAccount.changePassword")(function*(caller, { current_password, new_password }) {
          const current = yield* sessionOf(caller)
          yield* prove(caller.id, { password: current_password, field: "current_password", purpose: "password" })
          const hash = yield* hasher.hash(new_password)
          const at = yield* DateTime.now
          const ended = yield* orUnavailable(sql.withTransaction(users.setPassword(caller.id, hash).pipe(
            // Whoever knew the old one may have asked for another address.
            Effect.andThen(emailChanges.remove(caller.id)),
            Effect.andThen(mails.postTo(caller.id, ({ first_name }) => ({ template: "password_changed", first_name, at }))),
            Effect.andThen(sessions.revokeOthers(caller.id, current, "password"))
          )))
          yield* record({ event: "password_changed", user_id: caller.id, detail: { sessions: ended } })
        }),
        sessions: Effect.fn("OwnAccount.sessions")(function*({ credential, id }, { cursor, limit = defaultPageSize }) {
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* orUnavailable(sessions.list(id, after, limit + 1)), limit)
          return {
            items: rows.map(({ micros: _, ...session }) =>
              new LoginSession({ ...session, current: credential._tag === "Session" && credential.id === session.id })),
            next_cursor
          }
        }),
        revokeSession: Effect.fn("OwnAccount.revokeSession")(function*(caller, id) {
          if (!(yield* orUnavailable(sessions.revoke(caller.id, id)))) return yield* new NotFound({ error: `you have no open session ${id}` })
          yield* record({ event: "sessions_revoked", user_id: caller.id, detail: { sessions: 1 } })
        }),
        revokeSessions: Effect.fn("OwnAccount.revokeSessions")(function*(caller) {
          const revoked = yield* orUnavailable(sessions.revokeOthers(caller.id, yield* sessionOf(caller), "revoked"))
          yield* record({ event: "sessions_revoked", user_id: caller.id, detail: { sessions: revoked } })
          return { revoked }
        }),
        createToken: Effect.fn("OwnAccount.createToken")(function*(caller, request) {
          yield* sessionOf(caller)
          const office = request.scopes.find((scope) => administrative.has(scope))
          if (office !== undefined && !caller.is_admin) {
            return yield* new Forbidden({ error: `scopes: only an administrator may have the scope ${office}` })
          }
          const token = yield* makeApiToken
          const id = ApiTokenId.make(randomUUID())
          const made = yield* orUnavailable(tokens.insert(caller.id, id, hashOf(Redacted.value(token)), request))
          if (Option.isNone(made)) return yield* new Conflict({ error: `you have ${MAX_TOKENS} API tokens already; revoke one first`, code: "limit_reached" })
          yield* record({ event: "api_token_created", user_id: caller.id, detail: { token_id: id, scopes: request.scopes.join(" ") } })
          return new NewApiToken({ ...made.value, token: Redacted.value(token) })
        }),
        tokens: Effect.fn("OwnAccount.tokens")(function*({ id }, { cursor, limit = defaultPageSize }) {
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* orUnavailable(tokens.list(id, after, limit + 1)), limit)
          return { items: rows.map(({ token }) => token), next_cursor }
        }),
        revokeToken: Effect.fn("OwnAccount.revokeToken")(function*(caller, id) {
          if (!(yield* orUnavailable(tokens.remove(caller.id, id)))) return yield* new NotFound({ error: `you have no API token ${id}` })
          yield* record({ event: "api_token_revoked", user_id: caller.id, detail: { token_id: id } })
        })
      })
    })
  )
}

const found = <A, E>(profile: Effect.Effect<Option.Option<A>, E>) =>
  Effect.flatMap(orUnavailable(profile), Option.match({ onNone: () => Effect.fail(gone), onSome: Effect.succeed }))

const preferencesOf = ({ preferences, timezone }: Profile): Preferences => withEtag({ timezone, ...preferences })
