/** Somebody with an account, and their requests. */
import { Effect } from "effect"
import type { HttpMethod } from "effect/http"
import { password, register, TestApi } from "../http/TestApi.ts"

let people = 0

export const somebody = Effect.fnUntraced(function*(more: Record<string, unknown> = {}) {
  const { ask } = yield* TestApi
  const email = `somebody-${++people}@example.com`
  const { id, refresh, token } = yield* register(email, more)
  const call = (method: HttpMethod.HttpMethod) => (path: string, body?: unknown) =>
    ask(method, path, { token, ...body === undefined ? {} : { body } })
  return {
    id,
    email,
    token,
    refresh,
    get: call("GET"),
    post: call("POST"),
    put: call("PUT"),
    remove: call("DELETE"),
    /** The tokens of a further login. */
    logIn: (secret = password) =>
      Effect.map(ask("POST", "/v1/auth/login", { body: { email, password: secret } }), (answer) => ({
        status: answer.status,
        token: String(answer.at("access_token")),
        refresh: String(answer.at("refresh_token"))
      }))
  }
})

export type Somebody = Effect.Success<ReturnType<typeof somebody>>
