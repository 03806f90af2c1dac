/** People of a seeded installation, logged in. */
import { Effect, Schema } from "effect"
import { ask, UnexpectedAnswer } from "@englog/e2e/Person"
import { emailOf } from "../../scripts/seed/Seeder.ts"

export const seededPassword = "bench of the product"

const Session = Schema.fromJsonString(Schema.Struct({ access_token: Schema.String }))
const Projects = Schema.fromJsonString(Schema.Struct({ items: Schema.Array(Schema.Struct({ id: Schema.String })) }))
const Listed = Schema.fromJsonString(Schema.Struct({ next_cursor: Schema.NullOr(Schema.String) }))

/** The answer's text, which must be a success. */
export const answered = Effect.fnUntraced(function*(method: "GET" | "POST", url: string, path: string, options: Parameters<typeof ask>[2] = {}) {
  const { status, text } = yield* ask(method, `${url}${path}`, options)
  return status >= 200 && status < 300 ? text : yield* new UnexpectedAnswer({ request: `${method} ${path}`, status, body: text })
})

export const seededPerson = Effect.fnUntraced(function*(url: string, number: number) {
  const body = { email: emailOf(number), password: seededPassword }
  const { access_token: token } = yield* Effect.flatMap(answered("POST", url, "/v1/auth/login", { body }), Schema.decodeEffect(Session))
  const { items } = yield* Effect.flatMap(answered("GET", url, "/v1/projects", { token }), Schema.decodeEffect(Projects))
  let cursor = ""
  for (let page = 0; page < 10; page += 1) {
    const path = `/v1/logs?limit=50${cursor === "" ? "" : `&cursor=${cursor}`}`
    cursor = (yield* Effect.flatMap(answered("GET", url, path, { token }), Schema.decodeEffect(Listed))).next_cursor ?? cursor
  }
  return { token, project: items[0]?.id ?? "", cursor }
})
