import { assert, describe, layer } from "@effect/vitest"
import { SessionId } from "@englog/domain/Ids"
import { Duration, Effect, Option, Queue } from "effect"
import { SqlClient } from "effect/sql"
import { COMPLETED, join as joinContract, refusal as contractRefusal } from "../support/ContractWorker.ts"
import { enqueue, events, eventTypes, find, newKind } from "../support/QueueEngine.ts"
import { join, refusal, type WorkerOptions } from "../support/ProtocolTwoWorker.ts"
import { eventually, grpcAddress, sessionOf, wholeApi } from "../support/WholeApi.ts"
import { WorkerSessionRepo } from "../../src/cluster/WorkerSessionRepo.ts"
import { TaskOutcomes } from "../../src/queue/TaskOutcomes.ts"

let workers = 0
const joined = (kind: string, options: Partial<WorkerOptions> = {}) =>
  Effect.flatMap(grpcAddress, (address) => join(address, { worker_id: `two-${++workers}`, kinds: [kind], ...options }))

const cancel = (task_id: Parameters<TaskOutcomes["Service"]["cancel"]>[0]) =>
  TaskOutcomes.use((outcomes) => outcomes.cancel(task_id, "no longer needed"))

const count = (types: ReadonlyArray<string>, type: string) => types.filter((one) => one === type).length

// Most of these wait for times to pass, so they wait together.
describe.concurrent("liveness", () => layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })((it) => {
  it.effect.each([1, 2])("rescues the tasks of a protocol %i worker whose stream is broken for longer than the grace", (protocol) =>
    Effect.gen(function*() {
      const kind = newKind()
      const address = yield* grpcAddress
      const worker = protocol === 1 ? yield* joinContract(address, { workerId: `one-${++workers}`, kinds: [kind] }) : yield* joined(kind)
      const worker_id = "workerId" in worker ? worker.workerId : worker.worker_id
      const task_id = yield* enqueue({ kind })
      yield* worker.next
      yield* worker.cut
      yield* eventually(sessionOf(worker_id), (session) => session.disconnected)
      assert.strictEqual((yield* find(task_id)).state, "running", "the grace has begun")
      yield* eventually(find(task_id), (task) => task.state === "queued")
      assert.deepInclude(yield* sessionOf(worker_id), { ended: true, end_reason: "disconnected" })
      const next = yield* joined(kind)
      const task = yield* next.next
      assert.deepStrictEqual([task.task_id, task.attempt], [task_id, 2])
      yield* next.complete(task)
      assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "started", "rescued", "started", "completed"])
    }))

  it.effect("keeps the tasks of a worker that comes back within the grace", () => Effect.gen(function*() {
    const kind = newKind()
    const [worker, yardstick] = [yield* joined(kind), yield* joined(newKind())]
    const [one, other] = [yield* enqueue({ kind }), yield* enqueue({ kind })]
    const tasks = [yield* worker.next, yield* worker.next]
    yield* worker.cut
    yield* yardstick.nextPing
    yield* yardstick.cut
    yield* eventually(sessionOf(worker.worker_id), (session) => session.disconnected)
    const again = yield* joined(kind, { worker_id: worker.worker_id, resume: worker.token })
    for (const task of tasks) again.held.set(task.task_id, task.attempt)
    yield* eventually(sessionOf(yardstick.worker_id), (session) => session.ended)
    for (const task of tasks) yield* again.complete(task)
    for (const task_id of [one, other]) assert.deepInclude(yield* find(task_id), { state: "completed", attempt: 1, rescues: 0 })
  }))

  it.effect("keeps them too where only the stream is opened again", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind)
    const task_id = yield* enqueue({ kind })
    const task = yield* worker.next
    yield* worker.cut
    yield* eventually(sessionOf(worker.worker_id), (session) => session.disconnected)
    yield* worker.reopen
    yield* eventually(sessionOf(worker.worker_id), (session) => session.connected)
    yield* worker.complete(task)
    assert.deepInclude(yield* find(task_id), { state: "completed", attempt: 1 })
  }))

  it.effect("accepts what a given-up worker finished meanwhile, by the token of its old session", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind)
    const task_id = yield* enqueue({ kind })
    const task = yield* worker.next
    yield* worker.cut
    yield* eventually(sessionOf(worker.worker_id), (session) => session.ended)
    yield* eventually(find(task_id), (found) => found.state === "queued")
    assert.strictEqual(yield* refusal(worker.report(task, { _tag: "Completed", result: "{}" })), "UNAUTHENTICATED")
    // Nobody of this kind may claim the next attempt meanwhile, the returning worker included.
    const again = yield* joined(newKind(), { worker_id: worker.worker_id, resume: worker.token })
    const revoked = (yield* again.beat({ held: [task] })).revoked_tasks
    assert.deepStrictEqual(revoked, [], "it may go on")
    yield* again.complete(task, "{\"late\":true}")
    assert.deepInclude(yield* find(task_id), { state: "completed", result: "{\"late\":true}", attempt: 1, rescues: 1 })
  }))

  it.effect("takes tasks from a deaf worker when its lease ends, and gives it no more", () => Effect.gen(function*() {
    const kind = newKind()
    const deaf = yield* joined(kind, { acknowledges: false })
    const task_id = yield* enqueue({ kind })
    yield* deaf.next
    // It beats loudly all the while.
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.ignore(deaf.beat()), Effect.sleep("200 millis"))))
    yield* eventually(find(task_id), (task) => task.state === "queued")
    assert.deepInclude(yield* sessionOf(deaf.worker_id), { ended: false, connected: true, lease_valid: false })
    // A worker that opens its stream again is not heard either before it acknowledges a ping of that stream.
    yield* deaf.reopen
    yield* deaf.nextPing
    yield* deaf.nextPing
    assert.deepInclude(yield* find(task_id), { state: "queued", rescues: 1 })
    const hearing = yield* joined(kind)
    assert.strictEqual((yield* hearing.next).attempt, 2)
    assert.strictEqual(yield* Queue.size(deaf.tasks), 0)
  }))

  it.effect("does not take the acknowledgement of an earlier stream's pings for one of this stream's", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind, { acknowledges: false })
    const old = yield* worker.nextPing
    yield* worker.reopen
    const newer = yield* worker.nextPing.pipe(Effect.repeat({ until: (sequence) => sequence > old }))
    assert.isTrue(newer > old)
    const task_id = yield* enqueue({ kind })
    yield* worker.next
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.ignore(worker.beat({ ping: old })), Effect.sleep("200 millis"))))
    yield* eventually(find(task_id), (task) => task.state === "queued")
  }))

  it.effect("gives the name of a worker that registered and never opened its stream to the next when its lease ends", () => Effect.gen(function*() {
    const kind = newKind()
    // As one that was killed, or never heard the answer: it has no token to resume with.
    const lost = yield* joined(kind, { opens: false })
    const refused = yield* Effect.flip(joined(kind, { worker_id: lost.worker_id }))
    assert.match(refused.message, /has a live session/)
    yield* eventually(sessionOf(lost.worker_id), (session) => session.ended)
    assert.strictEqual((yield* sessionOf(lost.worker_id)).end_reason, "never connected")
    const again = yield* joined(kind, { worker_id: lost.worker_id })
    const task_id = yield* enqueue({ kind })
    assert.strictEqual((yield* again.next).task_id, task_id)
  }))

  it.effect("leaves the tasks to a session whose lease was renewed since it was found without one", () => Effect.gen(function*() {
    const repo = yield* WorkerSessionRepo
    const sql = yield* SqlClient.SqlClient
    const kind = newKind()
    const worker = yield* joined(kind)
    const task_id = yield* enqueue({ kind })
    const task = yield* worker.next
    const { id } = yield* sessionOf(worker.worker_id)
    const session_id = SessionId.make(id)
    assert.isTrue(Option.isNone(yield* repo.ifWithoutLease(session_id, Effect.die("it has a lease"))))
    yield* sql`UPDATE worker_sessions SET ended_at = now(), end_reason = 'disconnected', replica_id = NULL WHERE id = ${id}::uuid`
    assert.deepStrictEqual(yield* repo.ifWithoutLease(session_id, Effect.succeed("taken")), Option.some("taken"))
    yield* eventually(find(task_id), ({ state }) => state === "queued")
    assert.strictEqual(task.attempt, 1)
  }))

  it.effect("never judges a worker deaf that knows only the contract", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joinContract(yield* grpcAddress, { workerId: `one-${++workers}`, kinds: [kind] })
    const deaf = yield* joined(newKind(), { acknowledges: false })
    yield* eventually(sessionOf(deaf.worker_id), (session) => !session.lease_valid)
    const task_id = yield* enqueue({ kind })
    assert.strictEqual((yield* worker.next).taskId, task_id)
    yield* worker.report(task_id, { status: COMPLETED, result: "{}" })
    assert.isTrue((yield* sessionOf(worker.workerId)).lease_valid)
  }))

  it.effect("hands back what was sent and never arrived, without counting a rescue", () => Effect.gen(function*() {
    const kind = newKind()
    const numb = yield* joined(kind, { receives: false })
    const task_id = yield* enqueue({ kind })
    yield* eventually(eventTypes(task_id), (types) => types.includes("handed_back"))
    yield* numb.leave
    yield* eventually(find(task_id), (task) => task.state === "queued")
    const worker = yield* joined(kind)
    yield* worker.complete(yield* worker.next)
    assert.deepInclude(yield* find(task_id), { state: "completed", rescues: 0 })
  }))

  it.effect("names to a worker the tasks that it holds no longer", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind)
    const task_id = yield* enqueue({ kind })
    const task = yield* worker.next
    const stranger = { task_id: (yield* enqueue({ kind: newKind() })), attempt: 1 }
    assert.deepStrictEqual((yield* worker.beat({ held: [task, stranger] })).revoked_tasks, [stranger])
    yield* TaskOutcomes.use((outcomes) => outcomes.overdue(task_id, "deadline"))
    assert.deepStrictEqual((yield* worker.beat({ held: [task] })).revoked_tasks, [{ task_id, attempt: 1 }])
  }))

  it.effect("gives a worker's slot to the next task when it dropped a revoked one without a word", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind, { slots: 1 })
    const revoked = yield* enqueue({ kind })
    const task = yield* worker.next
    yield* TaskOutcomes.use((outcomes) => outcomes.overdue(revoked, "deadline"))
    const next = yield* enqueue({ kind })
    yield* worker.beat({ held: [task] })
    worker.held.delete(task.task_id)
    yield* worker.beat()
    assert.strictEqual((yield* worker.next).task_id, next)
  }))

  it.effect("requeues the tasks of a worker that leaves at once, without a rescue", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind)
    const queued = yield* Effect.forEach([1, 2, 3], () => enqueue({ kind }))
    for (const _ of queued) yield* worker.next
    yield* worker.leave
    assert.deepStrictEqual(yield* Effect.forEach(queued, find).pipe(Effect.map((all) => all.map((task) => [task.state, task.rescues]))), [
      ["queued", 0], ["queued", 0], ["queued", 0]
    ])
    assert.strictEqual(yield* worker.end, "UNAUTHENTICATED")
    assert.strictEqual(yield* refusal(worker.beat()), "UNAUTHENTICATED")
    for (const task_id of queued) {
      const types = yield* eventTypes(task_id)
      assert.deepStrictEqual([types.includes("rescued"), types.at(-1)], [false, "handed_back"])
    }
  }))

  it.effect("asks the worker to stop a cancelled task, and records its confirmation", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind)
    const task_id = yield* enqueue({ kind })
    const task = yield* worker.next
    assert.strictEqual(yield* cancel(task_id), "requested")
    assert.deepInclude(yield* worker.command, { _tag: "CancelTask", task_id, attempt: 1, reason: "no longer needed" })
    assert.strictEqual(yield* refusal(worker.progress(task, 80)), "FAILED_PRECONDITION")
    yield* worker.report(task, { _tag: "Cancelled", error: "" })
    assert.deepInclude(yield* find(task_id), { state: "cancelled", error: "no longer needed" })
  }))

  it.effect("cancels without the worker where it does not confirm in time; a late confirmation is fine, a late result is not", () => Effect.gen(function*() {
    const kind = newKind()
    const [two, one] = [yield* joined(kind), yield* joinContract(yield* grpcAddress, { workerId: `one-${++workers}`, kinds: [kind + "_1"] })]
    const [first, second] = [yield* enqueue({ kind }), yield* enqueue({ kind: kind + "_1" })]
    const task = yield* two.next
    yield* one.next
    yield* Effect.all([cancel(first), cancel(second)])
    assert.strictEqual((yield* find(first)).state, "running")
    yield* eventually(Effect.all([find(first), find(second)]), (all) => all.every((found) => found.state === "cancelled"))
    assert.isTrue((yield* two.report(task, { _tag: "Cancelled", error: "" })).accepted)
    assert.strictEqual(yield* contractRefusal(one.report(second, { status: COMPLETED, result: "{}" })), "FAILED_PRECONDITION")
    assert.strictEqual((yield* events(first)).at(-1)?.type, "cancelled")
  }))

  it.effect("fails a running task at its deadline, and expires a waiting one", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind, { slots: 1 })
    const running = yield* enqueue({ kind, deadline: 700 })
    const task = yield* worker.next
    const waiting = yield* enqueue({ kind, deadline: 700 })
    yield* eventually(Effect.all([find(running), find(waiting)]), (all) => all.every((found) => found.completed_at !== null))
    assert.deepInclude(yield* find(running), { state: "failed", reason: "deadline" })
    assert.deepInclude(yield* find(waiting), { state: "expired", reason: "deadline", attempt: 0 })
    assert.strictEqual(yield* refusal(worker.report(task, { _tag: "Completed", result: "{}" })), "FAILED_PRECONDITION")
  }))

  it.effect("gives up a task that three workers in a row were lost with", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const kind = newKind()
    const task_id = yield* enqueue({ kind })
    for (let n = 1; n <= 3; n++) {
      const worker = yield* joined(kind)
      assert.strictEqual((yield* worker.next).attempt, n)
      // As if the grace had passed long ago.
      yield* sql`UPDATE worker_sessions SET ended_at = now(), end_reason = 'disconnected', replica_id = NULL WHERE worker_id = ${worker.worker_id}`
      yield* eventually(find(task_id), (task) => task.state !== "running")
      yield* worker.cut
    }
    assert.deepInclude(yield* find(task_id), { state: "failed", reason: "lost" })
    assert.strictEqual(count(yield* eventTypes(task_id), "rescued"), 2)
  }))
}))

layer(wholeApi({ liveness: { resumeGrace: Duration.seconds(30), closedGrace: Duration.millis(500) } }), {
  excludeTestServices: true,
  timeout: "60 seconds"
})("a server that lives on", (it) => {
  it.effect("does not wait for the whole grace where a worker's process closed its stream", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind)
    const task_id = yield* enqueue({ kind })
    yield* worker.next
    yield* worker.cut
    yield* eventually(find(task_id), (task) => task.state === "queued")
    assert.deepInclude(yield* sessionOf(worker.worker_id), { ended: true, end_reason: "disconnected" })
    assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "started", "rescued"])
  }))

  it.effect("waits until then, and keeps the tasks of the one that comes back", () => Effect.gen(function*() {
    const kind = newKind()
    const [worker, yardstick] = [yield* joined(kind), yield* joined(newKind())]
    const task_id = yield* enqueue({ kind })
    const task = yield* worker.next
    yield* worker.cut
    yield* worker.reopen
    yield* yardstick.cut
    yield* eventually(sessionOf(yardstick.worker_id), (session) => session.ended)
    yield* worker.complete(task)
    assert.deepInclude(yield* find(task_id), { state: "completed", attempt: 1, rescues: 0 })
  }))
})
