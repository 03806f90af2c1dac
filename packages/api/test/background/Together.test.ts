import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { Answer } from "../http/TestApi.ts"
import { patientApi, person, sse, workerFor } from "../support/Background.ts"
import { newKind } from "../support/QueueEngine.ts"
import { eventually } from "../support/WholeApi.ts"

layer(patientApi(), { excludeTestServices: true, timeout: "60 seconds" })("tasks", (it) => {
  it.effect("with one unique key are one task, however many are submitted at once", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, eve] = [yield* person(), yield* person()]
    const [kind, other] = [newKind(), newKind()]
    yield* workerFor([kind, other], { queues: ["elsewhere"] })
    const task = { task_type: kind, unique_key: "night of 2026-01-05" }
    const accepted = <R>(answer: Effect.Effect<Answer, never, R>) => Effect.repeat(answer, { until: ({ status }) => status !== 503 })
    const answers = yield* Effect.all([
      ...Array.from({ length: 10 }, () => accepted(ada.post("/tasks/bulk", { tasks: Array.from({ length: 90 }, () => task) }))),
      ...Array.from({ length: 100 }, () => accepted(ada.submit(task)))
    ], { concurrency: 20 })
    assert.deepStrictEqual([...new Set(answers.map(({ status }) => status))], [202], answers.find(({ status }) => status !== 202)?.text)
    const [bulk, single] = [answers.slice(0, 10), answers.slice(10)]
    const ids = [
      ...bulk.flatMap((answer) => Array.from({ length: 90 }, (_, n) => answer.at("items", n, "task_id"))), ...single.map((answer) => answer.at("task_id"))
    ]
    assert.strictEqual(ids.length, 1_000)
    assert.strictEqual(new Set(ids).size, 1)
    assert.strictEqual((yield* sql`SELECT 1 FROM tasks WHERE kind = ${kind}`).length, 1)
    const created = bulk.flatMap((answer) => Array.from({ length: 90 }, (_, n) => answer.at("items", n, "created"))).filter((yes) => yes === true)
    assert.isAtMost(created.length, 1)
    const again = yield* ada.submit(task)
    assert.deepStrictEqual([again.status, again.at("message")], [202, "A task with this unique_key was accepted earlier; this is its id"])
    assert.notStrictEqual((yield* ada.submit({ ...task, task_type: other })).at("task_id"), ids[0], "another kind's key")
    assert.notStrictEqual((yield* eve.submit(task)).at("task_id"), ids[0], "another organization's key")
    assert.strictEqual((yield* ada.get(`/tasks/${String(ids[0])}`)).at("unique_key"), "night of 2026-01-05")
  }), 60_000)

  it.effect("wait for those that come first, and end with one of them that fails", () => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    const worker = yield* workerFor([kind])
    const parent = yield* ada.started({ task_type: kind, name: "parent" })
    const children = [yield* ada.started({ task_type: kind, parent, queue: "default" }), yield* ada.started({ task_type: kind, parent })]
    const joined = yield* ada.started({ task_type: kind, after: [...children] })
    assert.deepInclude((yield* ada.get(`/tasks/${joined}`)).body, { state: "pending", waits_for: "tasks" })
    for (let n = 0; n < 3; n++) yield* worker.complete(yield* worker.next)
    assert.strictEqual((yield* worker.next).task_id, joined)
    assert.strictEqual((yield* ada.get(`/tasks/${children[0]}`)).at("parent"), parent)
    const doomed = yield* ada.started({ task_type: kind, max_retries: 0 })
    const task = yield* worker.next
    const after = yield* ada.started({ task_type: kind, after: [doomed] })
    yield* worker.report(task, { _tag: "Failed", error: "no", retryable: false })
    const view = yield* eventually(ada.get(`/tasks/${after}`), (answer) => answer.at("state") === "cancelled")
    assert.strictEqual(view.at("error"), `${doomed}, which it waited for, did not complete`)
  }), 60_000)

  it.effect("of one limit run one after the other", () => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    const worker = yield* workerFor([kind])
    const limit = { key: "tenant-7", max_running: 1 }
    const [first, second] = [yield* ada.started({ task_type: kind, limit }), yield* ada.started({ task_type: kind, limit })]
    const task = yield* worker.next
    assert.strictEqual(task.task_id, first)
    assert.deepInclude((yield* ada.get(`/tasks/${second}`)).body, { state: "pending", waits_for: "limit" })
    yield* worker.complete(task)
    assert.strictEqual((yield* worker.next).task_id, second)
  }), 60_000)

  it.effect("start when their time has come, are tried as their policy says, and say so", () => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    const worker = yield* workerFor([kind])
    const id = yield* ada.started({
      task_type: kind, delay: 3, timeout: 60, deadline: 120, priority: "critical", retry_policy: { max_retries: 1, base_delay: 0.05, jitter: 0 }
    })
    const pending = yield* ada.get(`/tasks/${id}`)
    assert.deepInclude(pending.body, { state: "pending", waits_for: "time", priority: 10, max_attempts: 2 })
    const [created, run_at, deadline] = ["created_at", "run_at", "deadline"].map((field) => Date.parse(String(pending.at(field))))
    assert.approximately((run_at ?? 0) - (created ?? 0), 3_000, 5)
    assert.approximately((deadline ?? 0) - (run_at ?? 0), 120_000, 5)
    const first = yield* worker.next
    yield* worker.report(first, { _tag: "Failed", error: "not yet", retryable: true })
    const second = yield* worker.next
    assert.strictEqual(second.attempt, 2)
    yield* worker.report(second, { _tag: "Failed", error: "never", retryable: true })
    assert.deepInclude((yield* ada.get(`/tasks/${id}`)).body, { state: "failed", error: "never", reason: "error" })
    const logs = yield* ada.get(`/tasks/${id}/logs`)
    const lines = Array.from({ length: 5 }, (_, n) => [logs.at("items", n, "type"), logs.at("items", n, "level")])
    assert.deepStrictEqual(lines, [["queued", "info"], ["started", "info"], ["retrying", "warning"], ["started", "info"], ["failed", "error"]])
  }), 60_000)

  it.effect("whose steps are not kept any more say so to a reader who asks for them", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* person()
    const kind = newKind()
    const worker = yield* workerFor([kind])
    const id = yield* ada.started({ task_type: kind })
    const task = yield* worker.next
    for (const percent of [20, 40, 60]) yield* worker.progress(task, percent)
    yield* worker.complete(task)
    yield* sql`DELETE FROM task_events WHERE seq < 5 AND task = (SELECT id FROM tasks WHERE task_id = ${id})`
    const messages = sse((yield* ada.get(`/tasks/${id}/stream`, { "last-event-id": "2" })).text)
    assert.deepStrictEqual(messages.map(({ event, id }) => [id, event]), [["", "reset"], ["5", "progress"], ["6", "completed"]])
    assert.deepStrictEqual(messages[0]?.data, { message: "what came after 2 and before 5 is not kept any more" })
    assert.deepStrictEqual(sse((yield* ada.get(`/tasks/${id}/stream`, { "last-event-id": "4" })).text).map(({ event }) => event), ["progress", "completed"])
  }), 60_000)
})
