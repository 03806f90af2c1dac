/**
 * Where secrets and people's words come out again: the main job is run with a canary in every field, errors of every kind
 * are provoked, and then logs, traces, error bodies, payloads, notifications and the files of the database are searched.
 */
import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { SqlClient } from "effect/sql"
import { Channels } from "@englog/api/db/Channels"
import { Database } from "@englog/api/db/Database"
import { WorkerId } from "@englog/domain/Ids"
import { Context, Effect, FileSystem, Layer, Queue, Record, Redacted, Schedule, Schema, Stream } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import * as path from "node:path"
import { canary, filesBelow, hunt } from "../src/CanaryHunt.ts"
import { FakeCollector } from "../src/FakeCollector.ts"
import { FakeOllama } from "../src/FakeOllama.ts"
import { Installation } from "../src/Installation.ts"
import { ask as askOnce, type AskOptions } from "../src/Person.ts"
import { playWorker } from "../src/PlayedWorker.ts"

const world = Layer.mergeAll(Installation.layer({ LOG_LEVEL: "debug" }), FakeOllama.layer, FakeCollector.layer, FetchHttpClient.layer, NodeFileSystem.layer)

const nowhere: ReadonlyArray<string> = []
const stored = ["database"]

/**
 * Each canary with exactly the places where it is to be found. Names, titles and tags are stored as they are, for lists and
 * for Ask (migrations/COLUMNS.md). Those at the end show that the search finds what is there.
 */
const allowed = {
  password: nowhere,
  email: stored,
  first_name: stored,
  last_name: stored,
  project_name: stored,
  project_description: nowhere,
  title: stored,
  description: nowhere,
  tag: stored,
  context_key: nowhere,
  context: nowhere,
  report_context: nowhere,
  model_error: nowhere,
  model_garbage: nowhere,
  model_answer: nowhere,
  model_tag: nowhere,
  worker_message: nowhere,
  worker_result: nowhere,
  worker_tag: nowhere,
  worker_error: nowhere,
  refused_value: nowhere,
  refused_row: nowhere,
  forged_token: nowhere,
  feed_name: nowhere,
  enrollment_token: nowhere,
  openai_api_key: nowhere,
  metrics_token: nowhere,
  insight_type: ["payloads", "database"],
  worker_id: ["logs", "traces", "database"],
  unknown_field: ["error bodies"]
} as const

const canaries = Record.map(allowed, (_, name) => canary(name))

const Session = Schema.fromJsonString(Schema.Struct({
  access_token: Schema.String,
  refresh_token: Schema.String,
  user: Schema.Struct({ id: Schema.String })
}))
const Fed = Schema.fromJsonString(Schema.Struct({ url: Schema.String }))
const Created = Schema.fromJsonString(Schema.Struct({ id: Schema.String }))
const Accepted = Schema.fromJsonString(Schema.Struct({ task_id: Schema.String }))

/** Requests to one API; the bodies of all refusals are kept. */
const requests = (url: string) => {
  const refusals: Array<string> = []
  const ask = Effect.fnUntraced(function*(method: "GET" | "POST", at: string, status: number, options: AskOptions = {}) {
    const answer = yield* askOnce(method, `${url}${at}`, options)
    if (answer.status >= 400) refusals.push(answer.text)
    assert.strictEqual(answer.status, status, `${method} ${at}: ${answer.text}`)
    return answer.text
  })
  return { url, refusals, ask }
}

const account = {
  email: `${canaries.email}@example.com`,
  password: canaries.password,
  first_name: canaries.first_name,
  last_name: canaries.last_name
}

const register = Effect.fnUntraced(function*({ ask }: ReturnType<typeof requests>) {
  const session = yield* Schema.decodeEffect(Session)(yield* ask("POST", "/v1/auth/register", 201, { body: account }))
  const token = session.access_token
  const created = (at: string, body: unknown) =>
    Effect.map(Effect.flatMap(ask("POST", at, 201, { token, body }), Schema.decodeEffect(Created)), ({ id }) => id)
  const project_id = yield* created("/v1/projects", { name: canaries.project_name, description: canaries.project_description })
  const entry = {
    title: canaries.title,
    description: canaries.description,
    tags: [canaries.tag],
    project_id,
    type: "code",
    start_time: "2026-01-05T09:00:00Z",
    end_time: "2026-01-05T10:30:00Z"
  }
  const entry_id = yield* created("/v1/logs", entry)
  const submitted = (at: string, body: object) =>
    ask("POST", at, 202, { token, body: { user_id: session.user.id, ...body } }).pipe(
      Effect.flatMap(Schema.decodeEffect(Accepted)),
      Effect.map(({ task_id }) => task_id)
    )
  return {
    session,
    token,
    entry,
    insight: submitted("/v1/tasks/insights", {
      entry_ids: [entry_id],
      insight_type: canaries.insight_type,
      context: { [canaries.context_key]: canaries.context }
    }),
    report: submitted("/v1/tasks/reports", { start_date: "2026-01-01", end_date: "2026-01-31", context: canaries.report_context }),
    /** Answers when it has ended, with its result. */
    result: (task_id: string) =>
      ask("GET", `/v1/tasks/${task_id}/result`, 200, { token }).pipe(
        Effect.repeat({ until: (text) => /"status":"TASK_STATUS_(COMPLETED|FAILED)"/.test(text), schedule: Schedule.spaced("50 millis"), times: 1_200 })
      )
  }
})

type Somebody = Effect.Success<ReturnType<typeof register>>

const rpc = (tag: string, payload: unknown, token: string) =>
  ({ _tag: "Request", id: "1", tag, payload, headers: [["authorization", `Bearer ${token}`]] })

/** Answers what is answered, whatever it is. */
const sendRpc = (url: string, message: unknown) =>
  HttpClientRequest.post(`${url}/rpc`).pipe(
    HttpClientRequest.bodyText(`${JSON.stringify(message)}\n`, "application/ndjson"),
    HttpClient.execute,
    Effect.flatMap(({ text }) => text)
  )

/** A calendar feed: made, read, asked for in wrong ways, and broken, so that reading it fails. Answers the secret of its address. */
const feed = Effect.fnUntraced(function*({ ask }: ReturnType<typeof requests>, sql: SqlClient.SqlClient, { token }: Somebody) {
  const body = { name: canaries.feed_name, disclosure: "titles", filter: { tags: [canaries.tag] } }
  const { url } = yield* Schema.decodeEffect(Fed)(yield* ask("POST", "/v1/export/ics/feeds", 201, { token, body }))
  const address = new URL(url).pathname
  assert.include(yield* ask("GET", address, 200), canaries.title, "who knows the address reads it")
  const [, secret = ""] = /feed_([\w-]{43})/.exec(address) ?? []
  for (const wrong of [address.slice(0, -1), `${address}/x`, address.replace(".ics", "")]) yield* ask("GET", wrong, 404)
  for (const spelling of ["/v1//feeds", "/v1/%66eeds"]) yield* ask("GET", address.replace("/v1/feeds", spelling), 200)
  yield* ask("POST", address, 405)
  yield* ask("GET", `${address}?x=1`, 400)
  yield* sql`UPDATE calendar_feeds SET filter = name`
  yield* ask("GET", address, 500)
  return secret
})

/** Requests that are refused in many ways, each with a canary as a value; every refusal is the caller's fault. */
const refusals = Effect.fnUntraced(function*({ ask, refusals: refused, url }: ReturnType<typeof requests>, { entry, session, token }: Somebody) {
  const value = canaries.refused_value
  yield* ask("POST", "/v1/auth/login", 401, { body: { email: account.email, password: `${canaries.password} not` } })
  yield* ask("POST", "/v1/auth/register", 409, { body: account })
  yield* ask("POST", "/v1/auth/register", 400, { body: { ...account, email: value, timezone: value } })
  yield* ask("POST", "/v1/auth/refresh", 401, { body: { refresh_token: `${canaries.forged_token}.${session.refresh_token}` } })
  yield* ask("GET", "/v1/auth/me", 401, { token: canaries.forged_token })
  yield* ask("GET", "/v1/auth/me", 401, { token: `${token}${canaries.forged_token}` })
  yield* ask("GET", `/v1/logs?token=${canaries.forged_token}`, 401)
  yield* ask("POST", "/v1/logs", 400, { token, body: { ...entry, type: value } })
  yield* ask("POST", "/v1/logs", 400, { token, body: { ...entry, title: { deep: [value] } } })
  yield* ask("POST", "/v1/logs", 400, { token, body: { ...entry, start_time: value, project_id: value } })
  yield* ask("POST", "/v1/logs", 400, { token, body: { ...entry, [canaries.unknown_field]: value } })
  yield* ask("POST", "/v1/logs", 400, { token, body: { ...entry, title: `${value}\u0000` } })
  yield* ask("POST", "/v1/projects", 400, { token, body: { name: value, status: value, start_date: value } })
  yield* ask("POST", "/v1/tasks/insights", 400, { token, body: { user_id: value, entry_ids: [value], insight_type: 7, context: [value] } })
  yield* ask("GET", `/v1/logs?type=${value}&cursor=${value}&limit=${value}`, 400, { token })
  yield* ask("GET", `/v1/insights?period_start=${value}`, 400, { token })
  // An RPC is refused within an answer of 200, or as a request that is none.
  const broken = [
    rpc("ListEntries", { limit: value }, token), rpc("SubmitInsight", { user_id: value }, token), rpc(value, { value }, token),
    rpc("ListEntries", {}, canaries.forged_token), value, { _tag: value }
  ]
  for (const message of broken) refused.push(yield* sendRpc(url, message))
})

/** As when a constraint or a program of somebody else's refuses a row, telling what was in it. */
const refuseRows = Effect.fnUntraced(function*(sql: SqlClient.SqlClient) {
  yield* sql`
    CREATE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'refused: % % %', NEW.title, NEW.description, NEW USING DETAIL = NEW.title, HINT = NEW.title, ERRCODE = 'P0001';
    END $$`
  yield* sql`CREATE TRIGGER refuse_row BEFORE INSERT ON log_entries FOR EACH ROW WHEN (NEW.type = 'admin') EXECUTE FUNCTION refuse_row()`
})

/** A worker that tells canaries in everything it may say; both its tasks end without an insight. */
const gossip = Effect.fnUntraced(function*(grpc: string, somebody: Somebody) {
  const enrollment_token = Redacted.make(canaries.enrollment_token)
  const played = yield* playWorker(grpc, WorkerId.make("played"), { enrollment_token })
  const task_id = yield* somebody.insight
  yield* played.tasks.pipe(
    Stream.filter((message) => message._tag === "Task"),
    Stream.take(1),
    Stream.runForEach(Effect.fnUntraced(function*({ task }) {
      yield* played.progress(task, 50, canaries.worker_message)
      yield* Effect.flip(played.report(task, { content: 5, tags: canaries.worker_tag, confidence: canaries.worker_result }))
      yield* Effect.flip(played.reportOutcome(task, { _tag: "Completed", result: `{"content": ${canaries.worker_result}` }))
      yield* played.reportOutcome(task, { _tag: "Failed", error: canaries.worker_error, retryable: false })
    }))
  )
  assert.include(yield* somebody.result(task_id), canaries.worker_error, "its owner is told")
  return Redacted.value(played.session_token)
})

describe("secrets and people's words", () => {
  it.live("come out nowhere but where they belong", () =>
    Effect.gen(function*() {
      const collector = yield* FakeCollector
      const ollama = yield* FakeOllama
      const installation = yield* Installation
      const fs = yield* FileSystem.FileSystem
      const everybody = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, WORKER_ENROLLMENT_TOKEN: canaries.enrollment_token, METRICS_TOKEN: canaries.metrics_token }
      const api = yield* installation.startApi(everybody)
      const database = yield* Layer.build(Database.layer({ url: Redacted.make(yield* installation.postgresUrl) }))
      const sql = Context.get(database, SqlClient.SqlClient)
      const notifications: Array<string> = []
      const heard = yield* Context.get(database, Channels).listen("englog_wakeups")
      yield* Effect.forkScoped(Effect.forever(Effect.map(Queue.take(heard), ({ payload }) => notifications.push(payload))))
      const client = requests(api.url)
      const somebody = yield* register(client)

      // A model that fails with words, answers in words, then well.
      yield* ollama.answer(
        { _tag: "Status", status: 500, error: canaries.model_error },
        { _tag: "Text", text: `I ${canaries.model_garbage}` },
        { _tag: "Text", text: `{"content": "${canaries.model_garbage}", "confidence": "${canaries.model_garbage}"}` },
        {
          _tag: "Insight",
          content: `The ${canaries.model_answer} went well. It took 4711 hours of ${canaries.model_answer}.`,
          tags: [canaries.model_tag]
        }
      )
      const byOllama = yield* installation.startWorker(canaries.worker_id, { ...everybody, LLM_PROVIDER: "ollama", OLLAMA_URL: ollama.url })
      const result = yield* somebody.result(yield* somebody.insight)
      assert.include(result, canaries.model_answer)
      const page = (url: string) => Effect.map(askOnce("GET", url, { token: canaries.metrics_token }), ({ text }) => text)
      const workersPage = yield* page(byOllama.healthUrl.replace("/health", "/metrics"))
      yield* byOllama.end("SIGTERM")

      // A provider that knows no such path, and is told a key with every call.
      const openAi = { LLM_PROVIDER: "openai", OPENAI_BASE_URL: `${ollama.url}/v1`, OPENAI_API_KEY: canaries.openai_api_key }
      const byOpenAi = yield* installation.startWorker("openai", { ...everybody, ...openAi })
      assert.include(yield* somebody.result(yield* somebody.report), "builtin")
      yield* byOpenAi.end("SIGTERM")

      const session_token = yield* gossip(api.grpc, somebody)
      yield* refusals(client, somebody)
      yield* refuseRows(sql)
      const { ask } = client
      const refused = { ...somebody.entry, type: "admin", title: canaries.refused_row, description: canaries.refused_row }
      yield* ask("POST", "/v1/logs", 500, { token: somebody.token, body: refused })
      client.refusals.push(yield* sendRpc(api.url, rpc("CreateEntry", refused, somebody.token)))
      yield* api.said(/POST \/v1\/logs failed/)
      const feed_secret = yield* feed(client, sql, somebody)
      yield* api.said(/GET \/v1\/feeds\/:secret\.ics failed/)

      const pages = [workersPage, yield* page(`${api.url}/metrics`)]
      assert.isTrue(pages.every((text) => text.includes("# HELP")), "metrics are told")
      const payloads = yield* sql<{ text: string }>`SELECT payload::text || retry::text AS text FROM tasks`
      yield* sql`CHECKPOINT`
      const kept = (name: string) => Effect.map(fs.readFileString(path.join(installation.dataDir, name)), (text) => text.trim())
      const [jwt_secret_key, encryption_keys, database_password] = [
        yield* kept("jwt_secret_key"), yield* kept("encryption_keys"), yield* kept("postgres/password")
      ]
      const key = encryption_keys.slice(encryption_keys.indexOf(":") + 1)
      const { access_token, refresh_token } = somebody.session
      const secrets = {
        access_token, refresh_token, session_token, feed_secret, jwt_secret_key, database_password,
        encryption_key: key, encryption_key_bytes: Buffer.from(key, "base64")
      }
      yield* api.end("SIGTERM")

      const found = hunt({ ...canaries, ...secrets }, [
        { name: "logs", contents: [...api.lines, ...byOllama.lines, ...byOpenAi.lines] },
        { name: "traces", contents: collector.spans.map((span) => span.raw + JSON.stringify(span.resource)) },
        { name: "metrics", contents: [...pages, JSON.stringify([...collector.metrics])] },
        { name: "error bodies", contents: client.refusals },
        { name: "payloads", contents: payloads.map(({ text }) => text) },
        { name: "notifications", contents: notifications },
        { name: "database", contents: yield* filesBelow(path.join(installation.dataDir, "postgres", "data")) },
        { name: "database's log", contents: [yield* kept("postgres/postgres.log")] }
      ])
      assert.deepStrictEqual(found, { ...allowed, ...Record.map(secrets, () => nowhere) })
      assert.isAbove(notifications.length, 0)
      assert.isAbove(client.refusals.filter((text) => text !== "").length, 20)
    }).pipe(Effect.scoped, Effect.provide(world)), 120_000)
})
