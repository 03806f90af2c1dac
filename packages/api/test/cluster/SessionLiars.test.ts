/** Workers that lie on their session's stream: each lie is refused, and the work of the others goes on. */
import { create, toBinary } from "@bufbuild/protobuf"
import { assert, it as plainIt, layer } from "@effect/vitest"
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import * as grpc from "@grpc/grpc-js"
import { Duration, Effect, Redacted, Schema } from "effect"
import { SessionId, TaskId } from "@englog/domain/Ids"
import { TestClock } from "effect/testing"
import { randomUUID } from "node:crypto"
import { Liveness } from "../../src/cluster/ClusterConfig.ts"
import { WorkerSessionRow } from "../../src/cluster/WorkerSessionRepo.ts"
import { WorkerSessions } from "../../src/cluster/WorkerSessions.ts"
import { enqueue, find, newKind } from "../support/QueueEngine.ts"
import { join, type SessionWorkerOptions } from "../support/SessionWorker.ts"
import { eventually, grpcAddress, sessionOf, wholeApi } from "../support/WholeApi.ts"

let workers = 0
const joined = (kind: string, options: Partial<SessionWorkerOptions> = {}) =>
  Effect.flatMap(grpcAddress, (address) => join(address, { worker_id: `streaming-${++workers}`, kinds: [kind], ...options }))

/** A worker that was given a task of its own kind. */
const holding = Effect.fnUntraced(function*() {
  const kind = newKind()
  const worker = yield* joined(kind)
  yield* enqueue({ kind })
  return { worker, task: yield* worker.next }
})

/** The honest one's task is still its own, and can be completed. */
const undisturbed = Effect.fnUntraced(function*({ task, worker }: Effect.Success<ReturnType<typeof holding>>) {
  assert.strictEqual((yield* find(task.task_id)).state, "running")
  assert.strictEqual(yield* worker.complete(task), "accepted")
})

const { input, name } = APIWorkerService.method.session

/** Sends these bytes' worth in one message over a client without limits of its own; the status it ends with. */
const sendRaw = (address: string, bytes: number) =>
  Effect.callback<string>((resume) => {
    const client = new grpc.Client(address, grpc.credentials.createInsecure(), { "grpc.max_send_message_length": -1 })
    const call = client.makeBidiStreamRequest(
      `/${APIWorkerService.typeName}/${name}`,
      (text: string) => Buffer.from(toBinary(input, create(input, { outcomes: [{ result: text }] }))),
      (answer) => answer.length
    )
    call.on("data", () => {})
    call.on("error", (error: grpc.ServiceError) => resume(Effect.succeed(`${grpc.status[error.code]} ${error.details}`)))
    call.write("x".repeat(bytes))
    return Effect.sync(() => client.close())
  }).pipe(Effect.timeout("15 seconds"), Effect.orDie)

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a worker that lies on its stream", (it) => {
  it.effect("does not open it with the token of another, nor without any, nor by anything but an opening", () => Effect.gen(function*() {
    const honest = yield* holding()
    assert.match(yield* (yield* joined(newKind(), { token: honest.worker.token })).end, /^UNAUTHENTICATED/)
    assert.match(yield* (yield* joined(newKind(), { token: Redacted.make("") })).end, /^UNAUTHENTICATED/)
    assert.match(yield* (yield* joined(newKind(), { protocol: 1 })).end, /^FAILED_PRECONDITION protocol/)
    assert.match(yield* (yield* joined(newKind(), { window: 10_001 })).end, /^INVALID_ARGUMENT opening\.window/)
    assert.match(yield* Effect.flatMap(grpcAddress, (address) => sendRaw(address, 10)), /^INVALID_ARGUMENT opening: the first message/)
    yield* undisturbed(honest)
  }))

  it.effect("neither reports, nor moves, nor returns what another holds", () => Effect.gen(function*() {
    const honest = yield* holding()
    const liar = yield* joined(newKind())
    const { attempt, task_id } = honest.task
    assert.deepInclude(yield* liar.complete({ task_id, attempt }, "\"forged\""), { refusal: "not_held" })
    assert.deepInclude(yield* liar.report({ task_id, attempt }, { _tag: "Failed", error: "sabotage", retryable: false }), { refusal: "not_held" })
    yield* liar.say({ steps: [{ task_id, attempt, progress: 99, message: "" }] })
    assert.deepStrictEqual(yield* liar.revocation, { task_id, attempt })
    yield* liar.say({ returned_tasks: [{ task_id, attempt }] })
    assert.deepInclude(yield* liar.complete({ task_id: TaskId.make("nobody_0123456789"), attempt }), { refusal: "not_held" })
    assert.strictEqual((yield* find(task_id)).progress, 0)
    yield* undisturbed(honest)
  }))

  it.effect("is refused a result above 1 MiB by itself, and a message above 4 MiB with its stream", () => Effect.gen(function*() {
    const honest = yield* holding()
    const { task, worker } = yield* holding()
    const [good, large] = [{ task_id: task.task_id, attempt: task.attempt }, "x".repeat(1024 * 1024)]
    assert.deepInclude(yield* worker.complete(good, `"${large}"`), { refusal: "invalid", reason: "result: has 1048578 bytes; give at most 1048576" })
    assert.match(yield* Effect.flatMap(grpcAddress, (address) => sendRaw(address, 50 * 1024 * 1024)), /^RESOURCE_EXHAUSTED Received message larger than max/)
    assert.strictEqual(yield* worker.complete(good), "accepted")
    yield* undisturbed(honest)
  }))

  it.effect("says no more in one message than it may, and opens it once", () => Effect.gen(function*() {
    const many = Array.from({ length: 1_001 }, (_, index) => ({ number: index, taskId: "test_12345678", attempt: 1, status: 3 }))
    const crowded = yield* joined(newKind())
    yield* crowded.sayRaw({ outcomes: many })
    assert.match(yield* crowded.end, /^INVALID_ARGUMENT outcomes: has 1001 entries/)
    const twice = yield* joined(newKind())
    yield* twice.sayRaw({ opening: { workerId: twice.worker_id } })
    assert.match(yield* twice.end, /^INVALID_ARGUMENT opening: belongs into the first message only/)
    const { task, worker } = yield* holding()
    yield* worker.sayRaw({ outcomes: [{ number: 1, taskId: "no task", status: 3 }, { number: 2, taskId: task.task_id, attempt: 1 }] })
    assert.match(JSON.stringify(yield* worker.answered(1)), /is not a task id/)
    assert.match(JSON.stringify(yield* worker.answered(2)), /report COMPLETED, FAILED or CANCELLED/)
    assert.strictEqual((yield* find(task.task_id)).state, "running")
  }))
})

const few = { session: { heartbeat: { capacity: 500, perSecond: 100 }, stream: { capacity: 50, perSecond: 1 }, other: { capacity: 60, perSecond: 1, ceiling: 1_000 } } }

layer(wholeApi({ rates: few }), { excludeTestServices: true, timeout: "60 seconds" })("a worker that floods its stream", (it) => {
  it.effect("loses it, is told when to come back, and one beside it goes on", () => Effect.gen(function*() {
    const honest = yield* holding()
    const liar = yield* joined(newKind())
    for (let n = 0; n < 200; n++) yield* liar.say({ received_delivery: 1 })
    assert.match(yield* liar.end, /^RESOURCE_EXHAUSTED too many messages of this session; try again in \d+ ms/)
    yield* eventually(sessionOf(liar.worker_id), (session) => session.disconnected || session.ended)
    yield* undisturbed(honest)
  }))

  it.effect("counts each outcome, however many come in one message", () => Effect.gen(function*() {
    const liar = yield* joined(newKind())
    const task_id = TaskId.make("nobody_0123456789")
    yield* liar.tell(Array.from({ length: 900 }, () => ({ task_id, attempt: 1, outcome: { _tag: "Completed" as const, result: "{}" } })))
    assert.match(yield* liar.end, /^RESOURCE_EXHAUSTED/)
  }))
})

const row = Schema.decodeEffect(WorkerSessionRow)({
  id: SessionId.make(randomUUID()), worker_id: "deaf", worker_name: "", version: "", protocol: 2, kinds: ["TEST"], queues: ["default"],
  max_concurrent_tasks: 5, address: "", lineage: [], replica_id: null, status: "idle", stats: null, registered_at: new Date(0),
  last_heartbeat_at: new Date(0), ended: false, paused: false, lease_valid: true
})

plainIt.effect("a stream whose deliveries are not acknowledged is deaf after ten seconds, and hears again once they are", () =>
  Effect.gen(function*() {
    const sessions = yield* WorkerSessions
    const { deafAfter } = yield* Liveness
    assert.isAtMost(Duration.toSeconds(deafAfter), 10)
    const session = yield* sessions.open(yield* row, [])
    session.unreceived.set(1, 0)
    session.unreceived.set(2, 5_000)
    yield* TestClock.adjust(deafAfter)
    assert.isFalse(yield* sessions.isDeaf(session))
    yield* TestClock.adjust("1 millis")
    assert.isTrue(yield* sessions.isDeaf(session))
    yield* sessions.received(session, 1)
    assert.isFalse(yield* sessions.isDeaf(session), "the second has five more seconds")
    yield* TestClock.adjust("5 seconds")
    assert.isTrue(yield* sessions.isDeaf(session))
    yield* sessions.received(session, 2)
    assert.isFalse(yield* sessions.isDeaf(session))
  }).pipe(Effect.scoped, Effect.provide(WorkerSessions.layer)))
