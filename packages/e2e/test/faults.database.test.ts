/**
 * PostgreSQL dies, stops, freezes and is cut off while requests come in. One API with its embedded server and one worker for
 * all tests; a second API on the same database, behind a proxy whose network breaks.
 */
import { assert, layer } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Database } from "@englog/api/db/Database"
import { TaskAccepted } from "@englog/rpc/http/TaskView"
import { Clock, Context, Effect, Fiber, FileSystem, Layer, Redacted, Ref, Schedule, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { SqlClient } from "effect/sql"
import * as path from "node:path"
import { Installation } from "../src/Installation.ts"
import { type Answer, ask, register } from "../src/Person.ts"
import { openStream } from "../src/RawStream.ts"
import * as TcpProxy from "../src/TcpProxy.ts"
import { waitUntil } from "../src/WaitUntil.ts"

/** The longest any answer may take: a statement's limit, the wait for a connection, and a busy machine. */
const BOUND_MS = 12_000

const atWork = Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  const worker = yield* installation.startWorker("worker", { WORKER_MAX_CONCURRENT: "20" })
  const ada = yield* register(api.url, "ada@example.com")
  const entry = yield* ada.addEntry({})
  const sql = Context.get(
    yield* Layer.build(Database.layer({ url: Redacted.make(yield* installation.postgresUrl), applicationName: "test" })),
    SqlClient.SqlClient
  )
  return { ada, api, entry, sql, worker }
})

class AtWork extends Context.Service<AtWork, Effect.Success<typeof atWork>>()("@englog/e2e/test/AtWork") {
  static readonly layer = Layer.effect(AtWork, atWork)
}

const world = AtWork.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeFileSystem.layer))
)

interface Asked extends Answer {
  readonly ms: number
}

/** Submits insights from several clients at once, until it is stopped; keeps every answer. */
const load = Effect.fnUntraced(function*(url: string, count = 8) {
  const { ada, entry } = yield* AtWork
  const answers: Array<Asked> = []
  const stopped = yield* Ref.make(false)
  const body = { user_id: ada.user_id, entry_ids: [entry], insight_type: "productivity" }
  const once = Effect.gen(function*() {
    const began = yield* Clock.monotonicTimeNanos
    const answer = yield* ask("POST", `${url}/v1/tasks/insights`, { token: ada.token, body })
    answers.push({ ...answer, ms: Number((yield* Clock.monotonicTimeNanos) - began) / 1e6 })
    yield* Effect.sleep("25 millis")
  })
  const client = once.pipe(Effect.repeat({ until: () => Ref.get(stopped) }))
  const clients = yield* Effect.forkScoped(Effect.replicateEffect(client, count, { concurrency: count, discard: true }))
  const since = (from: number, status: number) => answers.slice(from).filter((answer) => answer.status === status).length
  return {
    answers,
    /** That many answers of this status from now on. */
    comes: (status: number, count: number) => {
      const from = answers.length
      return waitUntil(`${count} answers ${status}`, () => since(from, status) >= count)
    },
    stop: Effect.andThen(Ref.set(stopped, true), Fiber.join(clients))
  }
})

/** Accepted or told to come back, in time, and nothing else. */
const assertHonest = (answers: ReadonlyArray<Asked>) => {
  const strange = answers.filter(({ status }) => status !== 202 && status !== 503)
  assert.deepStrictEqual(strange.map(({ status, text }) => `${status} ${text}`), [])
  for (const refused of answers.filter(({ status }) => status === 503)) {
    assert.isAtLeast(Number(refused.headers["retry-after"]), 1)
    assert.match(refused.text, /^\{"error":"[^"]+","code":"unavailable","details":\[\{"retry_after":\d+\}\]\}$/)
  }
  const slowest = Math.max(...answers.map(({ ms }) => ms))
  assert.isBelow(slowest, BOUND_MS, "no request hangs")
}

/** Every task that was accepted ends completed, with exactly one insight. */
const assertNothingLost = Effect.fnUntraced(function*(answers: ReadonlyArray<Asked>) {
  const { ada, sql } = yield* AtWork
  const accepted = yield* Effect.forEach(answers.filter(({ status }) => status === 202), ({ text }) =>
    Effect.map(Schema.decodeEffect(Schema.fromJsonString(TaskAccepted))(text), ({ task_id }) => task_id))
  assert.isNotEmpty(accepted)
  assert.lengthOf(new Set(accepted), accepted.length)
  yield* Effect.forEach(accepted, (task_id) => ada.taskThat(task_id, (task) => task.state === "completed"), { concurrency: 4 })
  const doubled = yield* sql`
    SELECT t.task_id FROM tasks t WHERE t.task_id = ANY (${accepted}::text[])
      AND ((SELECT count(*) FROM insights i WHERE i.task_id = t.task_id) <> 1
        OR t.outcome IS DISTINCT FROM 'completed' OR EXISTS (SELECT FROM task_queue q WHERE q.id = t.id)
        OR EXISTS (SELECT FROM task_events e WHERE e.task = t.id AND e.type IN ('completed', 'failed', 'cancelled', 'expired')))`
  assert.deepStrictEqual(doubled, [], "tasks with another number of insights or ends than one")
})

const told = (lines: ReadonlyArray<string>, pattern: RegExp) => lines.filter((line) => pattern.test(line)).length

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("PostgreSQL", (it) => {
  for (const [what, signal] of [["killed", "SIGKILL"], ["stopped", "SIGINT"]] as const) {
    it.effect(`that is ${what} under load costs 503 with Retry-After until it runs again, and not one accepted task`, () =>
      Effect.gen(function*() {
        const installation = yield* Installation
        const { api } = yield* AtWork
        const before = api.lines.length
        const { answers, comes, stop } = yield* load(api.url)
        yield* comes(202, 10)
        const refused = yield* Effect.forkScoped(comes(503, 1))
        yield* installation.signalPostmaster(signal)
        yield* Fiber.join(refused)
        yield* comes(202, 20)
        yield* stop
        assertHonest(answers)
        yield* assertNothingLost(answers)
        yield* api.said(/PostgreSQL answers again/)
        // Each task that a worker lost on the way is told of, be they many: here it is about what is told of the outage.
        const lines = api.lines.slice(before).filter((line) => !line.includes('"operation":"release"'))
        assert.isAtMost(told(lines, /PostgreSQL does not answer/), 3)
        assert.isAtMost(told(lines, /"level":"(WARN|ERROR)"/), 5, lines.filter((line) => /WARN|ERROR/.test(line)).join("\n"))
      }))
  }

  it.effect("that is frozen is not waited for: requests, /ready and /health answer in time, and all recovers when it goes on", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const { ada, api } = yield* AtWork
      const { answers, comes, stop } = yield* load(api.url)
      yield* comes(202, 10)
      yield* installation.signalPostgres("SIGSTOP")
      yield* comes(503, 8)
      const [ready, health, read] = yield* Effect.all([
        Effect.timeout(ask("GET", `${api.url}/ready`), "3 seconds"),
        Effect.timeout(ask("GET", `${api.url}/health`), "4 seconds"),
        ask("GET", `${api.url}/v1/logs`, { token: ada.token })
      ], { concurrency: 3 })
      assert.deepStrictEqual([ready.status, health.status, read.status], [503, 503, 503])
      assert.match(health.text, /"database":\{"status":"down"/)
      yield* installation.signalPostgres("SIGCONT")
      yield* comes(202, 20)
      yield* stop
      assertHonest(answers)
      yield* assertNothingLost(answers)
      assert.strictEqual((yield* ask("GET", `${api.url}/ready`)).status, 200)
    }).pipe(Effect.ensuring(Effect.flatMap(Installation, (installation) => installation.signalPostgres("SIGCONT")))))

  it.effect("whose connections are all cut is asked again over new ones", () =>
    Effect.gen(function*() {
      const { api, sql } = yield* AtWork
      const { answers, comes, stop } = yield* load(api.url)
      yield* comes(202, 10)
      yield* sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'englog-api'`
      yield* comes(202, 50)
      yield* stop
      assertHonest(answers)
      yield* assertNothingLost(answers)
    }))

  it.effect("whose network is cut is listened to again, and an event stream that was open tells the rest", () =>
    Effect.gen(function*() {
      const { ada, entry, sql, worker } = yield* AtWork
      const { api: far, proxy } = yield* apiBehindProxy
      const { answers, comes, stop } = yield* load(far.url, 2)
      yield* comes(202, 5)
      yield* worker.signal("SIGSTOP")
      const task_id = yield* ada.submit([entry])
      const stream = yield* openStream(`${far.url}/v1/tasks/${task_id}/stream`, ada.token)
      yield* stream.said(/event: queued/)
      const listening = sql`
        SELECT pid FROM pg_stat_activity WHERE application_name = 'englog-api' AND query ILIKE 'LISTEN%'`
      const before = (yield* listening).map(({ pid }) => pid)
      yield* proxy.cut
      yield* listening.pipe(
        Effect.repeat({
          until: (now) => now.length === before.length && now.some(({ pid }) => !before.includes(pid)),
          schedule: Schedule.spaced("50 millis")
        }),
        Effect.timeout("10 seconds")
      )
      yield* comes(202, 5)
      yield* worker.signal("SIGCONT")
      yield* stream.said(/event: completed/)
      yield* stop
      assertHonest(answers)
      yield* assertNothingLost(answers)
    }).pipe(Effect.ensuring(Effect.flatMap(AtWork, ({ worker }) => worker.signal("SIGCONT")))))
})

/** A second API on the same database, by way of a proxy. */
const apiBehindProxy = Effect.gen(function*() {
  const installation = yield* Installation
  const fs = yield* FileSystem.FileSystem
  const url = new URL(yield* installation.postgresUrl)
  const proxy = yield* TcpProxy.make(Number(url.port))
  url.port = String(proxy.port)
  const secret = (name: string) => Effect.map(fs.readFileString(path.join(installation.dataDir, name)), (text) => text.trim())
  const api = yield* installation.startAnotherApi({
    DATABASE_URL: url.href,
    JWT_SECRET_KEY: yield* secret("jwt_secret_key"),
    ENCRYPTION_KEYS: yield* secret("encryption_keys")
  })
  return { api, proxy }
})
