/** What is open in the queues, counted and shared. */
import { assert, layer } from "@effect/vitest"
import { Priority } from "@englog/domain/tasks/TaskPolicy"
import { Effect, Layer } from "effect"
import { QueueStatsRepo } from "../../src/queue/QueueStatsRepo.ts"
import { age, claim, claimant, enqueue, newKind, newOwner, QueueEngine } from "../support/QueueEngine.ts"
import { eventually } from "../support/WholeApi.ts"

layer(QueueStatsRepo.layer.pipe(Layer.provideMerge(QueueEngine)), { excludeTestServices: true, timeout: "60 seconds" })("the count of open tasks", (it) => {
  it.effect("tells what is ready, waits and runs in each queue, by priority, and since when the oldest is ready", () => Effect.gen(function*() {
    const stats = yield* QueueStatsRepo
    const [queue, kind, owner] = [newKind(), newKind(), yield* newOwner()]
    const first = yield* enqueue({ kind, queue, owner, priority: Priority.make(10) })
    yield* enqueue({ kind, queue, owner, priority: Priority.make(9) })
    yield* claim(claimant(kind, { queues: [queue], slots: 1 }))
    const oldest = yield* enqueue({ kind, queue, owner, priority: Priority.make(6) })
    yield* age(oldest, "run_at", 100)
    yield* enqueue({ kind, queue, owner, priority: Priority.make(1), more: { delay: 60_000 } })
    yield* enqueue({ kind, queue, owner, priority: Priority.make(1), more: { after: [first] } })
    const found = (yield* stats.open).find((one) => one.queue === queue)
    assert.deepInclude(found, { ready: 2, delayed: 1, blocked: 1, running: 1, critical: 0, high: 1, normal: 1, low: 2 })
    assert.closeTo(found?.oldest_due_seconds ?? 0, 100, 20)
  }))

  it.effect("is made once for all who poll at the same time, and anew a while later", () => Effect.gen(function*() {
    const stats = yield* QueueStatsRepo
    const [one, ...others] = yield* Effect.all(Array.from({ length: 16 }, () => stats.openLately), { concurrency: "unbounded" })
    for (const other of others) assert.strictEqual(other, one)
    const queue = newKind()
    yield* enqueue({ kind: newKind(), queue })
    yield* eventually(stats.openLately, (open) => open.some((counts) => counts.queue === queue))
  }))
})
