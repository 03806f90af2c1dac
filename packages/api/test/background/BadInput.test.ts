import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { patientApi, person, workerFor } from "../support/Background.ts"
import { newKind } from "../support/QueueEngine.ts"

layer(patientApi(), { excludeTestServices: true, timeout: "60 seconds" })("a submission", (it) => {
  it.effect("names every field that is out of range, and why", () => Effect.gen(function*() {
    const ada = yield* person()
    const wrong = yield* ada.submit({
      name: " ", task_type: "", priority: 11, queue: "no queue", unique_key: "", delay: -1, timeout: 0, max_retries: 101,
      retry_policy: { base_delay: -1, backoff_factor: 0, max_delay: 1e9, jitter: 2 }, limit: { key: "k", max_running: 0 }, after: ["?"],
      nonsense: 1
    })
    assert.strictEqual(wrong.status, 400)
    const problems = new Map(wrong.error.split("; ").map((problem) => [problem.split(": ", 1)[0], problem.slice(problem.indexOf(": ") + 2)]))
    assert.deepInclude([...problems], ["queue", "must be a name of letters, digits and _ . : -"])
    for (const field of [
      "name", "task_type", "priority", "queue", "unique_key", "delay", "timeout", "max_retries", "retry_policy.base_delay",
      "retry_policy.backoff_factor", "retry_policy.max_delay", "retry_policy.jitter", "limit.max_running", "after[0]", "unknown field \"nonsense\""
    ]) assert.isTrue(problems.has(field), `${field} in ${wrong.error}`)
    assert.strictEqual(problems.get("delay"), "must be a number of seconds from 0 to 31622400")
    assert.strictEqual(problems.get("max_retries"), "must be a whole number from 0 to 100")
    assert.strictEqual((yield* ada.submit({ task_type: "x", priority: "urgent" })).error,
      "priority: must be one of critical, high, normal, low")
  }), 60_000)

  it.effect("is told what contradicts itself", () => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    yield* workerFor([kind], { queues: ["elsewhere"] })
    const refusals: ReadonlyArray<readonly [Record<string, unknown>, string]> = [
      [{ delay: 1, run_at: "2026-01-31T09:00:00Z" }, "delay: must not be given together with run_at"],
      [{ run_at: "2199-01-31T09:00:00Z" }, "run_at: must be within 366 days"],
      [{ deadline: "2026-01-31T09:00:00Z" }, "deadline: must be after now"],
      [{ deadline: "2199-01-31T09:00:00Z" }, "deadline: must be within 30 days of when it may start"],
      [{ max_retries: 1, retry_policy: { max_retries: 2 } }, "retry_policy.max_retries: must be the same as max_retries, or left out"],
      [{ limit: { key: "k" } }, "limit: must say max_running, interval or both"],
      [{ task_type: "insight_generation" }, "task_type: insight_generation is submitted at /v1/tasks/insights"],
      [{ payload: { text: "a\u0000b" } }, "payload.text: must not contain the NUL character"]
    ]
    for (const [fields, error] of refusals) {
      const answer = yield* ada.submit({ task_type: kind, ...fields })
      assert.deepStrictEqual([answer.status, answer.error], [400, error])
    }
  }), 60_000)

  it.effect("of a kind that nobody knows is told the known ones", () => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    yield* workerFor([kind])
    const answer = yield* ada.submit({ task_type: "nonsense" })
    assert.strictEqual(answer.status, 404)
    assert.match(answer.error, /^task_type: there is no kind nonsense; known are /)
    for (const name of [kind.toLowerCase(), "cleanup", "insight_generation", "weekly_report"]) assert.include(answer.error, name)
  }), 60_000)

  it.effect("too large answers 413 and the limit", () => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    yield* workerFor([kind], { queues: ["elsewhere"] })
    const large = yield* ada.submit({ task_type: kind, payload: { text: "x".repeat(262_144) } })
    assert.deepStrictEqual([large.status, large.error], [413, "payload: must be at most 262144 bytes as JSON"])
    const larger = yield* ada.submit({ task_type: kind, payload: { text: "x".repeat(1_048_576) } })
    assert.deepStrictEqual([larger.status, larger.error], [413, "body: must be at most 1048576 bytes"])
    assert.strictEqual((yield* ada.submit({ task_type: kind, payload: { text: "x".repeat(262_000) } })).status, 202)
  }), 60_000)

  it.effect("of many is accepted whole or not at all, each problem with its place", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* person()
    const kind = newKind()
    yield* workerFor([kind], { queues: ["elsewhere"] })
    const task = { task_type: kind }
    const count = Effect.map(sql<{ n: number }>`SELECT count(*)::int AS n FROM tasks WHERE kind = ${kind}`, ([row]) => row?.n)
    const shape = yield* ada.post("/tasks/bulk", { tasks: [task, { ...task, priority: 0 }, { ...task, delay: "soon" }] })
    assert.strictEqual(shape.status, 400)
    assert.include(shape.error, "tasks[1].priority: ")
    assert.include(shape.error, "tasks[2].delay: must be a number")
    const sense = yield* ada.post("/tasks/bulk", { tasks: [task, { task_type: "nonsense" }, { ...task, payload: { x: "x".repeat(262_144) } }] })
    assert.strictEqual(sense.status, 404)
    assert.match(sense.error, /^tasks\[1\]\.task_type: there is no kind nonsense.*; tasks\[2\]\.payload: must be at most 262144 bytes as JSON$/)
    for (const [tasks, error] of [
      [[], "tasks: must name at least one task"],
      [Array.from({ length: 1_001 }, () => task), "tasks: must name at most 1000 tasks"]
    ] as const) {
      const answer = yield* ada.post("/tasks/bulk", { tasks })
      assert.deepStrictEqual([answer.status, answer.error], [400, error])
    }
    assert.strictEqual(yield* count, 0)
    const all = yield* ada.post("/tasks/bulk", { tasks: Array.from({ length: 1_000 }, (_, n) => ({ ...task, payload: { n } })) })
    assert.deepStrictEqual([all.status, all.at("message"), all.at("items", "length")], [202, "1000 tasks queued successfully", 1_000])
    assert.strictEqual(yield* count, 1_000)
    assert.strictEqual((yield* sql`SELECT DISTINCT xmin::text FROM tasks WHERE kind = ${kind}`).length, 1, "one commit")
    const order = yield* sql<{ n: number }>`SELECT (payload->>'n')::int AS n FROM tasks WHERE kind = ${kind} ORDER BY id`
    assert.deepStrictEqual(order.map(({ n }) => n), Array.from({ length: 1_000 }, (_, n) => n))
  }), 60_000)

  it.effect("that names tasks of others, or none, is refused", () => Effect.gen(function*() {
    const [ada, eve] = [yield* person(), yield* person()]
    const kind = newKind()
    yield* workerFor([kind], { queues: ["elsewhere"] })
    const hers = yield* eve.started({ task_type: kind })
    for (const [field, value] of [["parent", hers], ["after", [hers]]] as const) {
      const answer = yield* ada.submit({ task_type: kind, [field]: value })
      assert.deepStrictEqual([answer.status, answer.error], [404, `${field}: there is no task ${hers}`])
    }
    const cancelled = yield* ada.started({ task_type: kind })
    yield* ada.post(`/tasks/${cancelled}/cancel`)
    const late = yield* ada.submit({ task_type: kind, after: [cancelled] })
    assert.deepStrictEqual([late.status, late.error], [409, `after: will never complete: ${cancelled} (cancelled)`])
  }), 60_000)
})

layer(patientApi({ queueLimits: { perQueue: 20, perTenant: 10 } }), { excludeTestServices: true, timeout: "60 seconds" })("a queue that is full", (it) => {
  it.effect("answers 429 and when to try again, and takes more once there is room", () => Effect.gen(function*() {
    const [ada, eve] = [yield* person(), yield* person()]
    const kind = newKind()
    yield* workerFor([kind], { queues: ["elsewhere"] })
    const ids = yield* Effect.forEach(Array.from({ length: 10 }), () => ada.started({ task_type: kind }))
    const full = yield* ada.submit({ task_type: kind })
    assert.deepStrictEqual([full.status, full.headers["retry-after"]], [429, "1"])
    assert.match(full.error, /this organization already has 10 tasks waiting/)
    assert.strictEqual((yield* eve.submit({ task_type: kind })).status, 202, "another organization's room")
    assert.strictEqual((yield* eve.post("/tasks/bulk", { tasks: Array.from({ length: 10 }, () => ({ task_type: kind })) })).status, 429)
    yield* ada.post(`/tasks/${ids[0]}/cancel`)
    yield* Effect.repeat(ada.submit({ task_type: kind }), { until: ({ status }) => status === 202 })
  }), 60_000)
})
