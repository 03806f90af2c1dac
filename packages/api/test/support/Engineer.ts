/** Somebody who records entries over REST. */
import { Effect, Predicate } from "effect"
import { type Answer, type Ask, entry, register, TestApi } from "../http/TestApi.ts"

export const engineer = Effect.fnUntraced(function*(email: string, more: Record<string, unknown> = {}) {
  const { ask } = yield* TestApi
  const { id, token } = yield* register(email, more)
  const post = (path: string, body?: unknown, headers: Ask["headers"] = {}) =>
    ask("POST", path, { token, headers, ...body === undefined ? {} : { body } })
  return {
    id,
    token,
    post,
    get: (path: string, headers: Ask["headers"] = {}) => ask("GET", path, { token, headers }),
    put: (path: string, body: unknown, headers: Ask["headers"] = {}) => ask("PUT", path, { token, body, headers }),
    remove: (path: string, headers: Ask["headers"] = {}) => ask("DELETE", path, { token, headers }),
    /** Answers the entry's path. */
    record: (body: Record<string, unknown> = {}) =>
      Effect.map(post("/v1/logs", { ...entry, ...body }), (answer) => answer.headers["location"] ?? `refused: ${answer.text}`),
    bulk: (operations: ReadonlyArray<unknown>, more: Record<string, unknown> = {}) => post("/v1/logs/bulk", { operations, ...more }),
    project: (name: string) => Effect.map(post("/v1/projects", { name }), (answer) => String(answer.at("id")))
  }
})

/** The same field of every item of a list. */
export const each = (answer: Answer, ...path: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  const items = answer.at("items")
  return Array.isArray(items) ? items.map((_, index) => answer.at("items", index, ...path)) : []
}

export const titles = (answer: Answer): ReadonlyArray<unknown> => each(answer, "title")

/** All pages of a list, in order. */
export const pages = Effect.fnUntraced(function*<E, R>(
  get: (path: string) => Effect.Effect<Answer, E, R>,
  path: string,
  between: Effect.Effect<unknown, E, R> = Effect.void
) {
  const read: Array<Answer> = []
  let cursor: unknown = undefined
  do {
    if (read.length > 0) yield* between
    const page: Answer = yield* get(`${path}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(String(cursor))}`}`)
    read.push(page)
    cursor = page.at("next_cursor")
  } while (Predicate.isString(cursor))
  return read
})
