import { assert, layer } from "@effect/vitest"
import { WorkerId } from "@englog/domain/Ids"
import { Priority } from "@englog/domain/tasks/TaskPolicy"
import { Effect, Queue } from "effect"
import { SqlClient } from "effect/sql"
import { CANCELLED, COMPLETED, type ContractWorker, FAILED, join, refusal } from "../support/ContractWorker.ts"
import { enqueue, events, find, newKind, newOwner } from "../support/QueueEngine.ts"
import { eventually, grpcAddress, sessionOf, wholeApi } from "../support/WholeApi.ts"

let workers = 0
const joined = (kinds: ReadonlyArray<string>, metadata: Record<string, string> = {}, capabilities: ReadonlyArray<number> = []) =>
  Effect.flatMap(grpcAddress, (address) =>
    join(address, { workerId: `worker-${++workers}`, kinds: [...kinds], metadata, capabilities: [...capabilities] }))

/** Waits until the server has the worker's stream. */
const connected = (worker: ContractWorker) => eventually(sessionOf(worker.workerId), (session) => session.connected)

/** A worker that was given a task of its own kind. */
const holding = Effect.fnUntraced(function*() {
  const kind = newKind()
  const worker = yield* joined([kind])
  const task_id = yield* enqueue({ kind, payload: "{\"n\": 1}" })
  return { kind, worker, task_id, task: yield* worker.next }
})

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("delivery", (it) => {
  it.effect("hands a task over with everything that the contract promises", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined([kind])
    const task_id = yield* enqueue({ kind, payload: "{\"n\": 1}", priority: Priority.make(8) }).pipe(Effect.withSpan("request"))
    const task = yield* worker.next
    assert.deepInclude(task, { taskId: task_id, kind, taskType: 0, payload: "{\"n\": 1}", priority: 8, attempt: 1 })
    const trace = (yield* find(task_id)).traceparent.split("-")[1]
    assert.strictEqual((task.metadata["traceparent"] ?? "").split("-")[1], trace)
    const seconds = Number(task.deadline?.seconds ?? 0n) - (yield* find(task_id)).created_at.epochMilliseconds / 1000
    assert.isTrue(seconds > 290 && seconds <= 301, `${seconds} s`)
    assert.deepInclude(yield* find(task_id), { state: "running", worker_id: WorkerId.make(worker.workerId) })
  }))

  it.effect("gives numbered kinds their task type", () => Effect.gen(function*() {
    const worker = yield* joined([], {}, [4])
    yield* enqueue({ kind: "CLEANUP" })
    assert.deepInclude(yield* worker.next, { kind: "CLEANUP", taskType: 4 })
  }))

  it.effect("accepts progress and the result from a worker that knows no attempt", () => Effect.gen(function*() {
    const { task_id, worker } = yield* holding()
    yield* worker.progress(task_id, 25, "reading")
    yield* worker.progress(task_id, 100, "done")
    const answer = yield* worker.report(task_id, { status: COMPLETED, result: "{\"ok\":true}" })
    assert.isTrue(answer.accepted)
    assert.isTrue((yield* worker.report(task_id, { status: COMPLETED, result: "{\"ok\":true}" })).accepted, "the same report again")
    assert.deepInclude(yield* find(task_id), { state: "completed", result: "{\"ok\":true}" })
    assert.deepStrictEqual((yield* events(task_id)).map((event) => event.type), ["queued", "started", "progress", "progress", "completed"])
  }))

  it.effect("records failures and confirmed cancellations as such", () => Effect.gen(function*() {
    const [one, other] = [yield* holding(), yield* holding()]
    yield* one.worker.report(one.task_id, { status: FAILED, errorMessage: "the model is away" })
    yield* other.worker.report(other.task_id, { status: CANCELLED, errorMessage: "shut down" })
    assert.deepInclude(yield* find(one.task_id), { state: "failed", error: "the model is away", reason: "error" })
    assert.deepInclude(yield* find(other.task_id), { state: "cancelled", error: "shut down" })
  }))

  it.effect("says what is wrong with a report, and leaves the task running", () => Effect.gen(function*() {
    const { task_id, worker } = yield* holding()
    assert.strictEqual(yield* refusal(worker.report(task_id, { result: "{}" })), "INVALID_ARGUMENT")
    assert.strictEqual(yield* refusal(worker.report(task_id, { status: 2 })), "INVALID_ARGUMENT")
    assert.strictEqual(yield* refusal(worker.report(task_id, { status: COMPLETED, attempt: -1 })), "INVALID_ARGUMENT")
    assert.strictEqual(yield* refusal(worker.report("no task id", { status: COMPLETED })), "INVALID_ARGUMENT")
    assert.strictEqual(yield* refusal(worker.progress(task_id, 101)), "INVALID_ARGUMENT")
    assert.strictEqual(yield* refusal(worker.progress(task_id, -1)), "INVALID_ARGUMENT")
    assert.strictEqual(yield* refusal(worker.report(task_id, { status: COMPLETED, attempt: 2 })), "FAILED_PRECONDITION")
    assert.deepInclude(yield* find(task_id), { state: "running", progress: 0 })
  }))

  it.effect("takes nothing from a worker about a task that another one holds", () => Effect.gen(function*() {
    const { task_id } = yield* holding()
    const stranger = yield* joined([newKind()])
    assert.strictEqual(yield* refusal(stranger.report(task_id, { status: COMPLETED, result: "{}" })), "FAILED_PRECONDITION")
    assert.strictEqual(yield* refusal(stranger.progress(task_id, 50)), "FAILED_PRECONDITION")
    assert.strictEqual(yield* refusal(stranger.data(task_id)), "FAILED_PRECONDITION")
    assert.strictEqual((yield* find(task_id)).state, "running")
  }))

  it.effect("has no data for kinds that have none, and none at all once the task has ended", () => Effect.gen(function*() {
    const { task_id, worker } = yield* holding()
    assert.strictEqual(yield* refusal(worker.data(task_id)), "NOT_FOUND")
    yield* worker.report(task_id, { status: COMPLETED, result: "{}" })
    assert.strictEqual(yield* refusal(worker.data(task_id)), "FAILED_PRECONDITION")
    assert.strictEqual(yield* refusal(worker.progress(task_id, 50)), "FAILED_PRECONDITION")
  }))

  it.effect("respects kinds and queues", () => Effect.gen(function*() {
    const [mine, other] = [newKind(), newKind()]
    const foreign = [yield* enqueue({ kind: other, priority: Priority.make(10) }), yield* enqueue({ kind: mine, queue: "slow", priority: Priority.make(10) })]
    const worker = yield* joined([mine], { queues: "default, fast" })
    const fitting = [yield* enqueue({ kind: mine }), yield* enqueue({ kind: mine, queue: "fast" })]
    // The second may be handed over while the first is still being claimed.
    assert.sameMembers([(yield* worker.next).taskId, (yield* worker.next).taskId], fitting)
    for (const task_id of foreign) assert.strictEqual((yield* find(task_id)).state, "queued")
  }))

  it.effect("keeps kinds that have no number when the stream names capabilities", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined([kind], {}, [3])
    yield* connected(worker)
    const stream = yield* worker.calls.stream({ ...worker.proof, capabilities: [3] })
    const task_id = yield* enqueue({ kind })
    assert.strictEqual((yield* stream.next).taskId, task_id)
  }))

  it.effect("never has more tasks in flight than the worker can run", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const kind = newKind()
    const worker = yield* joined([kind], { max_concurrent_tasks: "2" })
    const queued = yield* Effect.forEach(Array.from({ length: 7 }), () => enqueue({ kind }), { concurrency: 4 })
    const inFlight: Array<string> = []
    for (let done = 0; done < queued.length; done++) {
      while (inFlight.length < Math.min(2, queued.length - done)) inFlight.push((yield* worker.next).taskId)
      const [row] = yield* sql<{ n: number }>`SELECT count(*)::int AS n FROM task_queue WHERE kind = ${kind} AND state = 'running'`
      assert.strictEqual(row?.n, inFlight.length)
      assert.strictEqual(yield* Queue.size(worker.delivered), 0)
      yield* worker.report(inFlight.shift() ?? "", { status: COMPLETED, result: "{}" })
    }
  }))

  it.effect("runs five at once unless told otherwise", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined([kind])
    const owner = yield* newOwner()
    const queued = yield* Effect.forEach(Array.from({ length: 6 }), () => enqueue({ kind, owner }))
    for (let n = 0; n < 5; n++) yield* worker.next
    const states = yield* Effect.forEach(queued, find)
    assert.deepStrictEqual(states.map((task) => task.state), ["running", "running", "running", "running", "running", "queued"])
  }))

  it.effect("gives the next task to a worker that was told to drop one", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const kind = newKind()
    const worker = yield* joined([kind], { max_concurrent_tasks: "1" })
    const dropped = yield* enqueue({ kind })
    yield* worker.next
    yield* sql`UPDATE task_queue SET attempt_deadline = now() - interval '1 minute' WHERE kind = ${kind}`
    yield* eventually(find(dropped), (task) => task.state === "failed")
    assert.strictEqual(yield* refusal(worker.progress(dropped, 50)), "FAILED_PRECONDITION")
    const next = yield* enqueue({ kind })
    assert.strictEqual((yield* worker.next).taskId, next)
  }))

  it.effect("spreads work over the workers that are least busy", () => Effect.gen(function*() {
    const kind = newKind()
    const [one, other] = [yield* joined([kind]), yield* joined([kind])]
    yield* enqueue({ kind })
    yield* Effect.raceFirst(one.next, other.next)
    yield* enqueue({ kind })
    const busy = (worker: ContractWorker) => Effect.map(Queue.size(worker.delivered), (size) => size)
    yield* eventually(Effect.all([busy(one), busy(other)]), ([a, b]) => a + b === 1)
  }))

  it.effect("allows one stream per session: the second ends the first, and takes over", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined([kind])
    const first = yield* enqueue({ kind })
    yield* worker.next
    const stream = yield* worker.reopen
    assert.strictEqual(yield* worker.end, "ABORTED")
    const second = yield* enqueue({ kind })
    assert.strictEqual((yield* stream.next).taskId, second)
    for (const task_id of [first, second]) yield* worker.report(task_id, { status: COMPLETED, result: "{}" })
    assert.deepInclude(yield* find(first), { state: "completed", rescues: 0 })
  }))

  it.effect("gives a draining worker nothing", () => Effect.gen(function*() {
    const kind = newKind()
    const [draining, other] = [yield* joined([kind], { max_concurrent_tasks: "9" }), yield* joined([kind], { max_concurrent_tasks: "9" })]
    yield* connected(draining)
    yield* draining.calls.heartbeat({ ...draining.proof, status: 3 })
    const queued = yield* Effect.forEach(Array.from({ length: 4 }), () => enqueue({ kind }))
    for (const _ of queued) yield* other.next
    assert.strictEqual(yield* Queue.size(draining.delivered), 0)
  }))
})
