/**
 * A valid request for every operation of the document: its own example, with the ids of things that exist. An operation for
 * which none is found is an error, so that no endpoint stays untried.
 */
import { DateTime, Effect, Schedule, Schema } from "effect"
import { HttpMethod } from "effect/http"
import { grantAdmin } from "../Administrator.ts"
import { ask, password, register } from "../Person.ts"
import { at, entries, type Json, list, nameOf, type Operation, operationsOf } from "./Operation.ts"

export interface Baseline {
  readonly operation: Operation
  readonly target: string
  /** Of a person who may do this; `refresh` is good for nothing but new tokens. */
  readonly token: string
  readonly refresh: string
  /** An object, where the operation reads one. */
  readonly body: Readonly<Record<string, Json>> | undefined
}

export class NoBaseline extends Schema.TaggedError<NoBaseline>()("NoBaseline", { operation: Schema.String, problem: Schema.String }) {
  override get message(): string {
    return `no valid request is known for ${this.operation}: ${this.problem}. Give it an example that works in the OpenAPI document, `
      + "or tell Baseline.ts where its ids come from."
  }
}

/** Fields by which the things of a list are named, where that is not `id`. */
const NAMES: ReadonlyMap<string, string> = new Map([["/v1/workers", "worker_id"], ["/v1/admin/jobs", "name"]])

const EMAIL = "hostile@example.com"
const COLLEAGUE = "hostile-colleague@example.com"

/** Of which no worker takes anything. */
const QUEUE = "hostile-requests-only"

/** What ends the account, or the sessions that other requests need: done by somebody of whom nothing else is asked. */
const ENDINGS: ReadonlySet<string> = new Set([
  "PUT /v1/users/password", "DELETE /v1/users/sessions", "POST /v1/users/anonymize", "POST /v1/users/delete"
])

/**
 * An administrator with an entry and an insight; and, for each operation, what they would send to it, proven by having sent the
 * like.
 */
export const baselines = Effect.fnUntraced(function*(url: string, dataDir: string) {
  const person = yield* register(url, EMAIL)
  yield* grantAdmin(dataDir, EMAIL)
  const colleague = yield* register(url, COLLEAGUE)
  const entry = yield* person.addEntry({})
  const task = yield* person.submit([entry])
  yield* person.ended(task)
  const operations = operationsOf(JSON.parse((yield* ask("GET", `${url}/openapi.json`)).text))
  let serial = 0

  const send = ({ body, operation, target, token }: Baseline) =>
    HttpMethod.isHttpMethod(operation.method)
      ? ask(operation.method, `${url}${target}`, { token, ...(body === undefined ? {} : { body }) })
      : Effect.die(new Error(`${operation.method} is no method`))

  const answerOf = Effect.fnUntraced(function*(baseline: Baseline) {
    const answer = yield* send(baseline)
    if (answer.status >= 200 && answer.status <= 299) return answer.text === "" || answer.text.startsWith("id:") ? null : answer.text
    return yield* new NoBaseline({ operation: nameOf(baseline.operation), problem: `its example answers ${answer.status}: ${answer.text}` })
  })

  /** A background task that no worker takes. */
  const submitted = Effect.fnUntraced(function*(more: Readonly<Record<string, Json>>) {
    const body = { task_type: "cleanup", payload: { dry_run: true }, queue: QUEUE, ...more }
    const answer = yield* ask("POST", `${url}/api/background/tasks`, { token: person.token, body })
    return String(at(JSON.parse(answer.text), "task_id"))
  })

  /** One that became a dead letter. */
  const expired = Effect.gen(function*() {
    const id = yield* submitted({ deadline: 1 })
    yield* Effect.repeat(ask("GET", `${url}/api/background/dead-letters/${id}`, { token: person.token }), {
      until: ({ status }) => status === 200,
      schedule: Schedule.spaced("100 millis")
    })
    return id
  })

  const made = Effect.fnUntraced(function*(token: string, path: string, body: Readonly<Record<string, Json>>) {
    const answer = yield* ask("POST", `${url}${path}`, { token, body })
    const parsed: Json = JSON.parse(answer.text)
    return parsed
  })

  /** Of the colleague's team, for the person. */
  const invitation = Effect.gen(function*() {
    const team = String(at(yield* made(colleague.token, "/v1/teams", { name: "T" }), "id"))
    return String(at(yield* made(colleague.token, `/v1/teams/${team}/invitations`, { email: EMAIL }), "token"))
  })

  /** Further ids in the path of a team. */
  const inTeam = Effect.fnUntraced(function*(team: string, name: string) {
    const email = name === "user_id" ? COLLEAGUE : `hostile-${serial++}@example.com`
    const invited = yield* made(person.token, `/v1/teams/${team}/invitations`, { email })
    if (name !== "user_id") return String(at(invited, "id"))
    yield* made(colleague.token, "/v1/invitations/accept", { token: at(invited, "token") })
    return colleague.user_id
  })

  /** The id of a thing in a collection: made for the purpose where that can be done, else found. */
  const idIn: (collection: string, rest?: string) => Effect.Effect<string, unknown, Effect.Services<ReturnType<typeof ask>>> = Effect.fnUntraced(function*(collection, rest = "") {
    if (collection === "/v1/tasks" || (collection === "/api/background/tasks" && !rest.includes("cancel"))) return task
    if (collection === "/api/background/tasks") return yield* submitted({ delay: 3_600 })
    if (collection === "/api/background/dead-letters") return yield* expired
    if (collection === "/api/background/queue") return yield* Effect.as(submitted({ delay: 3_600 }), QUEUE)
    if (collection === "/api/background/tenants") return (yield* person.task(task)).organization_id
    if (collection === "/v1/projects" && rest.includes("sharing")) {
      return String(at(yield* made(person.token, collection, { name: "P", team_id: yield* idIn("/v1/teams") }), "id"))
    }
    // Only what runs can be stopped.
    const creator = collection === "/v1/logs" && rest.includes("stop") ? "/v1/logs/start" : collection
    const maker = operations.find(({ method, path }) => method === "POST" && path === creator)
    const lister = operations.find(({ method, path }) => method === "GET" && path === collection)
    const operation = maker ?? lister
    if (operation === undefined) return yield* new NoBaseline({ operation: collection, problem: "nothing makes or lists what is in it" })
    const answer: Json = JSON.parse((yield* answerOf(yield* baselineOf(operation))) ?? "null")
    return String(maker === undefined ? at(list(at(answer, "items"))[0], NAMES.get(collection) ?? "id") : at(answer, "id"))
  })

  const logIn = Effect.map(
    ask("POST", `${url}/v1/auth/login`, { body: { email: EMAIL, password } }),
    ({ text }) => String(at(JSON.parse(text), "refresh_token"))
  )

  const field = (operation: Operation, name: string, example: Json) => {
    switch (name) {
      case "user_id":
        return Effect.succeed(person.user_id)
      case "entry_ids":
        return Effect.succeed([entry])
      case "refresh_token":
        return logIn
      case "password":
      case "current_password":
        return Effect.succeed(password)
      case "delete_after":
        return Effect.map(DateTime.now, (now) => DateTime.formatIso(DateTime.add(now, { days: 1 })))
      case "email":
        return Effect.succeed(/\/(register|invitations)$/.test(operation.path) ? `hostile-${serial++}@example.com` : EMAIL)
      case "name":
        return Effect.succeed(operation.path.startsWith("/v1/tags") ? `tag ${serial++}` : example)
      case "into":
        return idIn("/v1/tags")
      case "token":
        return invitation
      default:
        return name.endsWith("_id") && name !== "organization_id" ? idIn(`/v1/${name.slice(0, -"_id".length)}s`) : Effect.succeed(example)
    }
  }

  const baselineOf: (operation: Operation) => Effect.Effect<Baseline, unknown, Effect.Services<ReturnType<typeof ask>>> = Effect.fnUntraced(function*(operation) {
    const [collection = "", rest = "", ...more] = operation.path.split(/\/\{[^}]+\}/)
    const [, second] = [...operation.path.matchAll(/\{([^}]+)\}/g)].map(([, name = ""]) => name)
    const id = collection === operation.path ? "" : yield* idIn(collection, rest)
    const further = second === undefined ? "" : `/${yield* inTeam(id, second)}${more.join("")}`
    const target = id === "" ? collection : `${collection}/${id}${rest}${further}`
    const fields = yield* Effect.forEach(entries(operation.example), ([name, value]) =>
      Effect.map(field(operation, name, value), (given) => [name, given] as const))
    const body = operation.body === undefined ? undefined : Object.fromEntries(fields)
    const token = ENDINGS.has(nameOf(operation)) ? (yield* register(url, `leaving-${serial++}@example.com`)).token : person.token
    return { operation, target, token, refresh: yield* logIn, body }
  })

  const proven = yield* Effect.forEach(operations, (operation) =>
    Effect.andThen(Effect.flatMap(baselineOf(operation), answerOf), baselineOf(operation)))
  return { person, baselines: proven, send }
})
