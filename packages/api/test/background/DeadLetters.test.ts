import { assert, layer } from "@effect/vitest"
import { TaskId } from "@englog/domain/Ids"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { patientApi, type Person, person, workerFor } from "../support/Background.ts"
import { newKind } from "../support/QueueEngine.ts"

layer(patientApi(), { excludeTestServices: true, timeout: "60 seconds" })("a dead letter", (it) => {
  /** Submits tasks that fail for good. */
  const buried = Effect.fnUntraced(function*(by: Person, kind: string, count: number, more: Record<string, unknown> = {}) {
    const worker = yield* workerFor([kind])
    const ids: Array<TaskId> = []
    for (let n = 0; n < count; n++) {
      ids.push(yield* by.started({ task_type: kind, name: `letter ${n}`, payload: { n }, max_retries: 0, ...more }))
      yield* worker.report(yield* worker.next, { _tag: "Failed", error: "nobody is at home", retryable: true })
    }
    return { worker, ids }
  })

  it.effect("is listed newest first, page by page, and inspected whole", () => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    const { ids } = yield* buried(ada, kind, 3, { retry_policy: { base_delay: 0.5 } })
    const first = yield* ada.get("/dead-letters?limit=2")
    assert.deepStrictEqual([first.at("items", 0, "task_id"), first.at("items", 1, "task_id")], [ids[2], ids[1]])
    assert.deepInclude(first.at("items", 0), {
      name: "letter 2", kind, task_type: kind.toLowerCase(), reason: "error", error: "nobody is at home", attempt: 1, replayed_as: null
    })
    const second = yield* ada.get(`/dead-letters?limit=2&cursor=${String(first.at("next_cursor"))}`)
    assert.deepStrictEqual([second.at("items", 0, "task_id"), second.at("items", "length"), second.at("next_cursor")], [ids[0], 1, null])
    const whole = yield* ada.get(`/dead-letters/${ids[1]}`)
    assert.deepInclude(whole.body, { payload: { n: 1 }, timeout: 300 })
    assert.deepInclude(whole.at("retry_policy"), { max_retries: 0, base_delay: 0.5, backoff_factor: 2, max_delay: 3600 })
    assert.strictEqual((yield* ada.get("/dead-letters?cursor=x")).status, 400)
    assert.strictEqual((yield* ada.get("/dead-letters?task_type=nonsense")).status, 404)
    assert.strictEqual((yield* ada.get("/dead-letters?queue=elsewhere")).at("items", "length"), 0)
  }), 60_000)

  it.effect("is replayed once, whoever else tries at the same moment", () => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    const { ids: [id = ""], worker } = yield* buried(ada, kind, 1)
    const answers = yield* Effect.all(Array.from({ length: 8 }, () => ada.post(`/dead-letters/${id}/replay`)), { concurrency: 8 })
    assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [202, ...Array.from({ length: 7 }, () => 409)])
    const replay = String(answers.find(({ status }) => status === 202)?.at("task_id"))
    const task = yield* worker.next
    assert.deepStrictEqual([task.task_id, task.attempt, JSON.parse(task.payload)], [replay, 1, { n: 0 }])
    yield* worker.complete(task)
    assert.deepInclude((yield* ada.get(`/tasks/${replay}`)).body, { state: "completed", parent: id, name: "letter 0", max_attempts: 1 })
    assert.strictEqual((yield* ada.get(`/dead-letters/${id}`)).at("replayed_as"), replay)
    assert.strictEqual((yield* ada.get(`/tasks/${id}`)).at("state"), "failed", "the old one stays as it was")
  }), 60_000)

  it.effect("keeps its unique key and its limit when it is replayed", () => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    const limit = { key: newKind(), max_running: 1 }
    const keyed = { task_type: kind, payload: { n: 0 }, max_retries: 0, unique_key: newKind(), limit }
    const { ids: [id = ""], worker } = yield* buried(ada, kind, 1, keyed)
    const resubmitted = () => ada.submit(keyed)
    assert.strictEqual((yield* resubmitted()).at("task_id"), id)
    const other = yield* ada.started({ task_type: kind, limit })
    const replay = String((yield* ada.post(`/dead-letters/${id}/replay`)).at("task_id"))
    assert.notStrictEqual(replay, id)
    assert.strictEqual((yield* resubmitted()).at("task_id"), replay)
    assert.strictEqual((yield* worker.next).task_id, other)
    assert.deepInclude((yield* ada.get(`/tasks/${replay}`)).body, { state: "pending", waits_for: "limit" })
    yield* worker.complete({ task_id: TaskId.make(other), attempt: 1 })
    const task = yield* worker.next
    assert.strictEqual(task.task_id, replay)
    yield* worker.report(task, { _tag: "Failed", error: "still nobody", retryable: true })
    const second = String((yield* ada.post(`/dead-letters/${replay}/replay`)).at("task_id"))
    assert.strictEqual((yield* resubmitted()).at("task_id"), second, "and so does the replay of a replay")
  }), 60_000)

  it.effect("is replayed with all others of its kind, each once", () => Effect.gen(function*() {
    const ada = yield* person()
    const [kind, other] = [newKind(), newKind()]
    const { ids } = yield* buried(ada, kind, 3)
    yield* buried(ada, other, 1)
    yield* ada.post(`/dead-letters/${ids[0]}/replay`)
    const all = yield* ada.post("/dead-letters/replay", { task_type: kind.toLowerCase() })
    assert.deepStrictEqual([all.status, all.at("items", 0, "dead_letter"), all.at("items", 1, "dead_letter"), all.at("items", "length"), all.at("more")],
      [202, ids[2], ids[1], 2, false])
    assert.strictEqual((yield* ada.post("/dead-letters/replay", { task_type: kind })).at("items", "length"), 0)
    assert.strictEqual((yield* ada.post("/dead-letters/replay", {})).at("items", "length"), 1, "the other kind's")
  }), 60_000)

  it.effect("of another organization does not exist; nor does one that is none", () => Effect.gen(function*() {
    const [ada, eve] = [yield* person(), yield* person()]
    const kind = newKind()
    const { ids: [id = ""] } = yield* buried(ada, kind, 1)
    for (const answer of [yield* eve.get(`/dead-letters/${id}`), yield* eve.post(`/dead-letters/${id}/replay`)]) assert.strictEqual(answer.status, 404)
    assert.deepStrictEqual((yield* eve.get("/dead-letters")).at("items"), [])
    assert.deepStrictEqual((yield* eve.post("/dead-letters/replay", {})).at("items"), [])
    const alive = yield* ada.started({ task_type: kind, queue: "elsewhere" })
    assert.deepStrictEqual([(yield* ada.get(`/dead-letters/${alive}`)).error, (yield* ada.post(`/dead-letters/${alive}/replay`)).status], [`there is no dead letter ${alive}`, 404])
  }), 60_000)

  it.effect("is also a task that expired before anybody could start it", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* person()
    const kind = newKind()
    yield* workerFor([kind], { queues: ["elsewhere"] })
    const id = yield* ada.started({ task_type: kind })
    yield* sql`UPDATE task_queue SET deadline = now() WHERE id = (SELECT id FROM tasks WHERE task_id = ${id})`
    yield* Effect.repeat(ada.get(`/dead-letters/${id}`), { until: ({ status }) => status === 200 })
    assert.deepInclude((yield* ada.get(`/dead-letters/${id}`)).body, { reason: "deadline", attempt: 0 })
  }), 60_000)
})
