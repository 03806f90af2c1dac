/**
 * A valid request for every operation of the document: its own example, with the ids of things that exist. An operation for
 * which none is found is an error, so that no endpoint stays untried.
 */
import { TaskId } from "@englog/domain/Ids"
import { Database } from "@englog/api/db/Database"
import { DateTime, Effect, Redacted, Schedule, Schema } from "effect"
import { HttpClient, HttpMethod } from "effect/http"
import { SqlClient } from "effect/sql"
import { grantAdmin } from "../Administrator.ts"
import type { Installation } from "../Installation.ts"
import { type Answer, ask, password, type RawBody, register } from "../Person.ts"
import { at, entries, type Json, list, nameOf, type Operation, operationsOf } from "./Operation.ts"

export interface Baseline {
  readonly operation: Operation
  readonly target: string
  /** Of a person who may do this; `refresh` is good for nothing but new tokens. */
  readonly token: string
  readonly refresh: string
  /** An object, where the operation reads one. */
  readonly body: Readonly<Record<string, Json>> | undefined
  /** Where it reads something else. */
  readonly raw: RawBody | undefined
  /** Those that it cannot be without. */
  readonly headers: Readonly<Record<string, string>>
}

export class NoBaseline extends Schema.TaggedError<NoBaseline>()("NoBaseline", { operation: Schema.String, problem: Schema.String }) {
  override get message(): string {
    return `no valid request is known for ${this.operation}: ${this.problem}. Give it an example that works in the OpenAPI document, `
      + "or tell Baseline.ts where its ids come from."
  }
}

/** Fields by which the things of a list are named, where that is not `id`. */
const NAMES: ReadonlyMap<string, string> = new Map([["/v1/workers", "worker_id"], ["/v1/admin/jobs", "name"], ["/v1/admin/mail/templates", "template"]])

const UPLOADS = "/api/background/documents/uploads"

const EMAIL = "hostile@example.com"
const COLLEAGUE = "hostile-colleague@example.com"

/** A name that never stands for an address (RFC 2606). */
const NOWHERE = "https://englog.invalid/hook"

/** Of which no worker takes anything. */
const QUEUE = "hostile-requests-only"

const CONNECTIONS = "/v1/integrations/n8n/connections"

/** What ends the account, or the sessions that other requests need: done by somebody of whom nothing else is asked. */
const ENDINGS: ReadonlySet<string> = new Set([
  "PUT /v1/users/password", "DELETE /v1/users/sessions", "POST /v1/users/anonymize", "POST /v1/users/delete",
  // It is not the end of anything, but only once can an account be empty.
  "POST /v1/import/account"
])

/** Streams that go on until their reader goes: that they open is all that can be waited for. */
const ENDLESS: ReadonlySet<string> = new Set(["GET /v1/notifications/stream"])

/** What only the letter to a new address lets one do: its example is whole, and the token of nothing. */
const SEALED: ReadonlySet<string> = new Set(["POST /v1/users/email/confirm"])

/** What a worker would try again and again, because nobody is there who would take it. */
const DISTANT: ReadonlySet<string> = new Set(["POST /api/background/tasks/n8n-sync", "POST /api/background/integrations/n8n/trigger"])

const opened = (url: string, token: string) =>
  HttpClient.get(url, { headers: { authorization: `Bearer ${token}` } }).pipe(
    Effect.map(({ headers, status }): Answer => ({ status, headers, text: "" }))
  )

/**
 * An administrator with an entry and an insight; and, for each operation, what they would send to it, proven by having sent the
 * like.
 */
export const baselines = Effect.fnUntraced(function*(url: string, { dataDir, postgresUrl }: Pick<Installation["Service"], "dataDir" | "postgresUrl">) {
  const person = yield* register(url, EMAIL)
  yield* grantAdmin(dataDir, EMAIL)
  const colleague = yield* register(url, COLLEAGUE)
  const entry = yield* person.addEntry({})
  const task = yield* person.submit([entry])
  yield* person.ended(task)
  const operations = operationsOf(JSON.parse((yield* ask("GET", `${url}/openapi.json`)).text))
  let serial = 0

  const send = ({ body, headers, operation, raw, target, token }: Baseline) =>
    ENDLESS.has(nameOf(operation)) ? opened(`${url}${target}`, token) : HttpMethod.isHttpMethod(operation.method)
      ? ask(operation.method, `${url}${target}`, { token, headers, ...(body === undefined ? {} : { body }), ...(raw === undefined ? {} : { raw }) })
      : Effect.die(new Error(`${operation.method} is no method`))

  const answerOf = Effect.fnUntraced(function*(baseline: Baseline) {
    const answer = yield* send(baseline)
    if (DISTANT.has(nameOf(baseline.operation)) && answer.status === 202) {
      yield* ask("POST", `${url}/api/background/tasks/${String(at(JSON.parse(answer.text), "task_id"))}/cancel`, { token: person.token })
    }
    if (SEALED.has(nameOf(baseline.operation)) && answer.status === 404) return null
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

  /** An e-mail that was not sent, because nobody wanted it any more. */
  const unsent = Effect.gen(function*() {
    const mail: Json = JSON.parse((yield* ask("POST", `${url}/v1/admin/mail/test`, { token: person.token })).text)
    yield* ask("POST", `${url}/v1/tasks/${String(at(mail, "task_id"))}/cancel`, { token: person.token })
    return String(at(mail, "id"))
  })

  /** An address to which no e-mail goes; nobody's, so that nothing else is kept from anybody. */
  const suppressed = Effect.flatMap(postgresUrl, (database) =>
    SqlClient.SqlClient.use((sql) =>
      sql<{ readonly id: string }>`INSERT INTO undeliverable_addresses (address_digest, smtp_code) VALUES (sha256(gen_random_uuid()::text::bytea), 550) RETURNING id`
    ).pipe(
      Effect.map(([row]) => String(row?.id)),
      Effect.provide(Database.layer({ url: Redacted.make(database), maxConnections: 1 }))
    ))

  /** To a URL that is named once; `ended`: it can be sent again. */
  const message = Effect.fnUntraced(function*(ended: boolean) {
    const body = { webhook_url: NOWHERE, data: {}, queue: QUEUE }
    const answer: Json = JSON.parse((yield* ask("POST", `${url}/api/background/tasks/webhook-delivery`, { token: person.token, body })).text)
    if (ended) yield* ask("POST", `${url}/api/background/tasks/${String(at(answer, "task_id"))}/cancel`, { token: person.token })
    return String(at(answer, "delivery_id"))
  })

  const made = Effect.fnUntraced(function*(token: string, path: string, body: Readonly<Record<string, Json>>) {
    const answer = yield* ask("POST", `${url}${path}`, { token, body })
    const parsed: Json = JSON.parse(answer.text)
    return parsed
  })

  /** What the person was told. */
  const notified = Effect.gen(function*() {
    const sent = yield* made(person.token, "/v1/notifications", { title: "N" })
    yield* person.ended(TaskId.make(String(at(sent, "task_id"))))
    const listed: Json = JSON.parse((yield* ask("GET", `${url}/v1/notifications`, { token: person.token })).text)
    return String(at(list(at(listed, "items"))[0], "id"))
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

  /** An upload to which something is to be added: once it is whole, nothing can be. */
  const begunUpload = Effect.fnUntraced(function*(token: string) {
    const answer = yield* ask("POST", `${url}${UPLOADS}`, { token, raw: { type: "text/plain", text: "" }, headers: { "upload-complete": "?0" } })
    return String(at(JSON.parse(answer.text), "upload_id"))
  })

  /** The id of a thing in a collection: made for the purpose where that can be done, else found. */
  const idIn: (collection: string, rest?: string) => Effect.Effect<string, unknown, Effect.Services<ReturnType<typeof ask>>> = Effect.fnUntraced(function*(collection, rest = "") {
    if (collection === "/v1/tasks" || (collection === "/api/background/tasks" && !rest.includes("cancel"))) return task
    // One of its own: what deletes it takes it from nobody else.
    if (collection === "/v1/insights") {
      const written = yield* person.submit([entry])
      yield* person.ended(written)
      return String((yield* person.insightsOf(written))[0]?.id)
    }
    if (collection === "/api/background/tasks") return yield* submitted({ delay: 3_600 })
    if (collection === "/api/background/dead-letters") return yield* expired
    if (collection === "/api/background/webhook-deliveries") return yield* message(rest.includes("redeliver"))
    if (collection === "/api/background/queue") return yield* Effect.as(submitted({ delay: 3_600 }), QUEUE)
    if (collection === "/api/background/tenants") return (yield* person.task(task)).organization_id
    if (collection === "/v1/knowledge/documents") {
      const document_id = `hostile-${serial++}`
      yield* made(person.token, "/api/background/tasks/document-processing", { document_id, content: "A document." })
      return document_id
    }
    if (collection === "/v1/projects" && rest.includes("sharing")) {
      return String(at(yield* made(person.token, collection, { name: "P", team_id: yield* idIn("/v1/teams") }), "id"))
    }
    if (collection === "/v1/mail/deliveries" && rest.includes("resend")) return yield* unsent
    if (collection === "/v1/mail/suppressions") return yield* suppressed
    if (collection === "/v1/notifications") return yield* notified
    // Only what runs can be stopped.
    const creator = collection === "/v1/logs" && rest.includes("stop") ? "/v1/logs/start" : collection
    if (collection === "/v1/export/pdf") {
      const document = yield* made(person.token, collection, { period_start: "2026-01-01", period_end: "2026-01-31" })
      yield* person.ended(TaskId.make(String(at(document, "task_id"))))
      return String(at(document, "id"))
    }
    if (collection === "/v1/feeds") {
      const feed = yield* made(person.token, "/v1/export/ics/feeds", { name: "F" })
      return new URL(String(at(feed, "url"))).pathname.slice("/v1/feeds/".length, -".ics".length)
    }
    const maker = operations.find(({ method, path }) => method === "POST" && path === creator)
    const lister = operations.find(({ method, path }) => method === "GET" && path === collection)
    const operation = maker ?? lister
    if (operation === undefined) return yield* new NoBaseline({ operation: collection, problem: "nothing makes or lists what is in it" })
    const answer: Json = JSON.parse((yield* answerOf(yield* baselineOf(operation))) ?? "null")
    const name = NAMES.get(collection) ?? "id"
    return String(maker === undefined ? at(list(at(answer, "items"))[0], name) : at(answer, name))
  })

  const logIn = Effect.map(
    ask("POST", `${url}/v1/auth/login`, { body: { email: EMAIL, password } }),
    ({ text }) => String(at(JSON.parse(text), "refresh_token"))
  )

  /** One that a connection takes. */
  const syncType = Effect.suspend(() => {
    const sync_type = `hostile_${serial++}`
    const sync_types = [{ sync_type, path: "hostile", mapping: null }]
    return Effect.as(made(person.token, CONNECTIONS, { name: "N", base_url: "https://n8n.example.com", auth: { type: "none" }, sync_types }), sync_type)
  })

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
        return Effect.succeed(/\/(register|invitations|email)$/.test(operation.path) ? `hostile-${serial++}@example.com` : EMAIL)
      case "name":
        return Effect.succeed(operation.path.startsWith("/v1/tags") ? `tag ${serial++}` : example)
      // A sync type leads to one connection.
      case "sync_types":
        return Effect.succeed([{ sync_type: `hostile_${serial++}`, path: "hostile", mapping: null }])
      case "sync_type":
        return syncType
      case "connection_id":
        return idIn(CONNECTIONS)
      case "document_id":
        return Effect.succeed(`hostile-${serial++}`)
      // Nobody is to get messages from a test.
      case "url":
      case "webhook_url":
        return Effect.succeed(NOWHERE)
      case "into":
        return idIn("/v1/tags")
      case "token":
        return SEALED.has(nameOf(operation)) ? Effect.succeed(example) : invitation
      default:
        return name.endsWith("_id") && name !== "organization_id" ? idIn(`/v1/${name.slice(0, -"_id".length)}s`) : Effect.succeed(example)
    }
  }

  const baselineOf: (operation: Operation) => Effect.Effect<Baseline, unknown, Effect.Services<ReturnType<typeof ask>>> = Effect.fnUntraced(function*(operation) {
    const [collection = "", rest = "", ...more] = operation.path.split(/\/\{[^}]+\}/)
    const [, second] = [...operation.path.matchAll(/\{([^}]+)\}/g)].map(([, name = ""]) => name)
    // Nobody may have many uploads that wait.
    const isOwn = ENDINGS.has(nameOf(operation)) || (collection === UPLOADS && operation.method === "PATCH")
    const token = isOwn ? (yield* register(url, `leaving-${serial++}@example.com`)).token : person.token
    const id = collection === operation.path ? "" : collection === UPLOADS ? yield* begunUpload(token) : yield* idIn(collection, rest)
    const further = second === undefined ? "" : `/${yield* inTeam(id, second)}${more.join("")}`
    const target = id === "" ? collection : `${collection}/${id}${rest}${further}`
    const raw = operation.media === undefined ? undefined : { type: operation.media, text: String(operation.example) }
    const fields = yield* Effect.forEach(operation.body === undefined ? [] : entries(operation.example), ([name, value]) =>
      Effect.map(field(operation, name, value), (given) => [name, given] as const))
    const body = operation.body === undefined ? undefined : Object.fromEntries(fields)
    const headers = Object.fromEntries(operation.parameters.flatMap((parameter) =>
      parameter.in === "header" && parameter.required ? [[parameter.name, String(parameter.example)] as const] : []))
    return { operation, target, token, refresh: yield* logIn, body, raw, headers }
  })

  const proven = yield* Effect.forEach(operations, (operation) =>
    Effect.andThen(Effect.flatMap(baselineOf(operation), answerOf), baselineOf(operation)))
  return { person, baselines: proven, send }
})
