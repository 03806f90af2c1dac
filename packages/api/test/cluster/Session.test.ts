/** The session's stream in both directions, over real gRPC and a real database (docs/decisions/0019). */
import { assert, layer } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { WorkerSessions } from "../../src/cluster/WorkerSessions.ts"
import { TaskOutcomes } from "../../src/queue/TaskOutcomes.ts"
import { enqueue, eventTypes, find, newKind } from "../support/QueueEngine.ts"
import { join, openStream, type SessionWorkerOptions } from "../support/SessionWorker.ts"
import { eventually, grpcAddress, sessionOf, wholeApi } from "../support/WholeApi.ts"

let workers = 0
const joined = (kind: string, options: Partial<SessionWorkerOptions> = {}) =>
  Effect.flatMap(grpcAddress, (address) => join(address, { worker_id: `session-${++workers}`, kinds: [kind], ...options }))

const enqueued = (kind: string, count: number) => Effect.forEach(Array.from({ length: count }), () => enqueue({ kind }), { concurrency: 10 })

/** All rows of live sessions, by worker. */
const live = (worker_id: string) =>
  Effect.flatMap(WorkerSessions, (sessions) => Effect.map(sessions.all, (all) => all.find(({ row }) => row.worker_id === worker_id)))

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a session's stream", (it) => {
  it.effect("carries tasks down, and outcomes up, each of which is answered", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind)
    const task_id = yield* enqueue({ kind, payload: "{\"n\": 1}" })
    const task = yield* worker.next
    assert.deepInclude(task, { task_id, kind, payload: "{\"n\": 1}", attempt: 1 })
    assert.strictEqual(yield* worker.complete(task, "{\"ok\":true}"), "accepted")
    assert.deepInclude(yield* find(task_id), { state: "completed", result: "{\"ok\":true}" })
    assert.strictEqual(yield* worker.complete(task, "{\"ok\":true}"), "accepted", "the same again")
    assert.deepInclude(yield* worker.report(task, { _tag: "Failed", error: "late", retryable: true }), { refusal: "not_held" })
    assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "started", "completed"])
  }))

  it.effect("takes many outcomes in one message, and answers each for itself", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind, { slots: 60 })
    const queued = yield* enqueued(kind, 50)
    const tasks = yield* Effect.forEach(queued, () => worker.next)
    const numbers = yield* worker.tell(tasks.map(({ attempt, task_id }, index) => ({
      task_id,
      attempt: index === 7 ? attempt + 1 : attempt,
      outcome: index === 3 ? { _tag: "Failed", error: "no", retryable: false } : { _tag: "Completed", result: "{}" }
    })))
    const answers = yield* Effect.forEach(numbers, worker.answered)
    assert.lengthOf(answers.filter((answer) => answer === "accepted"), 49)
    assert.deepInclude(answers[7], { refusal: "not_held" })
    const states = yield* Effect.forEach(tasks, ({ task_id }) => Effect.map(find(task_id), ({ state }) => state))
    assert.deepStrictEqual([states[3], states[7], states.filter((state) => state === "completed").length], ["failed", "running", 48])
  }))

  it.effect("gives a worker as much in advance as it wants, several tasks to a message", () => Effect.gen(function*() {
    const kind = newKind()
    const queued = yield* enqueued(kind, 120)
    const worker = yield* joined(kind, { slots: 2, window: 100 })
    for (let n = 0; n < 100; n++) yield* worker.next
    assert.isBelow(worker.frames.filter(({ delivery }) => delivery > 0).length, 50)
    assert.strictEqual(yield* Queue.size(worker.tasks), 0)
    yield* worker.say({ window: 120 })
    for (let n = 0; n < 20; n++) yield* worker.next
    assert.lengthOf(queued, 120)
  }))

  it.effect("gives the next task when an attempt ended, not when that is recorded", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind, { slots: 1 })
    yield* enqueued(kind, 2)
    const first = yield* worker.next
    yield* worker.tell([{ task_id: first.task_id, attempt: first.attempt + 1, outcome: { _tag: "Completed", result: "{}" } }])
    assert.strictEqual((yield* live(worker.worker_id))?.delivered.size, 1, "an attempt that is not its own frees nothing")
    yield* worker.complete(first)
    yield* worker.next
  }))

  it.effect("notes progress in its order, and says which of it was refused", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind)
    const task_id = yield* enqueue({ kind })
    const { attempt } = yield* worker.next
    const step = (progress: number) => ({ task_id, attempt, progress, message: `at ${progress}` })
    yield* worker.say({ steps: [step(10), step(60)] })
    yield* worker.say({ steps: [step(59), step(70)] })
    assert.match((yield* worker.refusedStep).reason, /59 is behind/)
    yield* worker.say({ steps: [{ ...step(80), attempt: attempt + 1 }] })
    assert.deepStrictEqual(yield* worker.revocation, { task_id, attempt: attempt + 1 })
    assert.strictEqual(yield* worker.complete({ task_id, attempt }), "accepted")
    assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "started", "progress", "progress", "progress", "completed"])
  }))

  it.effect("brings a cancellation to the worker", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind)
    const task_id = yield* enqueue({ kind })
    const task = yield* worker.next
    // The engine beside the API is another replica.
    yield* TaskOutcomes.use((outcomes) => outcomes.cancel(task_id, "no longer needed"))
    assert.deepStrictEqual(yield* worker.command, { _tag: "CancelTask", task_id, attempt: 1, reason: "no longer needed" })
    assert.strictEqual(yield* worker.report(task, { _tag: "Cancelled", error: "" }), "accepted")
    assert.strictEqual((yield* find(task_id)).state, "cancelled")
  }))

  it.effect("keeps the slot of a task that is being cancelled, whatever its worker says of it meanwhile", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind, { slots: 1 })
    const task_id = yield* enqueue({ kind })
    const task = yield* worker.next
    yield* TaskOutcomes.use((outcomes) => outcomes.cancel(task_id, "as planned"))
    yield* worker.command
    yield* worker.say({ steps: [{ task_id, attempt: task.attempt, progress: 50, message: "" }] })
    // A step is recorded before the next message is read: once this is answered, the step is.
    yield* worker.complete({ task_id: yield* enqueue({ kind: newKind() }), attempt: 1 })
    assert.deepStrictEqual([...(yield* live(worker.worker_id))?.delivered ?? []], [[task_id, task.attempt]])
    const next = yield* enqueue({ kind })
    assert.strictEqual(yield* worker.report(task, { _tag: "Cancelled", error: "as planned" }), "accepted")
    assert.strictEqual((yield* worker.next).task_id, next)
    assert.strictEqual((yield* find(task_id)).state, "cancelled")
  }))

  it.effect("takes back at once what a worker returns", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind, { slots: 1, window: 2 })
    yield* enqueued(kind, 2)
    const [, second] = [yield* worker.next, yield* worker.next]
    const other = yield* joined(kind)
    yield* worker.say({ window: 1, returned_tasks: [{ task_id: second.task_id, attempt: 1 }] })
    assert.deepInclude(yield* other.next, { task_id: second.task_id, attempt: 2 })
  }))

  it.effect("hands back at once what never arrived, when a worker opens its stream again", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind, { slots: 2 })
    yield* enqueued(kind, 2)
    const [kept, lost] = [yield* worker.next, yield* worker.next]
    yield* worker.cut
    const again = yield* openStream(worker.calls, {
      worker_id: worker.worker_id,
      token: worker.token,
      held: [{ task_id: kept.task_id, attempt: kept.attempt }]
    })
    assert.deepInclude(yield* again.next, { task_id: lost.task_id, attempt: 2 })
    assert.strictEqual(yield* again.complete(kept), "accepted")
    assert.deepInclude(yield* find(kept.task_id), { state: "completed", attempt: 1, rescues: 0 })
  }))

  it.effect("ends an earlier stream of the session, whichever method that was opened by", () => Effect.gen(function*() {
    const worker = yield* joined(newKind())
    yield* eventually(sessionOf(worker.worker_id), (session) => session.connected)
    const again = yield* openStream(worker.calls, { worker_id: worker.worker_id, token: worker.token })
    assert.match(yield* worker.end, /^ABORTED/)
    yield* eventually(sessionOf(worker.worker_id), (session) => session.connected)
    yield* worker.leave
    assert.match(yield* again.end, /^UNAUTHENTICATED/)
  }))
})
