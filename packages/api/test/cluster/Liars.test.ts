/** Workers that lie: each lie is refused with the contract's status, and the work of the others goes on. */
import { assert, layer } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { SqlClient } from "effect/sql"
import { COMPLETED, connect, type ContractWorker, FAILED, INSIGHT_GENERATION, join, type Refused, type TaskStream } from "../support/ContractWorker.ts"
import { enqueue, eventTypes, find, newKind } from "../support/QueueEngine.ts"
import { eventually, grpcAddress, sessionOf, wholeApi } from "../support/WholeApi.ts"

let workers = 0
const joined = (kinds: ReadonlyArray<string>, metadata: Record<string, string> = {}) =>
  Effect.flatMap(grpcAddress, (address) => join(address, { workerId: `worker-${++workers}`, kinds: [...kinds], metadata }))

/** A worker that was given a task of its own kind. */
const holding = Effect.fnUntraced(function*(payload = "{}") {
  const kind = newKind()
  const worker = yield* joined([kind])
  const task_id = yield* enqueue({ kind, payload })
  yield* worker.next
  return { worker, task_id }
})

/** Code and message of a refused call. */
const answer = <A>(call: Effect.Effect<A, Refused>) => Effect.map(Effect.flip(call), ({ code, details }) => `${code} ${details}`)

const codes = <A>(calls: Iterable<Effect.Effect<A, Refused>>) =>
  Effect.map(
    Effect.forEach(calls, (call) => Effect.match(call, { onFailure: ({ code }) => code, onSuccess: () => "OK" }), { concurrency: 50 }),
    (all) => (code: string) => all.filter((one) => one === code).length
  )

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a worker that lies", (it) => {
  it.effect("neither reports on, nor reads, nor moves what another holds", () => Effect.gen(function*() {
    const { task_id, worker } = yield* holding()
    const liar = yield* joined([newKind()])
    const before = yield* eventTypes(task_id)
    const lies = [
      liar.report(task_id, { status: COMPLETED, result: "\"forged\"" }),
      liar.report(task_id, { status: FAILED, errorMessage: "sabotage" }),
      liar.progress(task_id, 99),
      liar.data(task_id)
    ]
    for (const lie of lies) assert.match(yield* answer<unknown>(lie), /^FAILED_PRECONDITION .*does not hold/)
    assert.deepStrictEqual(yield* eventTypes(task_id), before)
    yield* worker.report(task_id, { status: COMPLETED, result: "\"true\"" })
    assert.deepInclude(yield* find(task_id), { state: "completed", result: "\"true\"" })
    assert.match(yield* answer(liar.report(task_id, { status: COMPLETED, result: "\"forged\"" })), /^FAILED_PRECONDITION/)
    assert.deepInclude(yield* find(task_id), { state: "completed", result: "\"true\"" })
  }))

  it.effect("does not get at a session with the token of another", () => Effect.gen(function*() {
    const { task_id, worker } = yield* holding()
    const liar = yield* joined([newKind()])
    const mixed = { workerId: liar.workerId, sessionToken: worker.token, taskId: task_id }
    assert.match(yield* answer(liar.calls.report({ ...mixed, status: COMPLETED, result: "1" })), /^UNAUTHENTICATED/)
    assert.match(yield* answer(liar.calls.heartbeat(mixed)), /^UNAUTHENTICATED/)
    assert.strictEqual(yield* Effect.flatMap(liar.calls.stream(mixed), ({ end }) => end), "UNAUTHENTICATED")
    yield* worker.beat
    yield* worker.report(task_id, { status: COMPLETED, result: "1" })
  }))

  it.effect("reports no attempt but the one it holds", () => Effect.gen(function*() {
    const { task_id, worker } = yield* holding()
    for (const attempt of [2, 2_147_483_647]) {
      assert.match(yield* answer(worker.report(task_id, { status: COMPLETED, result: "1", attempt })), /^FAILED_PRECONDITION/)
    }
    assert.strictEqual(yield* answer(worker.report(task_id, { status: COMPLETED, result: "1", attempt: -1 })), "INVALID_ARGUMENT attempt: -1 is negative")
    assert.match(yield* answer(worker.report("not a task", { status: COMPLETED })), /^INVALID_ARGUMENT task_id/)
    assert.match(yield* answer(worker.report(task_id, { status: 0 })), /^INVALID_ARGUMENT status/)
    assert.strictEqual((yield* find(task_id)).state, "running")
    yield* worker.report(task_id, { status: COMPLETED, result: "1", attempt: 1 })
  }))

  it.effect("does not move progress backwards, nor beyond 0..100", () => Effect.gen(function*() {
    const { task_id, worker } = yield* holding()
    yield* worker.progress(task_id, 60)
    assert.match(yield* answer(worker.progress(task_id, 59)), /^INVALID_ARGUMENT progress: 59 is behind/)
    for (const percent of [-1, 101, 2_147_483_647, -2_147_483_648]) {
      assert.match(yield* answer(worker.progress(task_id, percent)), /^INVALID_ARGUMENT progress: give a percentage/)
    }
    assert.deepInclude(yield* find(task_id), { state: "running", progress: 60 })
    yield* worker.progress(task_id, 60, "still there")
  }))

  it.effect("sends no result above 1 MiB, and may send a smaller one", () => Effect.gen(function*() {
    const { task_id, worker } = yield* holding()
    const result = JSON.stringify("x".repeat(1024 * 1024))
    assert.match(yield* answer(worker.report(task_id, { status: COMPLETED, result })), /^INVALID_ARGUMENT result: has 1048578 bytes; give at most 1048576/)
    assert.match(
      yield* answer(worker.report(task_id, { status: COMPLETED, result: "x".repeat(50 * 1024 * 1024) })),
      /^RESOURCE_EXHAUSTED Received message larger than max/
    )
    assert.strictEqual((yield* find(task_id)).state, "running")
    yield* worker.report(task_id, { status: COMPLETED, result: JSON.stringify("x".repeat(1_000_000)) })
    assert.strictEqual((yield* find(task_id)).state, "completed")
  }))

  it.effect("fills no field with more than it may hold", () => Effect.gen(function*() {
    const { task_id, worker } = yield* holding()
    const { calls, proof } = worker
    const long = "x".repeat(20_000)
    const many = Array.from({ length: 10_001 }, () => ({ taskId: "test_12345678", attempt: 1 }))
    const refused = (call: Effect.Effect<unknown, Refused>, field: string) =>
      Effect.map(answer(call), (said) => assert.match(said, new RegExp(`^INVALID_ARGUMENT ${field}`)))
    yield* refused(worker.progress(task_id, 10, long), "message: has 20000 characters; give at most 4096")
    yield* refused(worker.report(task_id, { status: FAILED, errorMessage: long }), "error_message")
    yield* refused(calls.heartbeat({ ...proof, heldTasks: many }), "held_tasks: has 10001 entries")
    yield* refused(calls.heartbeat({ ...proof, sessionToken: long }), "session_token")
    yield* refused(calls.heartbeat({ ...proof, workerId: long }), "worker_id")
    yield* refused(calls.leave({ ...proof, reason: long }), "reason")
    const newcomer = { workerId: "newcomer", capabilities: [INSIGHT_GENERATION] }
    const names = Array.from({ length: 201 }, (_, index) => `K${index}`)
    yield* refused(calls.register({ ...newcomer, workerName: long }), "worker_name")
    yield* refused(calls.register({ ...newcomer, version: long }), "version")
    yield* refused(calls.register({ ...newcomer, kinds: [long] }), "kinds")
    yield* refused(calls.register({ ...newcomer, kinds: names }), "kinds: has 202 entries")
    yield* refused(calls.register({ ...newcomer, metadata: { queues: names.join() } }), "metadata.queues")
    yield* refused(calls.register({ ...newcomer, metadata: { whatever: long } }), "metadata.whatever")
    yield* refused(calls.register({ ...newcomer, metadata: { max_concurrent_tasks: "1e9" } }), "metadata.max_concurrent_tasks")
    assert.strictEqual((yield* find(task_id)).state, "running")
  }))

  it.effect("breaks nothing by times and numbers that cannot be", () => Effect.gen(function*() {
    const { task_id, worker } = yield* holding()
    const never = { seconds: 9_000_000_000_000_000n, nanos: 2_147_483_647 }
    yield* worker.calls.heartbeat({
      ...worker.proof,
      acknowledgedPing: 18_446_744_073_709_551_615n,
      stats: { activeTasks: -5, completedTasks: 2_147_483_647, cpuUsage: Number.NaN, memoryUsage: Number.NEGATIVE_INFINITY, uptime: never }
    })
    yield* worker.report(task_id, { status: COMPLETED, result: "1", startedAt: never, completedAt: { seconds: -never.seconds, nanos: -1 } })
    assert.strictEqual((yield* find(task_id)).state, "completed")
  }))

  it.effect("that does not read its stream is given no more than the server can keep, and the rest goes to others", () => Effect.gen(function*() {
    const kind = newKind()
    const liar = yield* joined([kind], { max_concurrent_tasks: "9999" })
    yield* liar.pause
    yield* eventually(sessionOf(liar.workerId), (session) => session.connected)
    const payload = JSON.stringify({ text: "x".repeat(20_000) })
    const tasks = yield* Effect.forEach(Array.from({ length: 300 }), () => enqueue({ kind, payload }), { concurrency: 10 })
    const sql = yield* SqlClient.SqlClient
    const held = Effect.map(
      sql<{ n: number }>`SELECT count(*)::int AS n FROM task_queue WHERE kind = ${kind} AND state = 'running'`,
      (rows) => rows[0]?.n ?? 0
    )
    // Its mailbox, a chunk on its way, and what the connection itself buffers.
    yield* eventually(held, (n) => n >= 64)
    const honest = yield* joined([kind], { max_concurrent_tasks: "300" })
    const taken = yield* finish(honest, 300 - 150)
    assert.isAtLeast(taken, 150)
    assert.isAtMost(yield* held, 150)
    assert.lengthOf(tasks, 300)
  }))
})

/** Takes and completes that many tasks. */
const finish = Effect.fnUntraced(function*(worker: ContractWorker, count: number) {
  for (let done = 0; done < count; done++) {
    const task = yield* Effect.orDie(Effect.timeout(Queue.take(worker.delivered), "10 seconds"))
    yield* worker.report(task.taskId, { status: COMPLETED, result: "1" })
  }
  return count
})

const slow = { capacity: 5, perSecond: 0.001 }
const few = {
  session: { heartbeat: { ...slow, capacity: 500 }, stream: slow, other: { capacity: 50, perSecond: 10, ceiling: 1_000 } },
  perTask: 20,
  unknownToken: { ...slow, capacity: 20 }
}

layer(wholeApi({ rates: few }), { excludeTestServices: true, timeout: "60 seconds" })("a worker that floods", (it) => {
  it.effect("opens its stream only so often, and keeps the last one", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined([kind])
    let last: TaskStream = worker
    for (let opened = 1; opened < slow.capacity; opened++) {
      yield* eventually(sessionOf(worker.workerId), (session) => session.connected)
      const next = yield* worker.reopen
      assert.strictEqual(yield* last.end, "ABORTED")
      last = next
    }
    for (let refused = 0; refused < 20; refused++) {
      assert.strictEqual(yield* Effect.flatMap(worker.reopen, ({ end }) => end), "RESOURCE_EXHAUSTED")
    }
    const task_id = yield* enqueue({ kind })
    assert.strictEqual((yield* last.next).taskId, task_id)
  }))

  it.effect("may call only so often beyond its work; it is told when to try again, and one beside it is not limited", () => Effect.gen(function*() {
    const { task_id, worker } = yield* holding()
    const liar = yield* joined([newKind()])
    const lie = liar.progress(task_id, 50)
    const started = performance.now()
    const said = yield* codes(Array.from({ length: 300 }, () => lie))
    const refilled = Math.ceil((performance.now() - started) / 1_000 * few.session.other.perSecond)
    assert.isAtLeast(said("FAILED_PRECONDITION"), 50)
    assert.isAtMost(said("FAILED_PRECONDITION"), 51 + refilled)
    assert.strictEqual(said("FAILED_PRECONDITION") + said("RESOURCE_EXHAUSTED"), 300)
    const refused = yield* Effect.flip(lie).pipe(Effect.repeat({ until: ({ code }) => code === "RESOURCE_EXHAUSTED" }))
    assert.match(refused.details, /^too many calls of this session; try again in \d+ ms$/)
    assert.isTrue((refused.retryAfter ?? 0) > 0 && (refused.retryAfter ?? 0) <= 100)
    // Not even the liar loses its leases: heartbeats count on their own.
    yield* liar.beat
    yield* worker.progress(task_id, 50)
    yield* worker.report(task_id, { status: COMPLETED, result: "1" })
  }))

  it.effect("may say more with every task it is given", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined([kind], { max_concurrent_tasks: "10" })
    for (let task = 0; task < 30; task++) {
      const taskId = yield* enqueue({ kind })
      yield* worker.next
      const steps = Array.from({ length: 15 }, (_, step) => step * 5)
      yield* Effect.forEach(steps, (percent) => worker.progress(taskId, percent))
      yield* worker.report(taskId, { status: COMPLETED, result: "1" })
    }
  }), 30_000)

  it.effect("with guessed tokens is stopped before the database is asked, and known sessions of its address go on", () => Effect.gen(function*() {
    const { task_id, worker } = yield* holding()
    const { heartbeat } = yield* Effect.flatMap(grpcAddress, connect)
    const guesses = Array.from({ length: 60 }, (_, index) => heartbeat({ workerId: worker.workerId, sessionToken: `guess-${index}` }))
    const said = yield* codes(guesses)
    assert.deepStrictEqual([said("UNAUTHENTICATED"), said("RESOURCE_EXHAUSTED")], [20, 40])
    yield* worker.beat
    yield* worker.report(task_id, { status: COMPLETED, result: "1" })
  }))
})

const closed = { enrollmentToken: "sesame", rates: { wrongEnrollment: { capacity: 3, perSecond: 0.001 }, registration: { capacity: 12, perSecond: 0.001 } } }

layer(wholeApi(closed), { excludeTestServices: true, timeout: "60 seconds" })("an address", (it) => {
  it.effect("may guess the enrollment token only a few times, and register only so often", () => Effect.gen(function*() {
    const { heartbeat, register } = yield* Effect.flatMap(grpcAddress, connect)
    const attempt = (workerId: string, enrollment_token: string) =>
      register({ workerId, capabilities: [INSIGHT_GENERATION], metadata: { enrollment_token } })
    const { sessionToken } = yield* attempt("early", "sesame")
    for (const guess of ["", "a", "sesame "]) assert.match(yield* answer(attempt("guesser", guess)), /^UNAUTHENTICATED/)
    // It does not learn whether this one is right.
    const refused = yield* Effect.flip(attempt("guesser", "sesame"))
    assert.match(`${refused.code} ${refused.details}`, /^RESOURCE_EXHAUSTED too many wrong enrollment tokens from this address; try again in \d+ ms/)
    assert.isAbove(refused.retryAfter ?? 0, 0)
    yield* heartbeat({ workerId: "early", sessionToken })
    const more = yield* Effect.forEach(Array.from({ length: 8 }), () => Effect.flip(attempt("guesser", "sesame")))
    assert.match(more.at(-1)?.details ?? "", /^too many registrations from this address/)
  }))
})
