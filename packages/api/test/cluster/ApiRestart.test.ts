import { assert, describe, layer } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Layer, Scope } from "effect"
import { GrpcServer } from "@englog/rpc/grpc/GrpcServer"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { COMPLETED, join as joinContract } from "../support/ContractWorker.ts"
import { join } from "../support/ProtocolTwoWorker.ts"
import { enqueue, eventTypes, find, newKind, QueueEngine } from "../support/QueueEngine.ts"
import { apiProcess, eventually, sessionOf } from "../support/WholeApi.ts"

/** Begins while a server still starts, which takes its time on a busy machine. */
const resumeGrace = Duration.seconds(4)
/** That of workers which leave by themselves: none of those whose server stopped. */
const closedGrace = Duration.millis(100)

/** An API server that can be stopped before the test ends. */
const startWith = Effect.fnUntraced(function*(liveness: { readonly resumeGrace: Duration.Duration; readonly closedGrace: Duration.Duration }) {
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const { host, port } = Context.get(yield* Layer.buildWithScope(apiProcess({ liveness }), scope), GrpcServer)
  return { address: `${host}:${port}`, stop: Scope.close(scope, Exit.void) }
})

const start = startWith({ resumeGrace, closedGrace })

let workers = 0
const name = () => `worker-${++workers}`

/** A protocol 2 worker with a task in its hands. */
const holding = Effect.fnUntraced(function*(address: string) {
  const kind = newKind()
  const worker = yield* join(address, { worker_id: name(), kinds: [kind] })
  const task_id = yield* enqueue({ kind })
  return { kind, worker, task_id, task: yield* worker.next }
})

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("an API server that stops", (it) => {
  it.effect("sends its workers away, and the next one finds sessions and tasks as they were", () => Effect.gen(function*() {
    const first = yield* start
    const { kind, task, task_id, worker } = yield* holding(first.address)
    const waiting = yield* enqueue({ kind: newKind() })
    yield* Effect.forkScoped(first.stop)
    assert.strictEqual((yield* worker.command)._tag, "Drain")
    yield* worker.cut
    yield* eventually(sessionOf(worker.worker_id), (session) => session.disconnected)
    const second = yield* start
    const again = yield* join(second.address, { worker_id: worker.worker_id, kinds: [kind], resume: worker.token })
    yield* again.complete(task, "{\"kept\":true}")
    assert.deepInclude(yield* find(task_id), { state: "completed", result: "{\"kept\":true}", attempt: 1, rescues: 0 })
    assert.strictEqual((yield* find(waiting)).state, "queued")
    yield* again.leave
  }))

  it.effect("starts every worker's grace when it is back, however long it was away", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const first = yield* start
    const { kind, task, task_id, worker } = yield* holding(first.address)
    yield* first.stop
    yield* worker.cut
    // An hour later, for the database.
    yield* sql`UPDATE worker_sessions SET disconnected_at = disconnected_at - interval '1 hour', last_heartbeat_at = now() - interval '1 hour',
      lease_until = now() - interval '1 hour' WHERE worker_id = ${worker.worker_id}`
    const second = yield* start
    const again = yield* join(second.address, { worker_id: worker.worker_id, kinds: [kind], resume: worker.token })
    yield* again.complete(task)
    assert.deepInclude(yield* find(task_id), { state: "completed", attempt: 1, rescues: 0 })
    yield* again.leave
  }))

  it.effect("takes a result from a worker that comes back after its grace", () => Effect.gen(function*() {
    const first = yield* start
    const kind = newKind()
    const worker = yield* joinContract(first.address, { workerId: name(), kinds: [kind] })
    const task_id = yield* enqueue({ kind })
    yield* worker.next
    yield* Effect.all([worker.cut, first.stop], { concurrency: 2 })
    const second = yield* start
    yield* eventually(find(task_id), (task) => task.state === "queued")
    const again = yield* joinContract(second.address, {
      workerId: worker.workerId, kinds: [kind], metadata: { resume_session_token: worker.token }
    })
    assert.isTrue((yield* again.report(task_id, { status: COMPLETED, result: "{\"late\":true}" })).accepted)
    assert.deepInclude(yield* find(task_id), { state: "completed", result: "{\"late\":true}", attempt: 1 })
    assert.deepStrictEqual(yield* eventTypes(task_id), ["queued", "started", "rescued", "completed"])
    yield* again.leave
  }))
})

describe.concurrent("two API servers", () => layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })((it) => {
  it.effect("share their workers: each task reaches one of them, through whichever server it has its stream with", () => Effect.gen(function*() {
    const [one, other] = [yield* start, yield* start]
    const kind = newKind()
    const [here, there] = [
      yield* join(one.address, { worker_id: name(), kinds: [kind], slots: 3 }),
      yield* join(other.address, { worker_id: name(), kinds: [kind], slots: 3 })
    ]
    const queued = yield* Effect.forEach(Array.from({ length: 6 }), () => enqueue({ kind }))
    const taken = yield* Effect.all([here.next, here.next, here.next, there.next, there.next, there.next], { concurrency: "unbounded" })
    assert.deepStrictEqual(taken.map((task) => task.task_id).sort(), [...queued].sort())
    yield* Effect.forEach(taken.slice(0, 3), (task) => here.complete(task))
    yield* Effect.forEach(taken.slice(3), (task) => there.complete(task))
    for (const task_id of queued) assert.deepInclude(yield* find(task_id), { state: "completed", attempt: 1 })
  }))

  it.effect("let a worker of the one that died come to the other within its grace", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    // The worker leaves the one by itself, before this is made to look as if the one had died.
    const patient = startWith({ resumeGrace, closedGrace: resumeGrace })
    const [one, other] = [yield* patient, yield* patient]
    const { kind, task, task_id, worker } = yield* holding(one.address)
    yield* worker.cut
    yield* eventually(sessionOf(worker.worker_id), (session) => session.disconnected)
    // As a killed server leaves it: connected to a replica that nobody has seen for long.
    yield* sql`UPDATE worker_sessions SET replica_id = ${randomUUID()}::uuid, disconnected_at = NULL WHERE worker_id = ${worker.worker_id}`
    yield* eventually(sessionOf(worker.worker_id), (session) => session.disconnected)
    const again = yield* join(other.address, { worker_id: worker.worker_id, kinds: [kind], resume: worker.token })
    yield* again.complete(task)
    assert.deepInclude(yield* find(task_id), { state: "completed", attempt: 1, rescues: 0 })
  }))

  it.effect("keep a stream that another server took for lost while the database was away", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const one = yield* start
    const { task, task_id, worker } = yield* holding(one.address)
    yield* sql`UPDATE worker_sessions SET replica_id = NULL, disconnected_at = now() WHERE worker_id = ${worker.worker_id}`
    yield* eventually(sessionOf(worker.worker_id), (session) => session.connected)
    yield* worker.complete(task)
    assert.deepInclude(yield* find(task_id), { state: "completed", rescues: 0 })
  }))
}))
