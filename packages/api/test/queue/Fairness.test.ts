import { assert, layer } from "@effect/vitest"
import { Priority } from "@englog/domain/tasks/TaskPolicy"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { ALL_QUEUES, QueueSettings } from "../../src/queue/QueueSettings.ts"
import { claim, claimant, completed, enqueue, newKind, newOwner, newSubmission, QueueEngine, report } from "../support/QueueEngine.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"

type Owner = Effect.Success<ReturnType<typeof newOwner>>

const many = Effect.fnUntraced(function*(kind: string, owner: Owner, count: number, priority = 5) {
  const submission = yield* newSubmission({ kind, owner, priority: Priority.make(priority) })
  return yield* (yield* TaskQueue).submitAll(Array.from({ length: count }, () => submission))
})

/** How many of the next `slots` tasks each owner gets. */
const shares = Effect.fnUntraced(function*(kind: string, owners: ReadonlyArray<Owner>, slots: number) {
  const leases = yield* claim(claimant(kind, { slots }))
  return owners.map((owner) => leases.filter((lease) => lease.organization_id === owner.organization_id).length)
})

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("fair shares", (it) => {
  it.effect("let a tenant with one task go before the rest of another's thousand", () => Effect.gen(function*() {
    const kind = newKind()
    const [busy, quiet] = [yield* newOwner(), yield* newOwner()]
    yield* many(kind, busy, 1_000)
    yield* many(kind, quiet, 1)
    const served = [yield* shares(kind, [busy, quiet], 1), yield* shares(kind, [busy, quiet], 1)]
    assert.deepStrictEqual([served[0]?.[0], served[1]?.[0]].sort(), [0, 1], "each of the two has one of the next two slots")
  }))

  it.effect("are equal while all of them wait, and leave no slot empty when some have less", () => Effect.gen(function*() {
    const kind = newKind()
    const owners = [yield* newOwner(), yield* newOwner(), yield* newOwner()]
    for (const [index, owner] of owners.entries()) yield* many(kind, owner, index === 0 ? 2 : 50)
    assert.deepStrictEqual((yield* shares(kind, owners, 3)), [1, 1, 1])
    const [few = 0, one = 0, other = 0] = yield* shares(kind, owners, 21)
    assert.strictEqual(few, 1)
    assert.strictEqual(one + other, 20)
    assert.isAtMost(Math.abs(one - other), 2)
  }))

  it.effect("follow the weights of the tenants", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const kind = newKind()
    const [heavy, light] = [yield* newOwner(), yield* newOwner()]
    yield* sql`INSERT INTO task_tenants (organization_id, weight) VALUES (${heavy.organization_id}, 3)`
    yield* many(kind, heavy, 100)
    yield* many(kind, light, 100)
    assert.deepStrictEqual(yield* shares(kind, [heavy, light], 40), [30, 10])
  }))

  it.effect("count inside a priority only: a more urgent task goes first, whoever has it", () => Effect.gen(function*() {
    const kind = newKind()
    const [urgent, patient] = [yield* newOwner(), yield* newOwner()]
    yield* many(kind, patient, 5, 5)
    yield* many(kind, urgent, 5, 8)
    assert.deepStrictEqual(yield* shares(kind, [urgent, patient], 6), [5, 1])
  }))

  it.effect("reach every one of more tenants than one claim looks at", () => Effect.gen(function*() {
    const kind = newKind()
    const owners = yield* Effect.all(Array.from({ length: 100 }, newOwner), { concurrency: 8 })
    yield* Effect.forEach(owners, (owner) => many(kind, owner, 2), { concurrency: 8 })
    const first = yield* Effect.forEach(Array.from({ length: 20 }), () => claim(claimant(kind, { slots: 5 })))
    assert.strictEqual(new Set(first.flat().map((lease) => lease.organization_id)).size, 100, "the first hundred slots go to a hundred tenants")
  }))
})

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("settings of a queue", (it) => {
  it.effect("pause it: nothing of it is claimed until it goes on", () => Effect.gen(function*() {
    const settings = yield* QueueSettings
    const kind = newKind()
    yield* enqueue({ kind, queue: "paused-one" })
    yield* settings.set("paused-one", { paused: true })
    const worker = { queues: ["paused-one", "default"] }
    assert.deepStrictEqual(yield* claim(claimant(kind, worker)), [])
    yield* settings.set("paused-one", { paused: false })
    assert.lengthOf(yield* claim(claimant(kind, worker)), 1)
  }))

  it.effect("bound how many of its tasks run at once, over all workers that claim at the same time", () => Effect.gen(function*() {
    const settings = yield* QueueSettings
    const kind = newKind()
    yield* Effect.forEach(Array.from({ length: 20 }), () => enqueue({ kind, queue: "narrow" }))
    yield* settings.set("narrow", { max_running: 3 })
    const taken = (yield* Effect.all(
      Array.from({ length: 8 }, () => claim(claimant(kind, { queues: ["narrow"], slots: 5 }))),
      { concurrency: "unbounded" }
    )).flat()
    assert.lengthOf(taken, 3)
    assert.deepStrictEqual(yield* claim(claimant(kind, { queues: ["narrow"] })), [])
  }))

  it.effect("bound all queues together", () => Effect.gen(function*() {
    const settings = yield* QueueSettings
    const sql = yield* SqlClient.SqlClient
    const kind = newKind()
    const [busy] = yield* sql<{ n: number }>`SELECT count(*)::int AS n FROM task_queue WHERE state = 'running'`
    yield* settings.set(ALL_QUEUES, { max_running: (busy?.n ?? 0) + 2 })
    yield* Effect.forEach(["one", "two", "three"], (queue) => enqueue({ kind, queue }))
    const worker = claimant(kind, { queues: ["one", "two", "three"] })
    const [first, ...others] = yield* claim(worker)
    assert.lengthOf(others, 1)
    if (first !== undefined) yield* report(first.task_id, worker.session_id, 1, completed("1"))
    assert.lengthOf(yield* claim(worker), 1)
    yield* settings.set(ALL_QUEUES, { max_running: null })
  }))
})
