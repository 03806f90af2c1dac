import { assert, layer } from "@effect/vitest"
import { TaskId } from "@englog/domain/Ids"
import { Deferred, Effect, Fiber, Option } from "effect"
import { SqlClient } from "effect/sql"
import { TaskOutcomes } from "../../src/queue/TaskOutcomes.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { TaskRepo } from "../../src/queue/TaskRepo.ts"
import {
  age, claim, claimant, completed, enqueue, eventTypes, failed, find, newKind, newOwner, newSubmission, QueueEngine, report, running
} from "../support/QueueEngine.ts"

const cancel = (task_id: TaskId) => TaskOutcomes.use((outcomes) => outcomes.cancel(task_id, "no longer needed"))

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("a delayed task", (it) => {
  it.effect("is ready when its time has come, not before, and its deadline counts from then", () => Effect.gen(function*() {
    const kind = newKind()
    const task_id = yield* enqueue({ kind, more: { delay: 60_000 } })
    assert.deepStrictEqual(yield* claim(claimant(kind)), [])
    const task = yield* find(task_id)
    assert.deepInclude(task, { state: "queued", waits_for: "time" })
    assert.strictEqual(task.deadline.epochMilliseconds - task.created_at.epochMilliseconds, 360_000)
    yield* age(task_id, "run_at", 1)
    assert.lengthOf(yield* claim(claimant(kind)), 1)
  }))

  it.effect("is started within a moment of its time, without anybody looking for it", () => Effect.gen(function*() {
    const kind = newKind()
    const task_id = yield* enqueue({ kind, more: { delay: 150 } })
    const ready = find(task_id).pipe(Effect.repeat({ until: (task) => task.waits_for === null }), Effect.timeout("1 second"))
    yield* ready
    assert.lengthOf(yield* claim(claimant(kind)), 1)
  }))

  it.effect("can be cancelled while it waits", () => Effect.gen(function*() {
    const task_id = yield* enqueue({ kind: newKind(), more: { delay: 60_000 } })
    assert.strictEqual(yield* cancel(task_id), "cancelled")
    assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "cancelled"])
  }))
})

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("a unique key", (it) => {
  it.effect("makes one task of a thousand submissions at once, and all of them hear of that one", () => Effect.gen(function*() {
    const queue = yield* TaskQueue
    const kind = newKind()
    const submission = yield* newSubmission({ kind, more: { unique_key: "once" } })
    const ids = yield* Effect.all(Array.from({ length: 1_000 }, () => queue.submit(submission)), { concurrency: 16 })
    assert.strictEqual(new Set(ids).size, 1)
    assert.lengthOf(yield* claim(claimant(kind)), 1)
  }), 60_000)

  it.effect("is another one for another kind and for another organization", () => Effect.gen(function*() {
    const [kind, other] = [newKind(), newKind()]
    const owner = yield* newOwner()
    const more = { unique_key: "k" }
    const ids = yield* Effect.forEach([{ kind, owner }, { kind: other, owner }, { kind, owner: yield* newOwner() }, { kind, owner }], (parts) =>
      enqueue({ ...parts, more }))
    assert.strictEqual(new Set(ids).size, 3)
    assert.strictEqual(ids[3], ids[0])
  }))

  it.effect("counts inside one bulk submission too, and says which of them was new", () => Effect.gen(function*() {
    const queue = yield* TaskQueue
    const submission = yield* newSubmission({ kind: newKind() })
    const accepted = yield* queue.submitAll(["a", "b", "a"].map((unique_key) => ({ ...submission, unique_key })))
    assert.deepStrictEqual(accepted.map(({ created }) => created), [true, true, false])
    assert.strictEqual(accepted[2]?.task_id, accepted[0]?.task_id)
  }))

  it.effect("that somebody else takes at the same moment leaves no turn taken and nothing waited for", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const queue = yield* TaskQueue
    const first = yield* running()
    const { organization_id, user_id } = yield* find(first.task_id)
    const submission = yield* newSubmission({ kind: newKind(), owner: { organization_id, user_id }, more: { unique_key: "k" } })
    const [enlisted, go] = [yield* Deferred.make<TaskId>(), yield* Deferred.make<void>()]
    const winner = yield* sql.withTransaction(Effect.gen(function*() {
      yield* Deferred.succeed(enlisted, (yield* queue.enlist(submission)).task_id)
      yield* Deferred.await(go)
    })).pipe(Effect.forkChild)
    const task_id = yield* Deferred.await(enlisted)
    const limit = { key: "mail", max_running: null, interval: 60_000 }
    const loser = yield* queue.submitAll([{ ...submission, limit, after: [first.task_id] }]).pipe(Effect.forkChild)
    yield* sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`.pipe(
      Effect.repeat({ until: (waiting) => waiting.length > 0 }),
      Effect.timeout("10 seconds")
    )
    yield* Deferred.succeed(go, undefined)
    yield* Fiber.join(winner)
    assert.deepStrictEqual(yield* Fiber.join(loser), [{ task_id, created: false }])
    const [left] = yield* sql`
      SELECT (SELECT count(*)::int FROM task_limits WHERE organization_id = ${organization_id}::uuid) AS turns,
        (SELECT count(*)::int FROM task_dependencies d JOIN tasks t ON t.id = d.waits_for WHERE t.task_id = ${first.task_id}) AS links,
        (SELECT dependents FROM task_queue q JOIN tasks t ON t.id = q.id WHERE t.task_id = ${first.task_id}) AS dependents`
    assert.deepStrictEqual(left, { turns: 0, links: 0, dependents: false })
  }))
})

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("a task with others before it", (it) => {
  it.effect("starts when the last of them has completed", () => Effect.gen(function*() {
    const owner = yield* newOwner()
    const [first, second] = [yield* running({ owner }), yield* running({ owner })]
    const kind = newKind()
    const join = yield* enqueue({ kind, owner, more: { after: [first.task_id, second.task_id] } })
    assert.deepInclude(yield* find(join), { state: "queued", waits_for: "tasks" })
    yield* report(first.task_id, first.session_id, 1, completed("1"))
    assert.deepStrictEqual(yield* claim(claimant(kind)), [])
    yield* report(second.task_id, second.session_id, 1, completed("2"))
    assert.deepStrictEqual((yield* claim(claimant(kind))).map((lease) => lease.task_id), [join])
  }))

  it.effect("starts though they are reported with many others in one go", () => Effect.gen(function*() {
    const outcomes = yield* TaskOutcomes
    const owner = yield* newOwner()
    const children = newKind()
    const tasks = yield* Effect.forEach(Array.from({ length: 10 }), () => enqueue({ kind: children, owner }))
    const kind = newKind()
    const join = yield* enqueue({ kind, owner, more: { after: tasks } })
    const worker = claimant(children, { slots: 10 })
    const leases = yield* claim(worker)
    const answers = yield* outcomes.reportAll({ id: worker.session_id, lineage: [] }, leases.map(({ attempt, task_id }) => ({
      task_id, attempt, session_id: worker.session_id, outcome: completed("1")
    })))
    assert.deepStrictEqual(answers, leases.map(() => ({ _tag: "Accepted" })))
    assert.deepStrictEqual((yield* claim(claimant(kind))).map((lease) => lease.task_id), [join])
  }))

  it.effect("does not wait for what has completed already, and is refused for what never will or never was", () => Effect.gen(function*() {
    const owner = yield* newOwner()
    const [done, dead] = [yield* running({ owner }), yield* running({ owner })]
    yield* report(done.task_id, done.session_id, 1, completed("1"))
    yield* report(dead.task_id, dead.session_id, 1, failed("no"))
    const kind = newKind()
    yield* enqueue({ kind, owner, more: { after: [done.task_id] } })
    assert.lengthOf(yield* claim(claimant(kind)), 1)
    const why = (after: TaskId, by = owner) =>
      enqueue({ kind, owner: by, more: { after: [after] } }).pipe(Effect.flip, Effect.map((error) => error._tag === "DependencyProblem" ? error.reason : error._tag))
    assert.strictEqual(yield* why(dead.task_id), "ended")
    assert.strictEqual(yield* why(TaskId.make("test_of_nobody_at_all")), "unknown")
    assert.strictEqual(yield* why(done.task_id, yield* newOwner()), "unknown", "another organization's")
    assert.deepStrictEqual(yield* claim(claimant(kind)), [])
  }))

  it.effect("is cancelled with those that wait for it when one of them fails", () => Effect.gen(function*() {
    const owner = yield* newOwner()
    const first = yield* running({ owner })
    const kind = newKind()
    const second = yield* enqueue({ kind, owner, more: { after: [first.task_id] } })
    const third = yield* enqueue({ kind, owner, more: { after: [second] } })
    yield* report(first.task_id, first.session_id, 1, failed("no"))
    assert.deepInclude(yield* find(second), { state: "cancelled", error: `${first.task_id}, which it waited for, did not complete` })
    assert.strictEqual((yield* find(third)).state, "cancelled")
  }))

  it.effect("never misses an end that comes while it is submitted", () => Effect.gen(function*() {
    const owner = yield* newOwner()
    for (let round = 0; round < 25; round++) {
      const first = yield* running({ owner })
      const kind = newKind()
      const [join] = yield* Effect.all([
        enqueue({ kind, owner, more: { after: [first.task_id] } }),
        report(first.task_id, first.session_id, 1, completed("1"))
      ], { concurrency: "unbounded" })
      assert.deepStrictEqual((yield* claim(claimant(kind))).map((lease) => lease.task_id), [join])
    }
  }))
})

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("a limit key", (it) => {
  const limit = (parts: { readonly max_running?: number; readonly interval?: number }) =>
    ({ limit: { key: "customer-1", max_running: parts.max_running ?? null, interval: parts.interval ?? null } })

  it.effect("lets no more of its tasks run at once than it says, the most urgent and oldest first", () => Effect.gen(function*() {
    const kind = newKind()
    const owner = yield* newOwner()
    const tasks = yield* Effect.forEach(Array.from({ length: 5 }), () => enqueue({ kind, owner, more: limit({ max_running: 2 }) }))
    const worker = claimant(kind)
    const first = yield* claim(worker)
    assert.deepStrictEqual(first.map((lease) => lease.task_id), tasks.slice(0, 2))
    assert.deepInclude(yield* find(tasks[2] ?? TaskId.make("test_of_nobody_at_all")), { waits_for: "limit" })
    yield* report(tasks[0] ?? TaskId.make("test_of_nobody_at_all"), worker.session_id, 1, completed("1"))
    assert.deepStrictEqual((yield* claim(worker)).map((lease) => lease.task_id), tasks.slice(2, 3))
  }))

  it.effect("gives its permit away while a task waits for its retry", () => Effect.gen(function*() {
    const kind = newKind()
    const owner = yield* newOwner()
    const retry = { max_retries: 2, base_delay: 60_000, max_delay: 60_000 }
    const [first, second] = [
      yield* enqueue({ kind, owner, retry, more: limit({ max_running: 1 }) }),
      yield* enqueue({ kind, owner, retry, more: limit({ max_running: 1 }) })
    ]
    const worker = claimant(kind)
    yield* claim(worker)
    yield* report(first, worker.session_id, 1, failed("later"))
    assert.deepStrictEqual((yield* claim(worker)).map((lease) => lease.task_id), [second])
    yield* age(first, "run_at", 1)
    assert.deepInclude(yield* find(first), { waits_for: "limit" })
    yield* report(second, worker.session_id, 1, completed("1"))
    assert.deepStrictEqual((yield* claim(worker)).map((lease) => [lease.task_id, lease.attempt]), [[first, 2]])
  }))

  it.effect("spaces out the starts of its tasks", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const kind = newKind()
    const owner = yield* newOwner()
    const tasks = yield* Effect.forEach(Array.from({ length: 4 }), () => enqueue({ kind, owner, more: limit({ interval: 30_000 }) }))
    assert.deepStrictEqual((yield* claim(claimant(kind))).map((lease) => lease.task_id), tasks.slice(0, 1))
    const waits = yield* sql<{ seconds: number }>`SELECT extract(epoch FROM q.run_at - t.created_at)::float8 AS seconds
      FROM task_queue q JOIN tasks t ON t.id = q.id WHERE q.kind = ${kind} AND q.state = 'queued' ORDER BY q.id`
    assert.deepStrictEqual(waits.map(({ seconds }) => Math.round(seconds / 30)), [1, 2, 3])
  }))

  it.effect("never overshoots, however its tasks come and go at the same time", () => Effect.gen(function*() {
    const outcomes = yield* TaskOutcomes
    const sql = yield* SqlClient.SqlClient
    const kind = newKind()
    const owner = yield* newOwner()
    const submitting = Effect.all(Array.from({ length: 60 }, () => enqueue({ kind, owner, more: limit({ max_running: 3 }) })), { concurrency: 6 })
    let peak = 0
    let ended = 0
    const working = Effect.gen(function*() {
      while (ended < 60) {
        const worker = claimant(kind, { slots: 2 })
        const leases = yield* claim(worker)
        const [row] = yield* sql<{ n: number }>`SELECT count(*)::int AS n FROM task_queue WHERE kind = ${kind} AND state = 'running'`
        peak = Math.max(peak, row?.n ?? 0)
        for (const { attempt, task_id } of leases) {
          yield* outcomes.report({ task_id, attempt, session_id: worker.session_id, outcome: ended % 3 === 0 ? failed("no") : completed("1") }, [])
          ended += 1
        }
        yield* Effect.yieldNow
      }
    })
    yield* Effect.all([submitting, working, working, working, working], { concurrency: "unbounded" })
    assert.isAtMost(peak, 3)
    assert.isAtLeast(peak, 2)
    assert.lengthOf(yield* sql`SELECT 1 FROM task_queue WHERE kind = ${kind}`, 0)
  }), 60_000)
})

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("a task enlisted in another's transaction", (it) => {
  it.effect("is there exactly when that commits", () => Effect.gen(function*() {
    const [queue, repo, sql] = [yield* TaskQueue, yield* TaskRepo, yield* SqlClient.SqlClient]
    const submission = yield* newSubmission({ kind: newKind(), more: { unique_key: "enlisted" } })
    const lost = yield* sql.withTransaction(Effect.flatMap(queue.enlist(submission), (accepted) => Effect.fail(accepted.task_id))).pipe(Effect.flip)
    assert.isTrue(typeof lost === "string" && Option.isNone(yield* repo.find(TaskId.make(lost))))
    const kept = yield* sql.withTransaction(queue.enlist(submission))
    assert.isTrue(kept.created && Option.isSome(yield* repo.find(kept.task_id)))
    assert.deepStrictEqual(yield* queue.enlist(submission), { task_id: kept.task_id, created: false })
  }))
})
