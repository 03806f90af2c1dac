/**
 * A rolling restart: each process of a cluster is stopped in good order and started anew while clients go on submitting. None
 * of the tasks has a second try by its policy, so that an attempt which a restart counted against it would fail it for good.
 */
import { assert, describe, it } from "@effect/vitest"
import { Database } from "@englog/api/db/Database"
import { TaskAccepted } from "@englog/rpc/http/TaskView"
import { WorkerPage } from "@englog/rpc/http/WorkersApi"
import { Context, Effect, Fiber, Layer, Redacted, Schedule, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { SqlClient } from "effect/sql"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { type Api, Installation } from "../src/Installation.ts"
import { LoggedWork, read } from "../src/LoggedWork.ts"
import { ask, register } from "../src/Person.ts"
import { runProgram } from "../src/RunningProgram.ts"
import { waitUntil } from "../src/WaitUntil.ts"

const world = Layer.mergeAll(Installation.layer(), FetchHttpClient.layer)

const program = fileURLToPath(new URL("../src/loggingWorker.ts", import.meta.url))
const decodeAccepted = Schema.decodeEffect(Schema.fromJsonString(TaskAccepted))
const decodeWorkers = Schema.decodeEffect(Schema.fromJsonString(WorkerPage))

const portOf = (address: string) => address.split(":").at(-1) ?? "0"

const cluster = Effect.gen(function*() {
  const installation = yield* Installation
  const apis: [Api, Api] = [yield* installation.startApi(), yield* installation.startAnotherApi()]
  const urls = apis.map(({ url }) => url)
  const ada = yield* register(apis[0].url, "ada@example.com")
  const logOf = (name: string) => path.join(path.dirname(installation.dataDir), `${name}.jsonl`)

  /** Answers when the cluster counts on it. */
  const startWorker = Effect.fnUntraced(function*(name: string) {
    const worker = yield* runProgram({
      name,
      main: { file: program, args: [] },
      env: { WORKER_ID: name, API_SERVER_GRPC_ADDRESS: apis.map(({ grpc }) => grpc).join(","), WORKER_MAX_CONCURRENT: "10", LOG_FORMAT: "json", WORK_LOG: logOf(name) }
    })
    yield* ask("GET", `${apis[0].url}/v1/workers`, { token: ada.token }).pipe(
      Effect.flatMap(({ text }) => decodeWorkers(text)),
      Effect.repeat({
        until: ({ items }) => items.some(({ status, worker_id }) => worker_id === name && (status === "idle" || status === "busy")),
        schedule: Schedule.spaced("50 millis")
      }),
      Effect.timeout("20 seconds")
    )
    return worker
  })

  const restartApi = Effect.fnUntraced(function*(api: Api) {
    assert.strictEqual(yield* api.end("SIGTERM"), 0)
    return yield* installation.startAnotherApi({ HTTP_PORT: portOf(api.url), GRPC_PORT: portOf(api.grpc) })
  })

  const sql = Context.get(
    yield* Layer.build(Database.layer({ url: Redacted.make(yield* installation.postgresUrl), applicationName: "test" })),
    SqlClient.SqlClient
  )
  return { ada, apis, logOf, restartApi, sql, startWorker, urls }
})

/** Submits until a server has said that it accepted the task, by whichever of them answers. */
const submitter = (urls: ReadonlyArray<string>, token: string, accepted: Map<string, string>) =>
  Effect.fnUntraced(function*(unique_key: string, milliseconds: number) {
    let tried = 0
    const attempt = Effect.gen(function*() {
      const url = urls[tried++ % urls.length] ?? ""
      const body = { task_type: LoggedWork.kind, payload: { milliseconds }, max_retries: 0, unique_key }
      const answer = yield* ask("POST", `${url}/api/background/tasks`, { token, body }).pipe(Effect.timeout("3 seconds"))
      if (answer.status !== 202) return yield* Effect.fail(answer)
      const { task_id } = yield* decodeAccepted(answer.text)
      accepted.set(unique_key, task_id)
      return task_id
    })
    return yield* Effect.retry(attempt, { schedule: Schedule.spaced("20 millis"), times: 500 })
  })

const CLIENTS = 4

describe("a rolling restart under load", () => {
  it.live("loses no accepted task, runs each to its end once, and counts no attempt that it handed back", () =>
    Effect.gen(function*() {
      const { ada, apis, logOf, restartApi, sql, startWorker, urls } = yield* cluster
      const [first, second] = [yield* startWorker("first"), yield* startWorker("second")]
      const accepted = new Map<string, string>()

      /** Each client prefers one server, and goes to the other while that is away. */
      const client = (number: number) => {
        const submit = submitter(number % 2 === 0 ? urls : urls.toReversed(), ada.token, accepted)
        const steadily = (n: number): Effect.Effect<void, unknown, Effect.Services<ReturnType<typeof submit>>> =>
          submit(`${number}-${n}`, 20 + 37 * n % 150).pipe(Effect.andThen(Effect.sleep("60 millis")), Effect.andThen(Effect.suspend(() => steadily(n + 1))))
        return steadily(0)
      }
      const load = yield* Effect.forkScoped(Effect.forEach(Array.from({ length: CLIENTS }, (_, number) => number), client, { concurrency: CLIENTS }))

      /** While it lasts others go on. */
      const during = Effect.fnUntraced(function*<A, E, R>(what: string, restart: Effect.Effect<A, E, R>) {
        const before = accepted.size
        const restarted = yield* restart
        assert.isAbove(accepted.size - before, 10, `accepted during the restart of ${what}`)
        return restarted
      })

      // Each longer than a worker that is told to stop lets its handlers go on.
      const submitSlow = submitter(urls, ada.token, accepted)
      const slow = yield* Effect.forEach(["slow-1", "slow-2", "slow-3", "slow-4"], (key) => submitSlow(key, 7_000), { concurrency: 4 })
      const startedAt = (name: string) => read(logOf(name)).filter(({ task_id, what }) => what === "started" && slow.some((id) => id === task_id)).length
      yield* waitUntil("the slow tasks run", () => startedAt("first") + startedAt("second") >= slow.length)
      assert.isAbove(startedAt("first"), 0, "some of them where they will be interrupted")
      const replaced = yield* during("the first worker", Effect.gen(function*() {
        assert.strictEqual(yield* first.end("SIGTERM"), 0)
        return yield* startWorker("first")
      }))
      yield* during("the first API server", restartApi(apis[0]))
      yield* during("the second API server", restartApi(apis[1]))
      yield* during("the second worker", Effect.gen(function*() {
        assert.strictEqual(yield* second.end("SIGTERM"), 0)
        return yield* startWorker("second")
      }))
      assert.isUndefined(load.pollUnsafe(), "the clients never gave up")
      yield* Fiber.interrupt(load)

      yield* sql<{ open: number }>`SELECT count(*)::int AS open FROM task_queue WHERE kind = ${LoggedWork.kind}`.pipe(
        Effect.repeat({ until: ([row]) => row?.open === 0, schedule: Schedule.spaced("100 millis") }),
        Effect.timeout("20 seconds")
      )
      const records = yield* sql<{ task_id: string; unique_key: string; outcome: string; attempt: number; rescues: number }>`
        SELECT task_id, unique_key, outcome, attempt, rescues FROM tasks WHERE kind = ${LoggedWork.kind}`
      assert.strictEqual(yield* replaced.end("SIGTERM"), 0)

      const byId = new Map(records.map((record) => [record.task_id, record]))
      assert.deepStrictEqual([...accepted].filter(([key, id]) => byId.get(id)?.unique_key !== key), [], "accepted, and not on the record")
      assert.deepStrictEqual(records.filter(({ outcome, rescues }) => outcome !== "completed" || rescues > 0), [], "not completed, or taken for lost")
      assert.strictEqual(new Set(records.map(({ unique_key }) => unique_key)).size, records.length)

      const lines = ["first", "second"].flatMap((name) => read(logOf(name)))
      const said = (what: string) => lines.filter((line) => line.what === what).map(({ attempt, task_id }) => `${task_id} ${attempt}`).sort()
      assert.deepStrictEqual(said("finished"), records.map(({ attempt, task_id }) => `${task_id} ${attempt}`).sort(), "each finished once, in the attempt on the record")
      assert.deepStrictEqual(said("started"), [...said("finished"), ...said("interrupted")].sort(), "nothing else ran")
      const interrupted = new Set(lines.filter(({ what }) => what === "interrupted").map(({ task_id }) => task_id))
      assert.isTrue(slow.some((id) => interrupted.has(id)), "a slow task was handed back")
      for (const id of interrupted) assert.isAbove(byId.get(id)?.attempt ?? 0, 1)
    }).pipe(Effect.scoped, Effect.provide(world)))
})
