import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { TestApi } from "../http/TestApi.ts"
import { patientApi, person, sse, workerFor } from "../support/Background.ts"
import { newKind, newOwner } from "../support/QueueEngine.ts"
import { eventually } from "../support/WholeApi.ts"

layer(patientApi(), { excludeTestServices: true, timeout: "60 seconds" })("queues", (it) => {
  it.effect("are paused, resumed and limited by administrators, and the audit log knows", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [root, ada] = [yield* person({ admin: true }), yield* person()]
    const kind = newKind()
    const worker = yield* workerFor([kind], { queues: ["slow"] })
    assert.deepStrictEqual((yield* root.post("/queue/slow/pause")).body, { queue: "slow", paused: true, max_running: null })
    const id = yield* ada.started({ task_type: kind, queue: "slow", priority: "high" })
    const stats = yield* root.get("/queue/stats")
    const queues = stats.at("queues")
    const slow = Array.isArray(queues) ? queues.find(({ queue }) => queue === "slow") : undefined
    assert.deepInclude(slow, {
      paused: true, max_running: null, pending: 1, ready: 1, delayed: 0, blocked: 0, running: 0,
      by_priority: { critical: 0, high: 1, normal: 0, low: 0 }
    })
    assert.isAtLeast(Number(slow?.oldest_due_seconds), 0)
    assert.strictEqual((yield* root.post("/queue/slow/limit", { max_running: 1 })).at("max_running"), 1)
    const second = yield* ada.started({ task_type: kind, queue: "slow" })
    assert.strictEqual((yield* root.post("/queue/slow/resume")).at("paused"), false)
    const first = yield* worker.next
    assert.strictEqual(first.task_id, id)
    assert.strictEqual((yield* ada.get(`/tasks/${second}`)).at("state"), "pending")
    yield* worker.complete(first)
    yield* worker.complete(yield* worker.next)
    assert.strictEqual((yield* root.post("/queue/slow/limit", { max_running: null })).at("max_running"), null)
    assert.strictEqual((yield* root.post("/queue/*/limit", { max_running: 1000 })).at("queue"), "*")
    yield* root.post("/queue/*/limit", { max_running: null })
    assert.strictEqual((yield* root.post("/queue/*/pause")).status, 400)
    assert.strictEqual((yield* root.post("/queue/slow/limit", { max_running: -1 })).error, "max_running: must be a whole number from 0 to 1000000")
    const mistyped = yield* root.post("/queue/solw/pause")
    assert.deepStrictEqual([mistyped.status, mistyped.error], [404, "queue: nothing waits in solw, and no worker takes from it"])
    const logged = yield* eventually(
      sql<{ event: string }>`SELECT event FROM security_events WHERE user_id = ${root.id}::uuid AND event LIKE 'queue%' ORDER BY at`,
      (rows) => rows.length >= 6
    )
    assert.deepStrictEqual(logged.map(({ event }) => event), ["queue_paused", "queue_limited", "queue_resumed", "queue_limited", "queue_limited", "queue_limited"])
  }), 60_000)

  it.effect("are shared by organizations according to weights that administrators set", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const sql = yield* SqlClient.SqlClient
    const root = yield* person({ admin: true })
    const owners = [(yield* newOwner()).organization_id, (yield* newOwner()).organization_id].sort()
    const weigh = (organization_id: string, body: unknown, token = root.token) =>
      ask("PUT", `/api/background/tenants/${organization_id}`, { token, body })
    assert.deepStrictEqual((yield* root.get("/tenants")).body, { items: [], next_cursor: null })
    for (const [index, organization_id] of owners.entries()) {
      assert.deepStrictEqual((yield* weigh(organization_id, { weight: index + 2 })).body, { organization_id, weight: index + 2 })
    }
    const first = yield* root.get("/tenants?limit=1")
    assert.deepStrictEqual(first.body, { items: [{ organization_id: owners[0], weight: 2 }], next_cursor: owners[0] })
    const rest = yield* root.get(`/tenants?limit=1&cursor=${String(first.at("next_cursor"))}`)
    assert.deepStrictEqual(rest.body, { items: [{ organization_id: owners[1], weight: 3 }], next_cursor: null })
    assert.strictEqual((yield* weigh(String(owners[0]), { weight: 1 })).at("weight"), 1)
    assert.deepStrictEqual(yield* sql`SELECT weight FROM task_tenants ORDER BY weight`, [{ weight: 1 }, { weight: 3 }])
    const wrong = [
      yield* weigh(String(owners[0]), { weight: 101 }), yield* weigh(String(owners[0]), {}), yield* weigh(randomUUID(), { weight: 2 }),
      yield* weigh("acme", { weight: 2 }), yield* root.get("/tenants?cursor=acme"), yield* weigh(String(owners[0]), { weight: 2 }, (yield* person()).token)
    ]
    assert.deepStrictEqual(wrong.map(({ status }) => status), [400, 400, 404, 400, 400, 403])
    assert.deepStrictEqual([wrong[0]?.error, wrong[2]?.error, wrong[4]?.error], [
      "weight: must be a whole number from 1 to 100", "organization_id: there is no such organization", "cursor: is not a next_cursor of an earlier page"
    ])
    for (const part of wrong.slice(3, 4)) assert.match(part.error, /^organization_id: /)
    const logged = yield* eventually(
      sql<{ detail: unknown }>`SELECT detail FROM security_events WHERE user_id = ${root.id}::uuid AND event = 'tenant_weighted' ORDER BY at`,
      (rows) => rows.length === 3
    )
    assert.deepStrictEqual(logged[0]?.detail, { organization_id: owners[0], weight: 2 })
  }), 60_000)

  it.effect("are closed to everybody else", () => Effect.gen(function*() {
    const ada = yield* person()
    const answers = [
      yield* ada.get("/queue/stats"), yield* ada.post("/queue/default/pause"), yield* ada.post("/queue/default/resume"),
      yield* ada.post("/queue/default/limit", { max_running: 1 }), yield* ada.post("/queue/cleanup?max_age_days=1"), yield* ada.get("/tenants")
    ]
    for (const answer of answers) assert.deepStrictEqual([answer.status, answer.error], [403, "only an administrator may do this"])
    const cleanup = yield* ada.submit({ task_type: "cleanup" })
    assert.deepStrictEqual([cleanup.status, cleanup.error], [403, "task_type: cleanup is for administrators"])
  }), 60_000)

  it.effect("tell their health to anybody", () => Effect.gen(function*() {
    const ada = yield* person()
    yield* workerFor([newKind()])
    const health = yield* ada.get("/health", { authorization: "" })
    assert.strictEqual(health.status, 200)
    assert.deepStrictEqual(Object.keys(Object(health.body)).sort(), ["active_tasks", "healthy_workers", "queued_tasks", "status", "timestamp"])
  }), 60_000)

  it.effect("are emptied of some tasks by what they are, waiting and running ones", () => Effect.gen(function*() {
    const [ada, eve] = [yield* person(), yield* person()]
    const [kind, other] = [newKind(), newKind()]
    const worker = yield* workerFor([kind, other], { queues: ["here"], slots: 1 })
    const running = yield* ada.started({ task_type: kind, queue: "here", name: "Nightly" })
    const task = yield* worker.next
    const named = yield* ada.started({ task_type: kind, queue: "here", name: "Nightly" })
    const waiting = yield* ada.started({ task_type: kind, queue: "here", delay: 3600 })
    const kept = yield* ada.started({ task_type: other, queue: "there" })
    const hers = yield* eve.started({ task_type: kind, queue: "here" })
    assert.deepStrictEqual((yield* ada.post("/tasks/cancel", { name: "Nightly" })).body, { cancelled: 1, requested: 1, already_ended: 0, more: false })
    assert.deepStrictEqual((yield* ada.post("/tasks/cancel", { task_type: kind.toLowerCase(), queue: "here", state: "pending" })).body,
      { cancelled: 1, requested: 0, already_ended: 0, more: false })
    for (const id of [named, waiting]) assert.strictEqual((yield* ada.get(`/tasks/${id}`)).at("state"), "cancelled")
    yield* worker.report(task, { _tag: "Cancelled", error: "" })
    assert.strictEqual((yield* ada.get(`/tasks/${running}`)).at("state"), "cancelled")
    assert.strictEqual((yield* ada.get(`/tasks/${kept}`)).at("state"), "pending")
    assert.notStrictEqual((yield* eve.get(`/tasks/${hers}`)).at("state"), "cancelled")
    const nothing = yield* ada.post("/tasks/cancel", {})
    assert.deepStrictEqual([nothing.status, nothing.error], [400, "body: must name at least one of task_type, queue, state and name"])
  }), 60_000)

  it.effect("lose the records of tasks that ended long ago, with their logs, and no others", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [root, ada] = [yield* person({ admin: true }), yield* person()]
    const kind = newKind()
    const worker = yield* workerFor([kind])
    const ended = Effect.fnUntraced(function*(more: Record<string, unknown>, daysAgo: number) {
      const id = yield* ada.started({ task_type: kind, ...more })
      const task = yield* worker.next
      yield* worker.progress(task, 50)
      yield* worker.complete(task)
      // The number says when it was submitted.
      yield* sql`
        WITH t AS (UPDATE tasks SET completed_at = now() - ${daysAgo}::int * interval '1 day',
          id = id - ((${daysAgo}::int8 * 86400000 + 1000) << 22) WHERE task_id = ${id} RETURNING id, id + ((${daysAgo}::int8 * 86400000 + 1000) << 22) AS before)
        UPDATE task_events e SET task = t.id FROM t WHERE e.task = t.before`
      return id
    })
    const records = Effect.map(sql<{ task_id: string }>`SELECT task_id FROM tasks WHERE kind = ${kind} ORDER BY id`, (rows) => rows.map((row) => row.task_id))
    const [old, middle, short, fresh] = [yield* ended({}, 40), yield* ended({}, 20), yield* ended({ result_ttl: 60 }, 2), yield* ended({}, 0)]
    const open = yield* ada.started({ task_type: kind, queue: "elsewhere" })
    assert.deepStrictEqual((yield* root.post("/queue/cleanup?dry_run=true")).body, { dry_run: true, removed: { completed: 2, failed: 0, cancelled: 0 } })
    assert.deepStrictEqual(yield* records, [old, middle, short, fresh, open])
    assert.deepStrictEqual((yield* root.post("/queue/cleanup")).body, { dry_run: false, removed: { completed: 2, failed: 0, cancelled: 0 } })
    assert.deepStrictEqual(yield* records, [middle, fresh, open])
    assert.deepStrictEqual((yield* root.post("/queue/cleanup?max_age_days=10")).at("removed", "completed"), 1)
    assert.deepStrictEqual(yield* records, [fresh, open])
    const orphans = yield* sql`SELECT 1 FROM task_events e WHERE NOT EXISTS (SELECT 1 FROM tasks t WHERE t.id = e.task)`
    assert.strictEqual(orphans.length, 0)
    for (const wrong of ["max_age_days=-1", "max_age_days=x", "dry_run=maybe", "nonsense=1"]) {
      assert.strictEqual((yield* root.post(`/queue/cleanup?${wrong}`)).status, 400, wrong)
    }
  }), 60_000)

  it.effect("are cleaned up by a task, too: counted at the worker, removed with its completion", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const root = yield* person({ admin: true })
    const kind = newKind()
    const worker = yield* workerFor([kind, "CLEANUP"])
    const id = yield* root.started({ task_type: kind })
    yield* worker.complete(yield* worker.next)
    yield* sql`UPDATE tasks SET completed_at = now() - interval '2 days', id = id - (172801000::int8 << 22) WHERE task_id = ${id}`
    const clean = Effect.fnUntraced(function*(payload: Record<string, unknown>) {
      const cleanup = yield* root.started({ name: "Tidy up", task_type: "cleanup", payload })
      const live = yield* Effect.forkChild(root.get(`/tasks/${cleanup}/stream`))
      const task = yield* worker.next
      assert.strictEqual(task.kind, "CLEANUP")
      const data = yield* worker.data(task)
      yield* worker.complete(task, `{"dry_run":${payload["dry_run"] === true},${data.slice(1)}`)
      yield* Fiber.join(live).pipe(Effect.map(({ text }) => assert.strictEqual(sse(text).at(-1)?.event, "completed")))
      return (yield* root.get(`/tasks/${cleanup}`)).at("result")
    })
    const removed = { completed: 1, failed: 0, cancelled: 0 }
    const tables = [{ table: "tasks", rows: 1 }]
    assert.deepStrictEqual(yield* clean({ max_age_days: 1, dry_run: true }), { dry_run: true, removed, tables })
    assert.strictEqual((yield* sql`SELECT 1 FROM tasks WHERE kind = ${kind}`).length, 1)
    assert.deepStrictEqual(yield* clean({ max_age_days: 1 }), { dry_run: false, removed, tables })
    assert.strictEqual((yield* sql`SELECT 1 FROM tasks WHERE kind = ${kind}`).length, 0)
    yield* sql`INSERT INTO notifications (id, user_id, seq, category, notice, task_id, created_at)
      SELECT gen_random_uuid(), ${root.id}::uuid, n.seq, 'alert', 'v2:k1:' || repeat('A', 40), n.seq::text, now() - n.age
      FROM (VALUES (1, interval '91 days'), (2, interval '0')) AS n (seq, age)`
    yield* sql`INSERT INTO idempotency_keys (id, user_id, key_digest, body_digest, created_at) VALUES (gen_random_uuid(), ${root.id}, sha256('k'), sha256('b'), now() - interval '2 days')`
    const several = { tables: ["notifications", "idempotency_keys", "insights"], dry_run: true }
    const old = [{ table: "notifications", rows: 1 }, { table: "idempotency_keys", rows: 1 }, { table: "insights", rows: 0 }]
    const nothing = { completed: 0, failed: 0, cancelled: 0 }
    assert.deepStrictEqual(yield* clean(several), { dry_run: true, removed: nothing, tables: old })
    assert.deepStrictEqual(yield* clean({ ...several, dry_run: false }), { dry_run: false, removed: nothing, tables: old }, "a dry run removes nothing")
    assert.lengthOf(yield* sql`SELECT 1 AS one FROM notifications WHERE user_id = ${root.id}`, 1)
    const unknown = yield* root.submit({ task_type: "cleanup", payload: { tables: ["users"] } })
    assert.strictEqual(unknown.status, 400)
    const wrong = yield* root.submit({ task_type: "cleanup", payload: { max_age_days: "1", nonsense: 1 } })
    assert.strictEqual(wrong.status, 400)
    assert.deepStrictEqual(wrong.error.split("; ").sort(), ["payload.max_age_days: must be a number", "unknown field \"payload.nonsense\""])
  }), 60_000)
})
