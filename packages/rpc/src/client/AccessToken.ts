/**
 * The access token of a program: logged in for, kept, and renewed a minute before it expires.
 */
import { Clock, Context, Effect, Layer, Option, Redacted, Ref, Semaphore } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { TokenResponse } from "../http/AuthApi.ts"
import { ErrorAnswer } from "../http/ErrorAnswer.ts"
import { rpcFailure, type RpcFailure } from "../rpc/RpcFailure.ts"

export interface Credentials {
  readonly email: string
  readonly password: Redacted.Redacted<string>
}

interface Session {
  readonly access_token: string
  readonly refresh_token: string
  /** Milliseconds since the epoch. */
  readonly renew_at: number
}

export class AccessToken extends Context.Service<AccessToken, {
  readonly current: Effect.Effect<string, RpcFailure>
}>()("@englog/rpc/client/AccessToken") {
  static readonly layer = (url: string, auth: Credentials | Redacted.Redacted<string>): Layer.Layer<AccessToken> =>
    Redacted.isRedacted(auth)
      ? Layer.succeed(AccessToken, AccessToken.of({ current: Effect.succeed(Redacted.value(auth)) }))
      : Layer.effect(AccessToken, loggedIn(url.replace(/\/+$/, ""), auth)).pipe(Layer.provide(FetchHttpClient.layer))
}

/** How long before its end an access token is renewed. */
const MARGIN_MS = 60_000

const loggedIn = Effect.fnUntraced(function*(url: string, credentials: Credentials) {
  const http = yield* HttpClient.HttpClient
  const session = yield* Ref.make(Option.none<Session>())
  const oneAtATime = yield* Semaphore.make(1)

  const ask = Effect.fnUntraced(function*(path: string, body: Record<string, string>) {
    const response = yield* HttpClientRequest.post(`${url}${path}`).pipe(HttpClientRequest.bodyJsonUnsafe(body), http.execute)
    if (response.status !== 200) {
      const answer = yield* HttpClientResponse.schemaBodyJson(ErrorAnswer)(response)
      return yield* refused(response.status, answer, response.headers["retry-after"])
    }
    const tokens = yield* HttpClientResponse.schemaBodyJson(TokenResponse)(response)
    const now = yield* Clock.currentTimeMillis
    const fresh: Session = {
      access_token: tokens.access_token,
      refresh_token: tokens.refresh_token,
      renew_at: now + tokens.expires_in * 1000 - MARGIN_MS
    }
    yield* Ref.set(session, Option.some(fresh))
    return fresh.access_token
  }, Effect.catchTags({
    HttpClientError: (error) => unreachable(url, error.message),
    SchemaError: (error) => unreachable(url, `it does not answer as EngLog does: ${error.message}`)
  }))

  const logIn = Effect.suspend(() =>
    ask("/v1/auth/login", { email: credentials.email, password: Redacted.value(credentials.password) }))

  const current = Effect.gen(function*() {
    const known = yield* Ref.get(session)
    if (Option.isNone(known)) return yield* logIn
    if ((yield* Clock.currentTimeMillis) < known.value.renew_at) return known.value.access_token
    return yield* ask("/v1/auth/refresh", { refresh_token: known.value.refresh_token }).pipe(
      Effect.catchIf((failure) => failure.reason === "unauthorized", () => logIn)
    )
  }).pipe(oneAtATime.withPermits(1))

  return AccessToken.of({ current })
})

const refused = (status: number, { code, details, error: message }: ErrorAnswer, retryAfter: string | undefined) =>
  rpcFailure({
    reason: status === 401 ? "unauthorized" : status === 429 ? "too_many_requests" : status === 400 ? "bad_request" : "unavailable",
    message,
    code,
    details,
    retry_after: retryAfter === undefined ? null : Number(retryAfter)
  })

const unreachable = (url: string, why: string) =>
  rpcFailure({ reason: "unavailable", message: `cannot log in at ${url}: ${why}` })
