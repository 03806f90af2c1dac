import { assert, layer } from "@effect/vitest"
import { GrpcServer } from "@englog/rpc/grpc/GrpcServer"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { WorkerId } from "@englog/domain/Ids"
import { Context, Effect, Layer, Queue, Redacted } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { WorkerSessions } from "../../src/cluster/WorkerSessions.ts"
import { TestApi } from "../http/TestApi.ts"
import { person } from "../support/Background.ts"
import { INSIGHT_GENERATION, join as joinContract } from "../support/ContractWorker.ts"
import { enqueue, find, newKind } from "../support/QueueEngine.ts"
import { join, type SessionWorkerOptions } from "../support/SessionWorker.ts"
import { apiProcess, eventually, grpcAddress, wholeApi } from "../support/WholeApi.ts"

/** Where workers of another API server on the same database connect. */
const otherServer = Effect.gen(function*() {
  const { host, port } = Context.get(yield* Layer.build(apiProcess()), GrpcServer)
  return `${host}:${port}`
})

let workers = 0
const joined = Effect.fnUntraced(function*(address: string, kind: string, options: Partial<SessionWorkerOptions> = {}) {
  return yield* join(address, { worker_id: `pausing-${++workers}`, kinds: [kind], ...options })
})

const PAUSE = { _tag: "PauseIntake", reason: "paused by an operator" } as const

const administrator = Effect.fnUntraced(function*() {
  const { ask } = yield* TestApi
  const root = yield* person({ admin: true })
  const steer = (worker_id: string, what: "pause" | "resume", token = root.token) => ask("POST", `/v1/workers/${worker_id}/${what}`, { token })
  const listed = (worker_id: string) =>
    Effect.map(ask("GET", "/v1/workers", { token: root.token }), (answer) => {
      const items = answer.at("items")
      const found: unknown = Array.isArray(items) ? items.find((one) => one.worker_id === worker_id) : undefined
      return found
    })
  return { ...root, steer, listed, health: Effect.map(ask("GET", "/v1/workers/health", { token: root.token }), (answer) => answer.at("status")) }
})

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a worker that an operator pauses", (it) => {
  it.effect("gets nothing until it is resumed, whichever API server it is connected to", () => Effect.gen(function*() {
    const root = yield* administrator()
    for (const address of [yield* grpcAddress, yield* otherServer]) {
      const kind = newKind()
      const worker = yield* joined(address, kind, { slots: 1 })
      const running = yield* enqueue({ kind })
      const task = yield* worker.next
      assert.deepStrictEqual((yield* root.steer(worker.worker_id, "pause")).body, { worker_id: worker.worker_id, paused: true })
      assert.deepStrictEqual(yield* worker.command, PAUSE)
      assert.deepInclude(yield* root.listed(worker.worker_id), { status: "paused", paused: true })
      assert.strictEqual(yield* root.health, "unhealthy", "nobody takes tasks")
      assert.strictEqual(yield* worker.complete(task), "accepted", "what ran goes on")
      assert.strictEqual((yield* find(running)).state, "completed")
      const waits = yield* enqueue({ kind })
      const other = yield* joined(address, kind)
      assert.strictEqual((yield* other.next).task_id, waits)
      assert.strictEqual(yield* Queue.size(worker.tasks), 0)
      yield* other.leave
      assert.strictEqual((yield* worker.next.pipe(Effect.timeoutOption("300 millis")))._tag, "None", "nor does it get what came back")
      assert.strictEqual((yield* root.steer(worker.worker_id, "resume")).at("paused"), false)
      assert.deepStrictEqual(yield* worker.command, { _tag: "ResumeIntake" })
      assert.strictEqual((yield* worker.next).task_id, waits)
      assert.deepInclude(yield* root.listed(worker.worker_id), { paused: false })
      yield* worker.leave
    }
  }), 60_000)

  it.effect("stays paused over a broken stream and a restart", () => Effect.gen(function*() {
    const root = yield* administrator()
    const kind = newKind()
    const worker_id = "pausing-again"
    const first = yield* joined(yield* grpcAddress, kind, { worker_id })
    yield* root.steer(worker_id, "pause")
    assert.deepStrictEqual(yield* first.command, PAUSE)
    yield* first.cut
    const back = yield* eventually(Effect.result(joined(yield* otherServer, kind, { worker_id, resume: first.token })), (result) => result._tag === "Success")
    if (back._tag === "Failure") return assert.fail(String(back.failure))
    assert.deepStrictEqual(yield* back.success.command, PAUSE)
    yield* back.success.leave
    const waits = yield* enqueue({ kind })
    const restarted = yield* joined(yield* grpcAddress, kind, { worker_id })
    assert.deepStrictEqual(yield* restarted.command, PAUSE)
    assert.strictEqual((yield* find(waits)).state, "queued")
    yield* root.steer(worker_id, "resume")
    assert.strictEqual((yield* restarted.next).task_id, waits)
    yield* restarted.leave
  }), 60_000)

  it.effect("may be one that knows the contract alone: it is told nothing, and given nothing", () => Effect.gen(function*() {
    const root = yield* administrator()
    const worker = yield* joinContract(yield* grpcAddress, { workerId: "pausing-contract", capabilities: [INSIGHT_GENERATION] })
    const sessions = yield* WorkerSessions
    const paused = Effect.map(sessions.all, (all) => all.find(({ row }) => row.worker_id === worker.workerId)?.paused)
    yield* root.steer(worker.workerId, "pause")
    yield* eventually(paused, (is) => is === true)
    const waits = yield* enqueue({ kind: "INSIGHT_GENERATION" })
    assert.strictEqual((yield* worker.next.pipe(Effect.timeoutOption("1200 millis")))._tag, "None", "neither a command nor a task")
    yield* root.steer(worker.workerId, "resume")
    assert.strictEqual((yield* worker.next).taskId, waits)
    yield* worker.leave
  }), 60_000)

  it.effect("is paused by administrators only, by its id, and the audit log knows", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [root, ada] = [yield* administrator(), yield* person()]
    const worker = yield* joined(yield* grpcAddress, newKind())
    const refused = yield* root.steer(worker.worker_id, "pause", ada.token)
    assert.deepStrictEqual([refused.status, refused.error], [403, "only an administrator may do this"])
    for (const what of ["pause", "resume"] as const) {
      const unknown = yield* root.steer("nobody", what)
      assert.deepStrictEqual([unknown.status, unknown.error], [404, "worker_id: no worker with this id is connected or paused"])
    }
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
    yield* Effect.gen(function*() {
      const client = yield* EngLogClient
      const worker_id = WorkerId.make(worker.worker_id)
      assert.deepStrictEqual(yield* client.PauseWorker({ worker_id }), { worker_id, paused: true })
      assert.deepStrictEqual(yield* client.PauseWorker({ worker_id }), { worker_id, paused: true }, "the same again")
      yield* worker.leave
      assert.deepStrictEqual(yield* client.ResumeWorker({ worker_id }), { worker_id, paused: false }, "though it is gone")
      assert.deepInclude(yield* Effect.flip(client.ResumeWorker({ worker_id })), { reason: "not_found" })
    }).pipe(Effect.provide(EngLogClient.layer({ url, auth: Redacted.make(root.token) })))
    const logged = yield* eventually(
      sql<{ event: string; detail: unknown }>`SELECT event, detail FROM security_events WHERE user_id = ${root.id}::uuid AND event LIKE 'worker%' ORDER BY at`,
      (rows) => rows.length >= 3
    )
    assert.deepStrictEqual(logged.map(({ event }) => event), ["worker_paused", "worker_paused", "worker_resumed"])
    assert.deepStrictEqual(logged[0]?.detail, { worker_id: worker.worker_id })
  }), 60_000)
})
