/**
 * What must survive the death of a process. Each test has an installation of its own and lets a held model answer keep a
 * task running for exactly as long as it wants.
 */
import { assert, describe, it } from "@effect/vitest"
import { WorkerId } from "@englog/domain/Ids"
import { Effect, Exit, Layer, Scope, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { NodeFileSystem } from "@effect/platform-node"
import { FakeOllama, held, insight } from "../src/FakeOllama.ts"
import { Installation } from "../src/Installation.ts"
import { register } from "../src/Person.ts"
import { playWorker } from "../src/PlayedWorker.ts"

const world = () =>
  Layer.mergeAll(Installation.layer(), FakeOllama.layer, FetchHttpClient.layer, NodeFileSystem.layer)

const text = "The login race was fixed."
const byOllama = Effect.map(FakeOllama, (ollama) => ({ LLM_PROVIDER: "ollama", OLLAMA_URL: ollama.url }))

/** A person with one entry and a task about it that some worker holds, its model call waiting for an answer. */
const withHeldTask = Effect.fnUntraced(function*(url: string) {
  const ollama = yield* FakeOllama
  yield* ollama.answer(held(insight(text)))
  const ada = yield* register(url, "ada@example.com")
  const task_id = yield* ada.submit([yield* ada.addEntry({})])
  yield* ollama.asked(1)
  return { ada, ollama, task_id }
})

describe.concurrent("a worker that dies", () => {
  it.live("leaves its task to another worker, which stores exactly one insight", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      const env = yield* byOllama
      const first = yield* installation.startWorker("first", env)
      const { ada, ollama, task_id } = yield* withHeldTask(api.url)
      const second = yield* installation.startWorker("second", env)

      assert.strictEqual((yield* ada.task(task_id)).worker_id, "first")
      assert.strictEqual(yield* first.end("SIGKILL"), 137)
      yield* ollama.asked(2)
      yield* ollama.release

      const { view, narration } = yield* ada.result(task_id)
      assert.strictEqual(view.worker_id, "second")
      assert.include(narration.content, text)
      assert.strictEqual((yield* ada.task(task_id)).attempt, 2)
      assert.lengthOf(yield* ada.insightsOf(task_id), 1)
      const types = (yield* ada.history(task_id)).map((step) => step.type).filter((type) => type !== "progress")
      assert.deepStrictEqual(types, ["queued", "started", "rescued", "started", "completed"])
      assert.strictEqual(yield* second.end("SIGTERM"), 0)
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.live("is refused when it was only frozen and reports after another has taken over", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      const env = yield* byOllama
      const frozen = yield* installation.startWorker("frozen", env)
      const { ada, ollama, task_id } = yield* withHeldTask(api.url)

      yield* frozen.signal("SIGSTOP")
      // Its model answers now, so the late outcome is ready the moment it wakes up.
      yield* ollama.answer(insight("A late report that nobody wants."))
      yield* ollama.release
      yield* ada.taskThat(task_id, (task) => task.state === "pending")
      yield* ollama.answer(held(insight(text)))
      yield* installation.startWorker("second", env)
      yield* ollama.asked(2)
      yield* frozen.signal("SIGCONT")
      yield* frozen.said(/(does not hold|attempt 1 is over|attempt revoked|nobody waits for)/)
      assert.strictEqual((yield* ada.task(task_id)).state, "running")
      yield* ollama.release

      const { view, narration } = yield* ada.result(task_id)
      assert.strictEqual(view.worker_id, "second")
      assert.include(narration.content, text)
      const insights = yield* ada.insightsOf(task_id)
      assert.deepStrictEqual(insights.map((one) => one.content), [narration.content])
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.live("is refused by its old token and attempt, before and after the next attempt has completed", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      const ada = yield* register(api.url, "ada@example.com")
      const played = yield* playWorker(api.grpc, WorkerId.make("played"))
      const task_id = yield* ada.submit([yield* ada.addEntry({})])
      // Takes the task and hangs up.
      const [message] = yield* played.tasks.pipe(Stream.take(1), Stream.runCollect)
      if (message?._tag !== "Task") return assert.fail("the stream began with something else than a task")
      assert.strictEqual(message.task.attempt, 1)
      const lie = { content: "Late.", tags: [], confidence: 1 }

      const ollama = yield* FakeOllama
      yield* ollama.answer(held(insight(text)))
      yield* installation.startWorker("second", yield* byOllama)
      yield* ollama.asked(1)
      const early = yield* Effect.flip(played.report(message.task, lie))
      yield* ollama.release
      const { narration } = yield* ada.result(task_id)
      const late = yield* Effect.flip(played.report(message.task, lie))
      const data = yield* Effect.flip(played.data(message.task))

      assert.deepStrictEqual([early.code, late.code, data.code], ["UNAUTHENTICATED", "UNAUTHENTICATED", "UNAUTHENTICATED"])
      assert.deepStrictEqual((yield* ada.insightsOf(task_id)).map((one) => one.content), [narration.content])
    }).pipe(Effect.scoped, Effect.provide(world())))
})

describe.concurrent("an API that dies", () => {
  it.live("loses no task that it accepted: its worker hands in what it finished meanwhile, then goes on", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      const worker = yield* installation.startWorker("worker", { ...yield* byOllama, WORKER_MAX_CONCURRENT: "1" })
      const { ada, ollama, task_id: held } = yield* withHeldTask(api.url)
      const queued = yield* ada.submit([yield* ada.addEntry({})])

      assert.strictEqual(yield* api.end("SIGKILL"), 137)
      yield* ollama.release
      yield* worker.said(/"message":"task completed"/)
      yield* installation.startApi()

      for (const task_id of [held, queued]) {
        const { view, narration } = yield* ada.result(task_id)
        assert.strictEqual(view.worker_id, "worker")
        assert.include(narration.content, text)
        assert.lengthOf(yield* ada.insightsOf(task_id), 1)
        assert.strictEqual((yield* ada.task(task_id)).attempt, 1)
      }
      assert.lengthOf(ollama.requests, 2, "what was finished meanwhile is not done again")
    }).pipe(Effect.scoped, Effect.provide(world())))
})

describe.concurrent("kill -9 of everything, PostgreSQL included", () => {
  it.live("leaves every accepted task in the data folder; they complete after a new start", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const env = yield* byOllama
      const ollama = yield* FakeOllama
      yield* ollama.answer(held(insight(text)))
      const before = yield* Scope.make()
      const api = yield* Scope.provide(installation.startApi(), before)
      const worker = yield* Scope.provide(installation.startWorker("doomed", { ...env, WORKER_MAX_CONCURRENT: "2" }), before)
      const ada = yield* register(api.url, "ada@example.com")
      const entry = yield* ada.addEntry({})
      const tasks = yield* Effect.forEach(Array.from({ length: 6 }), () => ada.submit([entry]))
      yield* ollama.asked(2)

      assert.isNotEmpty(yield* installation.postgres)
      yield* Effect.all([worker.end("SIGKILL"), api.end("SIGKILL"), installation.killPostgres], { concurrency: "unbounded" })
      yield* Scope.close(before, Exit.void)
      yield* ollama.release
      yield* installation.startApi()
      yield* installation.startWorker("heir", env)

      for (const task_id of tasks) {
        const { view } = yield* ada.result(task_id)
        assert.strictEqual(view.worker_id, "heir")
        assert.lengthOf(yield* ada.insightsOf(task_id), 1)
      }
    }).pipe(Effect.scoped, Effect.provide(world())))
})

describe.concurrent("SIGTERM under load", () => {
  it.live("stops a worker, then the API and its PostgreSQL, within ten seconds each, and loses nothing", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const ollama = yield* FakeOllama
      const env = yield* byOllama
      const api = yield* installation.startApi()
      const leaving = yield* installation.startWorker("leaving", env)
      yield* ollama.answer(held(insight(text)))
      const ada = yield* register(api.url, "ada@example.com")
      const entry = yield* ada.addEntry({})
      const tasks = yield* Effect.forEach(Array.from({ length: 8 }), () => ada.submit([entry]))
      yield* ollama.asked(5)
      assert.strictEqual(yield* Effect.timeout(leaving.end("SIGTERM"), "10 seconds"), 0)

      yield* installation.startWorker("staying", env)
      yield* ollama.asked(10)
      assert.strictEqual(yield* Effect.timeout(api.end("SIGTERM"), "10 seconds"), 0)
      assert.deepStrictEqual(yield* installation.postgres, [])
      yield* ollama.release
      yield* installation.startApi()

      for (const task_id of tasks) {
        assert.strictEqual((yield* ada.result(task_id)).view.worker_id, "staying")
        assert.lengthOf(yield* ada.insightsOf(task_id), 1)
        assert.isFalse((yield* ada.history(task_id)).some((step) => step.type === "rescued"), "handed back, not lost")
      }
    }).pipe(Effect.scoped, Effect.provide(world())))
})
