import { assert, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Fiber, Redacted, Stream } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { CANCELLED, FAILED } from "../support/ContractWorker.ts"
import { accepted, author, narrator } from "../support/Narration.ts"
import { eventually, wholeApi } from "../support/WholeApi.ts"

const draft = { content: "You recorded {{total.time}}.", tags: [], confidence: 0.8 }

/** The messages of an SSE answer: id, event and data of each. */
const sse = (text: string) =>
  text.split("\n\n").filter((message) => message.trim() !== "").map((message) => {
    const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, "m").exec(message)?.[1] ?? ""
    const data: unknown = JSON.parse(field("data"))
    return { id: field("id"), event: field("event"), data }
  })

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a task", (it) => {
  it.effect("shows what the issue says that it shows", () => Effect.gen(function*() {
    const ada = yield* author()
    const task_id = yield* accepted(yield* ada.requestInsight())
    const view = yield* ada.get(`/v1/tasks/${task_id}`)
    // Beyond the list of the issue: the organization it belongs to, and why it failed (product.md, "Shapes that hold everywhere").
    assert.deepStrictEqual(Object.keys(Object(view.body)).filter((name) => !["organization_id", "reason"].includes(name)), [
      "task_id", "kind", "state", "progress", "message", "attempt", "max_attempts", "priority", "created_at", "started_at",
      "completed_at", "deadline", "worker_id", "error"
    ])
    assert.deepInclude(view.body, {
      task_id, kind: "INSIGHT_GENERATION", state: "pending", progress: 0, message: null, attempt: 0, max_attempts: 1, priority: 5,
      started_at: null, completed_at: null, worker_id: null, error: null
    })
    assert.match(String(view.at("deadline")), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    const result = yield* ada.get(`/v1/tasks/${task_id}/result`)
    assert.deepStrictEqual([result.status, result.body], [200, {
      task_id, worker_id: "", status: "TASK_STATUS_PENDING", result: "", error: "", started_at: null, completed_at: null
    }])
  }))

  it.effect("tells its progress while it runs, and how it ended", () => Effect.gen(function*() {
    const ada = yield* author()
    const worker = yield* narrator
    const task_id = yield* accepted(yield* ada.requestInsight())
    yield* worker.take(task_id)
    yield* worker.progress(task_id, 25, "reading the entries")
    assert.deepInclude((yield* ada.get(`/v1/tasks/${task_id}`)).body, {
      state: "running", progress: 25, message: "reading the entries", attempt: 1, worker_id: worker.workerId
    })
    assert.strictEqual((yield* ada.get(`/v1/tasks/${task_id}/result`)).at("status"), "TASK_STATUS_PROCESSING")
    yield* worker.report(task_id, { status: FAILED, errorMessage: "the model is away" })
    assert.deepInclude((yield* ada.get(`/v1/tasks/${task_id}`)).body, { state: "failed", error: "the model is away", reason: "error" })
    assert.deepInclude((yield* ada.get(`/v1/tasks/${task_id}/result`)).body, { status: "TASK_STATUS_FAILED", error: "the model is away", result: "" })
  }))

  it.effect("that nobody took before its deadline is failed, and says why", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* author()
    const task_id = yield* accepted(yield* ada.requestInsight())
    yield* sql`UPDATE task_queue SET deadline = now() WHERE id = (SELECT id FROM tasks WHERE task_id = ${task_id})`
    const view = yield* eventually(ada.get(`/v1/tasks/${task_id}`), (answer) => answer.at("state") !== "pending")
    assert.deepInclude(view.body, { state: "failed", reason: "deadline" })
    assert.deepInclude((yield* ada.get(`/v1/tasks/${task_id}/result`)).body, {
      status: "TASK_STATUS_FAILED", error: "the task's deadline passed before a worker could start it"
    })
  }))

  it.effect("streams its steps as they happen, and to a late reader all of them", () => Effect.gen(function*() {
    const ada = yield* author()
    const worker = yield* narrator
    const task_id = yield* accepted(yield* ada.requestInsight())
    const live = yield* Effect.forkChild(ada.get(`/v1/tasks/${task_id}/stream`))
    yield* worker.take(task_id)
    for (const percent of [25, 75, 100]) yield* worker.progress(task_id, percent, `${percent} %`)
    yield* worker.write(task_id, draft)
    const seen = yield* Effect.timeout(Fiber.join(live), "5 seconds")
    assert.strictEqual(seen.status, 200)
    assert.match(seen.headers["content-type"] ?? "", /^text\/event-stream/)
    const messages = sse(seen.text)
    assert.deepStrictEqual(messages.map(({ event, id }) => [id, event]), [
      ["1", "queued"], ["2", "started"], ["3", "progress"], ["4", "progress"], ["5", "progress"], ["6", "completed"]
    ])
    assert.deepInclude(messages[3]?.data, { seq: 4, type: "progress", progress: 75, message: "75 %", attempt: 1, worker_id: worker.workerId })
    assert.deepStrictEqual(sse((yield* ada.get(`/v1/tasks/${task_id}/stream`)).text), messages)
  }))

  it.effect("resumes its stream after the last event that was seen, and ends it where that was the end", () => Effect.gen(function*() {
    const ada = yield* author()
    const worker = yield* narrator
    const task_id = yield* accepted(yield* ada.requestInsight())
    yield* worker.take(task_id)
    yield* worker.progress(task_id, 50)
    yield* worker.write(task_id, draft)
    const after = (id: string) => Effect.timeout(ada.get(`/v1/tasks/${task_id}/stream`, { "last-event-id": id }), "5 seconds")
    assert.deepStrictEqual(sse((yield* after("2")).text).map(({ id }) => id), ["3", "4"])
    assert.deepStrictEqual(sse((yield* after("0")).text).map(({ id }) => id), ["1", "2", "3", "4"])
    assert.deepStrictEqual(sse((yield* after("4")).text), [])
    assert.strictEqual((yield* after("last")).status, 400)
  }))

  it.effect("is cancelled at once while it waits, and when its worker stops or five seconds after while it runs", () => Effect.gen(function*() {
    const ada = yield* author()
    const waiting = yield* accepted(yield* ada.requestInsight())
    const cancelled = yield* ada.post(`/v1/tasks/${waiting}/cancel`)
    assert.deepInclude(cancelled.body, { state: "cancelled", error: "cancelled by its owner" })
    assert.deepStrictEqual((yield* ada.post(`/v1/tasks/${waiting}/cancel`)).body, cancelled.body, "cancelling again changes nothing")
    const worker = yield* narrator
    const [polite, silent] = [yield* accepted(yield* ada.requestInsight()), yield* accepted(yield* ada.requestInsight())]
    yield* worker.take(silent)
    for (const task_id of [polite, silent]) {
      assert.deepInclude((yield* ada.post(`/v1/tasks/${task_id}/cancel`)).body, { state: "running", message: "cancellation requested" })
    }
    yield* worker.report(polite, { status: CANCELLED })
    for (const task_id of [polite, silent]) {
      yield* eventually(ada.get(`/v1/tasks/${task_id}`), (answer) => answer.at("state") === "cancelled")
      assert.strictEqual((yield* ada.get(`/v1/tasks/${task_id}/result`)).at("status"), "TASK_STATUS_CANCELLED")
    }
  }))

  it.effect("that there is not answers 404, and an id that is none 400 or 404", () => Effect.gen(function*() {
    const ada = yield* author()
    for (const path of ["", "/result", "/stream"]) {
      const answer = yield* ada.get(`/v1/tasks/insight_${ada.id}_1722470400${path}`)
      assert.deepStrictEqual([answer.status, answer.error], [404, `there is no task insight_${ada.id}_1722470400`])
      assert.include([400, 404], (yield* ada.get(`/v1/tasks/...${path}`)).status)
    }
  }))

  it.effect("is refused where the request is not right, naming every field", () => Effect.gen(function*() {
    const ada = yield* author()
    const answer = yield* ada.requestInsight({ entry_ids: [], insight_type: " ", extra: 1 })
    assert.strictEqual(answer.status, 400)
    assert.deepStrictEqual(answer.error.split("; ").map((problem) => problem.split(":")[0]).sort(), ["entry_ids", "insight_type", "unknown field \"extra\""])
    assert.strictEqual((yield* ada.requestInsight({ entry_ids: ["nonsense"] })).status, 400)
  }))
})

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a task over RPC", (it) => {
  it.effect.each(["http", "websocket"] as const)("is submitted, watched and read by a typed client (%s)", (transport) => Effect.gen(function*() {
    const ada = yield* author()
    const worker = yield* narrator
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
    yield* Effect.gen(function*() {
      const client = yield* EngLogClient
      const { task_id } = yield* client.SubmitInsight({ user_id: ada.id, entry_ids: ada.entries, insight_type: "productivity" })
      const watching = yield* client.WatchTask({ task_id }).pipe(Stream.runCollect, Effect.forkChild)
      yield* worker.take(task_id)
      yield* worker.progress(task_id, 40)
      yield* worker.write(task_id, draft)
      const steps = yield* Effect.timeout(Fiber.join(watching), "5 seconds")
      assert.deepStrictEqual(steps.map((step) => [step.seq, step.type, step.progress]), [
        [1, "queued", 0], [2, "started", 0], [3, "progress", 40], [4, "completed", 100]
      ])
      const later = yield* client.WatchTask({ task_id, after: 3 }).pipe(Stream.runCollect)
      assert.deepStrictEqual(later.map((step) => step.seq), [4])
      assert.strictEqual((yield* client.GetTaskResult({ task_id })).status, "TASK_STATUS_COMPLETED")
      assert.strictEqual((yield* client.GetTask({ task_id })).state, "completed")
      const eve = yield* author()
      const denied = yield* client.SubmitReport({ user_id: eve.id, start_date: "2026-01-05", end_date: "2026-01-05" }).pipe(Effect.flip)
      assert.deepInclude(denied, { reason: "forbidden", message: "user_id: must be your own id" })
      const waiting = yield* client.SubmitReport({ user_id: ada.id, start_date: "2026-01-05", end_date: "2026-01-05" })
      yield* worker.take(waiting.task_id)
      assert.strictEqual((yield* client.CancelTask({ task_id: waiting.task_id })).message, "cancellation requested")
    }).pipe(Effect.provide(EngLogClient.layer({ url, auth: Redacted.make(ada.token), transport })))
  }))
})
