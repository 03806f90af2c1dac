import { assert, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Fiber, Redacted, Stream } from "effect"
import { HttpServer } from "effect/http"
import { patientApi, person, sse, workerFor } from "../support/Background.ts"
import { newKind } from "../support/QueueEngine.ts"
import { eventually } from "../support/WholeApi.ts"

layer(patientApi(), { excludeTestServices: true, timeout: "60 seconds" })("a background task", (it) => {
  it.effect("is submitted, watched and read as seed 002 prints it", () => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    const worker = yield* workerFor([kind])
    const answer = yield* ada.submit({ name: "Minha Task", task_type: kind, priority: "normal", payload: { document_id: "doc_123" } })
    assert.deepStrictEqual([answer.status, answer.at("message")], [202, "Task queued successfully"])
    const id = String(answer.at("task_id"))
    const live = yield* Effect.forkChild(ada.get(`/tasks/${id}/stream`))
    const task = yield* worker.next
    assert.deepStrictEqual([task.task_id, task.kind, JSON.parse(task.payload)], [id, kind, { document_id: "doc_123" }])
    yield* worker.progress(task, 50)
    assert.deepInclude((yield* ada.get(`/tasks/${id}`)).body, {
      task_id: id, name: "Minha Task", task_type: kind.toLowerCase(), kind, state: "running", status: "running", progress: 50,
      attempt: 1, max_attempts: 4, priority: 5, queue: "default", worker_id: worker.worker_id, result: null, waits_for: null
    })
    yield* worker.complete(task, "{\"chunks\":[1,2]}")
    const view = yield* ada.get(`/tasks/${id}`)
    assert.deepInclude(view.body, { state: "completed", status: "completed", progress: 100, result: { chunks: [1, 2] }, error: null })
    const seen = yield* Effect.timeout(Fiber.join(live), "5 seconds")
    assert.deepStrictEqual(sse(seen.text).map(({ event, id }) => [id, event]), [["1", "queued"], ["2", "started"], ["3", "progress"], ["4", "completed"]])
    const logs = yield* ada.get(`/tasks/${id}/logs`)
    assert.deepStrictEqual(logs.at("items", 0), { ...Object(sse(seen.text)[0]?.data), level: "info" })
    assert.strictEqual(logs.at("next_cursor"), null)
    const page = yield* ada.get(`/tasks/${id}/logs?limit=2&cursor=1`)
    assert.deepStrictEqual([page.at("items", 0, "seq"), page.at("items", 1, "seq"), page.at("next_cursor")], [2, 3, "3"])
  }), 60_000)

  it.effect("is cancelled at once while it waits; a finished one answers 409", () => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    const worker = yield* workerFor([kind], { queues: ["elsewhere"] })
    const id = yield* ada.started({ task_type: kind })
    assert.deepInclude((yield* ada.post(`/tasks/${id}/cancel`)).body, { state: "cancelled", error: "cancelled by its owner" })
    const again = yield* ada.post(`/tasks/${id}/cancel`)
    assert.deepStrictEqual([again.status, again.error], [409, "the task has already ended: it is cancelled"])
    const running = yield* ada.started({ task_type: kind, queue: "elsewhere" })
    const task = yield* worker.next
    assert.deepInclude((yield* ada.post(`/tasks/${running}/cancel`)).body, { state: "running", message: "cancellation requested" })
    yield* worker.report(task, { _tag: "Cancelled", error: "" })
    yield* eventually(ada.get(`/tasks/${running}`), (view) => view.at("state") === "cancelled")
  }), 60_000)

  it.effect("of another organization does not exist", () => Effect.gen(function*() {
    const [ada, eve] = [yield* person(), yield* person()]
    const kind = newKind()
    yield* workerFor([kind], { queues: ["elsewhere"] })
    const id = yield* ada.started({ task_type: kind })
    for (const path of ["", "/logs", "/stream"]) {
      const denied = yield* eve.get(`/tasks/${id}${path}`)
      assert.deepStrictEqual([denied.status, denied.error], [404, `there is no task ${id}`], path)
    }
    assert.strictEqual((yield* eve.post(`/tasks/${id}/cancel`)).status, 404)
    assert.strictEqual((yield* ada.get(`/tasks/${id}`)).at("state"), "pending")
    const organization_id = (yield* ada.get(`/tasks/${id}`)).at("organization_id")
    const foreign = yield* eve.submit({ task_type: kind, organization_id })
    assert.deepStrictEqual([foreign.status, foreign.error], [403, "organization_id: you are not a member of it"])
    assert.strictEqual((yield* ada.submit({ task_type: kind, organization_id })).status, 202)
  }), 60_000)

  it.effect.each(["http", "websocket"] as const)("is the same over RPC (%s)", (transport) => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    const worker = yield* workerFor([kind])
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
    yield* Effect.gen(function*() {
      const client = yield* EngLogClient
      const { task_id } = yield* client.SubmitTask({ name: "Count", task_type: kind, priority: 9, payload: { text: "one two" } })
      const watching = yield* client.WatchTask({ task_id }).pipe(Stream.runCollect, Effect.forkChild)
      const task = yield* worker.next
      yield* worker.complete(task, "{\"words\":2}")
      assert.deepStrictEqual((yield* Effect.timeout(Fiber.join(watching), "5 seconds")).map(({ type }) => type), ["queued", "started", "completed"])
      assert.deepInclude(yield* client.GetBackgroundTask({ task_id }), { name: "Count", state: "completed", priority: 9, result: { words: 2 } })
      assert.deepStrictEqual((yield* client.GetTaskLogs({ task_id })).items.map(({ level }) => level), ["info", "info", "info"])
      assert.deepInclude(yield* Effect.flip(client.CancelBackgroundTask({ task_id })), { reason: "conflict", message: "the task has already ended: it is completed" })
      const { items } = yield* client.SubmitTasks({ tasks: [{ task_type: kind }, { task_type: kind }] })
      assert.strictEqual(new Set(items.map((item) => item.task_id)).size, 2)
      assert.deepInclude(yield* Effect.flip(client.SubmitTask({ task_type: "nonsense" })), { reason: "not_found" })
    }).pipe(Effect.provide(EngLogClient.layer({ url, auth: Redacted.make(ada.token), transport })))
  }), 60_000)
})
