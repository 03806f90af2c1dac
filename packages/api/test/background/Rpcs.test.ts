import { assert, layer } from "@effect/vitest"
import { OrganizationId } from "@englog/domain/Ids"
import { Cleanup } from "@englog/domain/tasks/Cleanup"
import { backgroundPolicy } from "@englog/domain/tasks/TaskPolicy"
import * as TaskKind from "@englog/domain/tasks/TaskKind"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Fiber, Redacted, Schema, Stream } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { patientApi, person, workerFor } from "../support/Background.ts"
import { newKind, newOwner } from "../support/QueueEngine.ts"

const clientOf = Effect.fnUntraced(function*(token: string) {
  const { address } = yield* HttpServer.HttpServer
  const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
  return EngLogClient.layer({ url, auth: Redacted.make(token), transport: "websocket" })
})

layer(patientApi(), { excludeTestServices: true, timeout: "60 seconds" })("background tasks over RPC", (it) => {
  it.effect("are replayed, cancelled together, and refused for the reasons that REST has", () => Effect.gen(function*() {
    const ada = yield* person()
    const kind = newKind()
    const worker = yield* workerFor([kind])
    yield* Effect.gen(function*() {
      const client = yield* EngLogClient
      const { task_id } = yield* client.SubmitTask({ task_type: kind, name: "lost", max_retries: 0 })
      yield* worker.report(yield* worker.next, { _tag: "Failed", error: "nobody is at home", retryable: true })
      const { items } = yield* client.ListDeadLetters({ limit: 10 })
      assert.deepStrictEqual(items.map((item) => [item.task_id, item.error]), [[task_id, "nobody is at home"]])
      assert.deepInclude(yield* client.GetDeadLetter({ task_id }), { payload: {}, timeout: 300, replayed_as: null })
      const replay = yield* client.ReplayDeadLetter({ task_id })
      assert.strictEqual((yield* worker.next).task_id, replay.task_id)
      assert.deepInclude(yield* Effect.flip(client.ReplayDeadLetter({ task_id })), { reason: "conflict", message: `it was replayed already, as ${replay.task_id}` })
      assert.deepStrictEqual((yield* client.ReplayDeadLetters({})).items, [])
      yield* client.SubmitTasks({ tasks: [{ task_type: kind, delay: 60 }, { task_type: kind, delay: 60 }] })
      assert.deepStrictEqual(yield* client.CancelTasks({ task_type: kind, state: "pending" }), { cancelled: 2, requested: 0, already_ended: 0, more: false })
      assert.deepInclude(yield* Effect.flip(client.GetQueueStats()), { reason: "forbidden", message: "only an administrator may do this" })
      assert.deepInclude(yield* Effect.flip(client.PauseQueue({ queue: "default" })), { reason: "forbidden" })
      assert.strictEqual((yield* client.GetBackgroundHealth()).healthy_workers > 0, true)
      const large = yield* Effect.flip(client.SubmitTask({ task_type: kind, payload: { text: "x".repeat(262_144) } }))
      assert.deepInclude(large, { reason: "bad_request", message: "payload: must be at most 262144 bytes as JSON" })
    }).pipe(Effect.provide(yield* clientOf(ada.token)))
  }), 60_000)

  it.effect("are steered by administrators", () => Effect.gen(function*() {
    const root = yield* person({ admin: true })
    yield* workerFor([newKind()], { queues: ["slow"] })
    yield* Effect.gen(function*() {
      const client = yield* EngLogClient
      assert.deepStrictEqual(yield* client.PauseQueue({ queue: "slow" }), { queue: "slow", paused: true, max_running: null })
      assert.deepStrictEqual(yield* client.LimitQueue({ queue: "slow", max_running: 3 }), { queue: "slow", paused: true, max_running: 3 })
      assert.deepStrictEqual(yield* client.ResumeQueue({ queue: "slow" }), { queue: "slow", paused: false, max_running: 3 })
      const { queues } = yield* client.GetQueueStats()
      assert.deepInclude(queues.find(({ queue }) => queue === "slow"), { pending: 0, running: 0, max_running: 3 })
      const share = { organization_id: (yield* newOwner()).organization_id, weight: 4 }
      assert.deepStrictEqual(yield* client.SetTenantWeight(share), share)
      assert.deepStrictEqual(yield* client.ListTenantWeights({ limit: 10 }), { items: [share], next_cursor: null })
      const nobody = { organization_id: OrganizationId.make(randomUUID()), weight: 4 }
      assert.deepInclude(yield* Effect.flip(client.SetTenantWeight(nobody)), { reason: "not_found" })
      assert.strictEqual((yield* client.CleanUpTasks({ max_age_days: 3650, dry_run: true })).dry_run, true)
    }).pipe(Effect.provide(yield* clientOf(root.token)))
  }), 60_000)

  it.effect("are typed by their kind: payload in, steps and result out", () => Effect.gen(function*() {
    const ada = yield* person()
    const Sum = TaskKind.make({
      kind: newKind(),
      payload: Schema.Struct({ due: Schema.DateTimeUtcFromString, numbers: Schema.Array(Schema.Int) }),
      result: Schema.Struct({ sum: Schema.Int }),
      policy: backgroundPolicy
    })
    const worker = yield* workerFor([Sum.kind])
    yield* Effect.gen(function*() {
      const client = yield* EngLogClient
      const payload = { due: yield* Effect.orDie(Schema.decodeEffect(Schema.DateTimeUtcFromString)("2026-01-05T09:00:00.000Z")), numbers: [1, 2] }
      // @ts-expect-error: the kind has no field `texts`.
      const mistyped = client.submit(Sum, { ...payload, numbers: ["1"] })
      assert.deepInclude(yield* Effect.flip(mistyped), { reason: "bad_request" })
      const task = yield* client.submit(Sum, payload, { priority: "high" })
      const steps = yield* Effect.forkChild(Stream.runCollect(task.steps))
      const held = yield* worker.next
      assert.deepStrictEqual(JSON.parse(held.payload), { due: "2026-01-05T09:00:00.000Z", numbers: [1, 2] })
      yield* worker.complete(held, "{\"sum\":3}")
      assert.strictEqual((yield* task.result).sum, 3)
      assert.deepStrictEqual((yield* Fiber.join(steps)).map(({ type }) => type), ["queued", "started", "completed"])
      const cancelled = yield* client.submit(Sum, payload, { delay: 60 })
      yield* client.CancelBackgroundTask({ task_id: cancelled.task_id })
      assert.deepInclude(yield* Effect.flip(cancelled.result), { _tag: "TaskNotCompleted", state: "cancelled", error: "cancelled by its owner" })
      assert.deepInclude(yield* Effect.flip(client.submit(Cleanup, { dry_run: true })), { reason: "forbidden", message: "task_type: CLEANUP is for administrators" })
    }).pipe(Effect.provide(yield* clientOf(ada.token)))
  }), 60_000)

  it.effect("of a shared organization are those of all its members, and of nobody else", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, bob, eve] = [yield* person(), yield* person(), yield* person()]
    const kind = newKind()
    yield* workerFor([kind], { queues: ["elsewhere"] })
    const organization_id = OrganizationId.make(randomUUID())
    yield* sql`INSERT INTO organizations (id, name) VALUES (${organization_id}::uuid, 'Analytical Engines')`
    for (const member of [ada, bob]) yield* sql`INSERT INTO organization_members (organization_id, user_id) VALUES (${organization_id}::uuid, ${member.id}::uuid)`
    const id = yield* ada.started({ task_type: kind, organization_id })
    assert.deepInclude((yield* bob.get(`/tasks/${id}`)).body, { organization_id, user_id: ada.id })
    assert.strictEqual((yield* bob.get(`/tasks/${id}/logs`)).status, 200)
    assert.strictEqual((yield* eve.get(`/tasks/${id}`)).status, 404)
    assert.strictEqual((yield* eve.post("/tasks/cancel", { organization_id, queue: "default" })).status, 403)
    assert.strictEqual((yield* eve.get(`/dead-letters?organization_id=${organization_id}`)).status, 403)
    assert.strictEqual((yield* bob.post("/tasks/cancel", { organization_id, queue: "default" })).at("cancelled"), 1)
  }), 60_000)
})
