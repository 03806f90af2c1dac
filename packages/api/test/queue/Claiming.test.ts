import { assert, layer } from "@effect/vitest"
import type { TaskLease } from "@englog/domain/tasks/Task"
import { Priority } from "@englog/domain/tasks/TaskPolicy"
import { Effect, Option } from "effect"
import { LeaseRepo } from "../../src/queue/LeaseRepo.ts"
import { TaskOutcomes } from "../../src/queue/TaskOutcomes.ts"
import { age, claim, claimant, enqueue, eventTypes, failed, find, newKind, newOwner, newSession, QueueEngine, release, report, running } from "../support/QueueEngine.ts"

const ids = (leases: ReadonlyArray<TaskLease>) => leases.map((lease) => lease.task_id)

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("claiming", (it) => {
  it.effect("takes the highest priority first, and the oldest within one", () => Effect.gen(function*() {
    const kind = newKind()
    const owner = yield* newOwner()
    const queued = yield* Effect.forEach([5, 2, 10, 5, 8], (priority) => enqueue({ kind, owner, priority: Priority.make(priority) }))
    const expected = [2, 4, 0, 3, 1].map((index) => queued[index])
    const first = yield* claim(claimant(kind, { slots: 2 }))
    const rest = yield* claim(claimant(kind))
    assert.deepStrictEqual([...ids(first), ...ids(rest)], expected)
    assert.deepStrictEqual(first.map((lease) => [lease.attempt, lease.priority]), [[1, 10], [1, 8]])
  }))

  it.effect("keeps that order across kinds", () => Effect.gen(function*() {
    const [one, other] = [newKind(), newKind()]
    const low = yield* enqueue({ kind: one, priority: Priority.make(2) })
    const high = yield* enqueue({ kind: other, priority: Priority.make(8) })
    const middle = yield* enqueue({ kind: one, priority: Priority.make(5) })
    const worker = { kinds: [one, other], slots: 2 }
    assert.deepStrictEqual(ids(yield* claim(claimant(one, worker))), [high, middle])
    assert.deepStrictEqual(ids(yield* claim(claimant(one, worker))), [low])
  }))

  it.effect("takes only the worker's kinds and queues, and no more than it has slots", () => Effect.gen(function*() {
    const [kind, other] = [newKind(), newKind()]
    yield* enqueue({ kind: other })
    yield* enqueue({ kind, queue: "slow" })
    yield* Effect.all([enqueue({ kind }), enqueue({ kind }), enqueue({ kind })])
    assert.strictEqual((yield* claim(claimant(kind, { slots: 2 }))).length, 2)
    assert.strictEqual((yield* claim(claimant(kind))).length, 1)
    assert.strictEqual((yield* claim(claimant(kind, { queues: ["fast"] }))).length, 0)
    assert.strictEqual((yield* claim(claimant(kind, { queues: ["fast", "slow"] }))).length, 1)
    assert.deepStrictEqual(yield* claim(claimant(other, { slots: 0 })), [])
  }))

  it.effect("waits until a retry is due", () => Effect.gen(function*() {
    const { kind, session_id, task_id } = yield* running({ retry: { max_retries: 1, base_delay: 3_600_000, max_delay: 3_600_000 } })
    yield* report(task_id, session_id, 1, failed("not yet"))
    assert.deepStrictEqual(yield* claim(claimant(kind)), [])
    yield* age(task_id, "run_at", 1)
    // The engine's own look at what is due may hold its row at this very moment.
    const leases = yield* Effect.repeat(claim(claimant(kind)), { until: (leases) => leases.length > 0, times: 100 })
    assert.deepStrictEqual(leases.map((lease) => lease.attempt), [2])
  }))

  it.effect("leaves a task alone whose deadline has passed", () => Effect.gen(function*() {
    const kind = newKind()
    const task_id = yield* enqueue({ kind })
    yield* age(task_id, "deadline", 1)
    assert.deepStrictEqual(yield* claim(claimant(kind)), [])
  }))

  it.effect("never hands a task to two of many claimers at once", () => Effect.gen(function*() {
    const kind = newKind()
    const queued = yield* Effect.all(Array.from({ length: 60 }, () => enqueue({ kind })), { concurrency: 8 })
    const drain = (n: number) =>
      Effect.gen(function*() {
        const mine: Array<TaskLease> = []
        while (true) {
          const leases = yield* claim(claimant(kind, { slots: 1 + n % 4 }))
          if (leases.length === 0) return mine
          mine.push(...leases)
        }
      })
    const taken = (yield* Effect.all(Array.from({ length: 8 }, (_, n) => drain(n)), { concurrency: "unbounded" })).flat()
    assert.deepStrictEqual(ids(taken).sort(), [...queued].sort())
    assert.deepStrictEqual([...new Set(taken.map((lease) => lease.attempt))], [1])
  }))

  it.effect("does not hand a task again to a worker that knows no attempts and lost it, nor to that worker's next session", () => Effect.gen(function*() {
    const { kind, session_id, task_id } = yield* running()
    yield* release(task_id, session_id, "Lost")
    assert.deepStrictEqual(yield* claim(claimant(kind, { session_id, lineage: [session_id] })), [])
    assert.deepStrictEqual(yield* claim(claimant(kind, { lineage: [newSession(), session_id] })), [])
    assert.deepStrictEqual(ids(yield* claim(claimant(kind))), [task_id])
  }))

  it.effect("hands it to a worker that knows attempts, as the next one", () => Effect.gen(function*() {
    const { kind, session_id, task_id } = yield* running()
    yield* release(task_id, session_id, "Lost")
    assert.deepStrictEqual((yield* claim(claimant(kind, { session_id }))).map((lease) => [lease.task_id, lease.attempt]), [[task_id, 2]])
  }))

  it.effect("starts the attempt anew: progress, message and worker are its own", () => Effect.gen(function*() {
    const { kind, session_id, task_id } = yield* running()
    yield* TaskOutcomes.use((outcomes) => outcomes.progress([{ task_id, session_id, attempt: 1, progress: 60, message: "half way" }]))
    yield* release(task_id, session_id, "HandedBack")
    assert.deepInclude(yield* find(task_id), { state: "queued", worker_id: null })
    yield* claim(claimant(kind))
    assert.deepInclude(yield* find(task_id), { state: "running", progress: 0, message: null, attempt: 2 })
    assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "started", "progress", "handed_back", "started"])
  }))

  it.effect("lets exactly the holder of the attempt read its lease", () => Effect.gen(function*() {
    const leases = yield* LeaseRepo
    const { session_id, task_id } = yield* running({ payload: "{\"n\": 1}" })
    assert.strictEqual(Option.getOrThrow(yield* leases.held(task_id, session_id, 1)).payload, "{\"n\": 1}")
    assert.isTrue(Option.isSome(yield* leases.held(task_id, session_id, 0)))
    assert.isTrue(Option.isNone(yield* leases.held(task_id, session_id, 2)))
    assert.isTrue(Option.isNone(yield* leases.held(task_id, newSession(), 0)))
    yield* release(task_id, session_id, "Lost")
    assert.isTrue(Option.isNone(yield* leases.held(task_id, session_id, 0)))
  }))
})
