import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { connect, INSIGHT_GENERATION, join, refusal } from "../support/ContractWorker.ts"
import { enqueue, find, newKind } from "../support/QueueEngine.ts"
import { eventually, grpcAddress, sessionOf, wholeApi } from "../support/WholeApi.ts"

const calls = Effect.flatMap(grpcAddress, connect)
const joined = (workerId: string, kinds: ReadonlyArray<string>, metadata: Record<string, string> = {}) =>
  Effect.flatMap(grpcAddress, (address) => join(address, { workerId, kinds: [...kinds], metadata }))
const insights = { capabilities: [INSIGHT_GENERATION] }

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("registration", (it) => {
  it.effect("gives a session token and the heartbeat interval", () => Effect.gen(function*() {
    const { heartbeat, register } = yield* calls
    const answer = yield* register({ workerId: "plain", workerName: "Plain", version: "1", ...insights })
    assert.deepInclude(answer, { registrationSuccessful: true, heartbeatIntervalSeconds: 1 })
    assert.match(answer.sessionToken, /^[\w-]{43}$/)
    const { connectionHealthy, serverTime } = yield* heartbeat({ workerId: "plain", sessionToken: answer.sessionToken })
    assert.deepStrictEqual([connectionHealthy, serverTime === undefined], [true, false])
  }))

  it.effect("refuses a worker without an id, or without anything it can do", () => Effect.gen(function*() {
    const { register } = yield* calls
    assert.strictEqual(yield* refusal(register({ workerId: "", ...insights })), "INVALID_ARGUMENT")
    assert.strictEqual(yield* refusal(register({ workerId: "useless" })), "INVALID_ARGUMENT")
    assert.strictEqual(yield* refusal(register({ workerId: "useless", capabilities: [0] })), "INVALID_ARGUMENT")
    assert.strictEqual(yield* refusal(register({ workerId: "greedy", ...insights, metadata: { max_concurrent_tasks: "0" } })), "INVALID_ARGUMENT")
    assert.strictEqual(yield* refusal(register({ workerId: "nul", workerName: "a\u0000b", ...insights })), "INVALID_ARGUMENT")
  }))

  it.effect("lets a worker resume once more that never got the answer with its new token", () => Effect.gen(function*() {
    const { heartbeat, register } = yield* calls
    const first = yield* register({ workerId: "unlucky", ...insights })
    const resume = { workerId: "unlucky", ...insights, metadata: { resume_session_token: first.sessionToken } }
    const lost = yield* register(resume)
    const second = yield* register(resume)
    assert.isTrue((yield* heartbeat({ workerId: "unlucky", sessionToken: second.sessionToken })).connectionHealthy)
    assert.strictEqual(yield* refusal(heartbeat({ workerId: "unlucky", sessionToken: lost.sessionToken })), "UNAUTHENTICATED")
  }))

  it.effect("stores no token, only its hash", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { register } = yield* calls
    const { sessionToken } = yield* register({ workerId: "hashed", ...insights })
    const rows = yield* sql<{ row: string }>`SELECT s::text AS row FROM worker_sessions s WHERE worker_id = 'hashed'`
    assert.isTrue(rows[0] !== undefined && !rows[0].row.includes(sessionToken))
    assert.notInclude(rows[0]?.row ?? "", Buffer.from(sessionToken).toString("hex"))
  }))

  it.effect("does not let a stranger take the place of a live worker", () => Effect.gen(function*() {
    const { heartbeat, register } = yield* calls
    const { sessionToken } = yield* register({ workerId: "taken", ...insights })
    assert.strictEqual(yield* refusal(register({ workerId: "taken", ...insights })), "ALREADY_EXISTS")
    const guess = { resume_session_token: "a".repeat(43) }
    assert.strictEqual(yield* refusal(register({ workerId: "taken", ...insights, metadata: guess })), "ALREADY_EXISTS")
    const other = yield* register({ workerId: "other", ...insights })
    const foreign = { resume_session_token: other.sessionToken }
    assert.strictEqual(yield* refusal(register({ workerId: "taken", ...insights, metadata: foreign })), "ALREADY_EXISTS")
    yield* heartbeat({ workerId: "taken", sessionToken })
  }))

  it.effect("resumes a live session by its token: the token rotates, the tasks stay", () => Effect.gen(function*() {
    const kind = newKind()
    const first = yield* joined("resuming", [kind])
    const task_id = yield* enqueue({ kind })
    yield* first.next
    const { id } = yield* sessionOf("resuming")
    const second = yield* joined("resuming", [kind], { resume_session_token: first.token })
    assert.notStrictEqual(second.token, first.token)
    assert.strictEqual((yield* sessionOf("resuming")).id, id)
    assert.strictEqual(yield* first.end, "ABORTED")
    assert.strictEqual(yield* refusal(first.beat), "UNAUTHENTICATED")
    assert.strictEqual(yield* refusal(first.report(task_id, { status: 3, result: "{}" })), "UNAUTHENTICATED")
    assert.isTrue((yield* second.report(task_id, { status: 3, result: "{}" })).accepted)
    assert.deepInclude(yield* find(task_id), { state: "completed", attempt: 1, rescues: 0 })
  }))

  it.effect("replaces a dead session freely", () => Effect.gen(function*() {
    const first = yield* joined("reborn", [newKind()])
    yield* eventually(sessionOf("reborn"), (session) => session.connected)
    yield* first.cut
    yield* eventually(sessionOf("reborn"), (session) => session.ended)
    const second = yield* joined("reborn", [newKind()])
    yield* second.beat
    assert.strictEqual(yield* refusal(first.beat), "UNAUTHENTICATED")
  }))

  it.effect("asks for proof on every call", () => Effect.gen(function*() {
    const { data, heartbeat, leave, progress, report, stream } = yield* calls
    const taskId = "test_of_nobody_at_all"
    for (const proof of [{ workerId: "nobody", sessionToken: "" }, { workerId: "nobody", sessionToken: "x".repeat(43) }]) {
      assert.strictEqual(yield* refusal(heartbeat(proof)), "UNAUTHENTICATED")
      assert.strictEqual(yield* refusal(report({ ...proof, taskId, status: 3 })), "UNAUTHENTICATED")
      assert.strictEqual(yield* refusal(progress({ ...proof, taskId })), "UNAUTHENTICATED")
      assert.strictEqual(yield* refusal(data({ ...proof, taskId })), "UNAUTHENTICATED")
      assert.strictEqual(yield* refusal(leave(proof)), "UNAUTHENTICATED")
      assert.strictEqual(yield* Effect.flatMap(stream(proof), ({ end }) => end), "UNAUTHENTICATED")
    }
    const worker = yield* joined("honest", [newKind()])
    assert.strictEqual(yield* refusal(heartbeat({ workerId: "somebody-else", sessionToken: worker.token })), "UNAUTHENTICATED")
  }))

  it.effect("survives a worker whose statistics are no numbers", () => Effect.gen(function*() {
    const worker = yield* joined("nan", [newKind()])
    yield* worker.calls.heartbeat({ ...worker.proof, stats: { activeTasks: 0, cpuUsage: Number.NaN, memoryUsage: Number.POSITIVE_INFINITY } })
    yield* worker.beat
    yield* joined("beside-nan", [newKind()])
  }))

  it.effect("answers health checks from anybody", () => Effect.gen(function*() {
    const answer = yield* (yield* calls).health({})
    assert.deepStrictEqual([answer.status, answer.services], ["healthy", { database: "healthy" }])
  }))
})

layer(wholeApi({ maxWorkers: 2, enrollmentToken: "sesame" }), { excludeTestServices: true, timeout: "60 seconds" })(
  "a closed cluster of two workers",
  (it) => {
    it.effect("demands the enrollment token, and takes no more workers than it may have", () => Effect.gen(function*() {
      const enrolled = { enrollment_token: "sesame" }
      const { register } = yield* calls
      assert.strictEqual(yield* refusal(register({ workerId: "one", ...insights })), "UNAUTHENTICATED")
      const wrong = { enrollment_token: "open" }
      assert.strictEqual(yield* refusal(register({ workerId: "one", ...insights, metadata: wrong })), "UNAUTHENTICATED")
      const sql = yield* SqlClient.SqlClient
      const refused = sql`SELECT detail FROM security_events WHERE event = 'worker_refused'`
      const recorded = yield* eventually(refused, (rows) => rows.length === 2)
      assert.deepStrictEqual(recorded[1], { detail: { reason: "wrong_enrollment_token", worker_id: "one" } })
      const one = yield* joined("one", [newKind()], enrolled)
      const two = yield* joined("two", [newKind()], enrolled)
      assert.strictEqual(yield* refusal(register({ workerId: "three", ...insights, metadata: enrolled })), "RESOURCE_EXHAUSTED")
      yield* joined("two", [newKind()], { ...enrolled, resume_session_token: two.token })
      yield* one.leave
      yield* joined("three", [newKind()], enrolled)
    }))
  }
)
