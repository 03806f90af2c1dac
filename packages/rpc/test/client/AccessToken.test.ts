/** How a client gets and keeps its access token, against a server on a real port that answers as the auth API does. */
import { assert, describe, it } from "@effect/vitest"
import { errorAnswer } from "../../src/http/ErrorAnswer.ts"
import { AccessToken } from "@englog/rpc/client/AccessToken"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { createServer, type ServerResponse } from "node:http"

interface Asked {
  readonly path: string
  readonly body: string
}

type Answer = (response: ServerResponse, asked: ReadonlyArray<Asked>) => void

/** Hands out tokens `access-1`, `access-2` …, each good for 15 minutes, unless `answers` says otherwise for a path. */
const authServer = (answers: Readonly<Record<string, Answer>> = {}) =>
  Effect.gen(function*() {
    const asked: Array<Asked> = []
    const server = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk: Buffer) => {
        body += chunk.toString()
      })
      request.on("end", () => {
        asked.push({ path: request.url ?? "", body })
        const answer = answers[request.url ?? ""] ?? tokens
        answer(response, asked)
      })
    })
    const port = yield* Effect.acquireRelease(
      Effect.callback<number>((resume) => {
        server.listen({ port: 0, host: "127.0.0.1" }, () => {
          const address = server.address()
          resume(Effect.succeed(address !== null && typeof address !== "string" ? address.port : 0))
        })
      }),
      () => Effect.sync(() => server.close())
    )
    return { url: `http://127.0.0.1:${port}`, asked }
  })

const send = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  response.writeHead(status, { "content-type": "application/json", connection: "close", ...headers }).end(JSON.stringify(body))

const tokens: Answer = (response, asked) =>
  send(response, 200, {
    access_token: `access-${asked.length}`,
    refresh_token: `refresh-${asked.length}`,
    expires_in: 900,
    token_type: "Bearer",
    user: {}
  })

const refused: Answer = (response) => send(response, 401, errorAnswer({ error: "refresh_token: was used before" }, "unauthenticated"))

const credentials = { email: "ada@example.com", password: Redacted.make("correct horse") }

const withToken = <A, E>(url: string, use: (current: AccessToken["Service"]["current"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(AccessToken, ({ current }) => use(current)).pipe(Effect.provide(AccessToken.layer(url, credentials)))

describe("an access token", () => {
  it.effect("is asked for when it is first needed, once for all who need it at the same time", () =>
    Effect.gen(function*() {
      const { asked, url } = yield* authServer()
      const all = yield* withToken(`${url}/`, (current) => Effect.all([current, current, current], { concurrency: "unbounded" }))
      assert.deepStrictEqual(all, ["access-1", "access-1", "access-1"])
      assert.deepStrictEqual(asked, [{ path: "/v1/auth/login", body: JSON.stringify({ email: "ada@example.com", password: "correct horse" }) }])
    }).pipe(Effect.scoped))

  it.effect("is renewed a minute before it expires, by the refresh token that came last", () =>
    Effect.gen(function*() {
      const { asked, url } = yield* authServer()
      yield* withToken(url, (current) =>
        Effect.gen(function*() {
          yield* current
          yield* TestClock.adjust("13 minutes")
          assert.strictEqual(yield* current, "access-1")
          yield* TestClock.adjust("61 seconds")
          assert.strictEqual(yield* current, "access-2")
          yield* TestClock.adjust("15 minutes")
          assert.strictEqual(yield* current, "access-3")
        }))
      assert.deepStrictEqual(asked.slice(1).map(({ body }) => body), [
        JSON.stringify({ refresh_token: "refresh-1" }),
        JSON.stringify({ refresh_token: "refresh-2" })
      ])
    }).pipe(Effect.scoped))

  it.effect("is had by a new login when the refresh token is refused", () =>
    Effect.gen(function*() {
      const { asked, url } = yield* authServer({ "/v1/auth/refresh": refused })
      yield* withToken(url, (current) =>
        Effect.gen(function*() {
          yield* current
          yield* TestClock.adjust("15 minutes")
          assert.strictEqual(yield* current, "access-3")
        }))
      assert.deepStrictEqual(asked.map(({ path }) => path), ["/v1/auth/login", "/v1/auth/refresh", "/v1/auth/login"])
    }).pipe(Effect.scoped))

  it.effect("that somebody else looks after is used as it is", () =>
    Effect.gen(function*() {
      const token = yield* Effect.flatMap(AccessToken, ({ current }) => current).pipe(
        Effect.provide(AccessToken.layer("http://127.0.0.1:1", Redacted.make("mine")))
      )
      assert.strictEqual(token, "mine")
    }))
})

describe("a login that fails", () => {
  const failure = (answer: Answer) =>
    Effect.flatMap(authServer({ "/v1/auth/login": answer }), ({ url }) => withToken(url, Effect.flip)).pipe(Effect.scoped)

  it.effect("passes on what the server says about the password", () =>
    Effect.gen(function*() {
      const error = yield* failure((response) => send(response, 401, errorAnswer({ error: "email or password is wrong" }, "unauthenticated")))
      assert.deepInclude(error, { reason: "unauthorized", message: "email or password is wrong", retry_after: null })
    }))

  it.effect("says how long to wait after too many attempts", () =>
    Effect.gen(function*() {
      const error = yield* failure((response) => send(response, 429, errorAnswer({ error: "too many attempts", retry_after: 30 }, "rate_limited"), { "retry-after": "30" }))
      assert.deepInclude(error, { reason: "too_many_requests", retry_after: 30 })
    }))

  it.effect("names the address when something else than EngLog answers there", () =>
    Effect.gen(function*() {
      const error = yield* failure((response) => send(response, 200, { hello: "world" }))
      assert.strictEqual(error.reason, "unavailable")
      assert.match(error.message, /cannot log in at http:\/\/127\.0\.0\.1:\d+: it does not answer as EngLog does/)
    }))

  it.effect("names the address when nobody answers, and never the password", () =>
    Effect.gen(function*() {
      const error = yield* withToken("http://127.0.0.1:1", Effect.flip)
      assert.strictEqual(error.reason, "unavailable")
      assert.include(error.message, "http://127.0.0.1:1")
      assert.notInclude(error.message, "correct horse")
    }))

  it.effect("is tried again the next time", () =>
    Effect.gen(function*() {
      let up = false
      const { url } = yield* authServer({ "/v1/auth/login": (response, asked) => up ? tokens(response, asked) : send(response, 503, errorAnswer({ error: "down", retry_after: 1 }, "unavailable")) })
      yield* withToken(url, (current) =>
        Effect.gen(function*() {
          assert.strictEqual((yield* Effect.flip(current)).reason, "unavailable")
          up = true
          assert.strictEqual(yield* current, "access-2")
        }))
    }).pipe(Effect.scoped))
})
