/** Kinds that workers bring with them (docs/decisions/0020), as workers and submitters see them. */
import { assert, layer } from "@effect/vitest"
import { Priority, type TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import type { KindAnnouncement } from "@englog/rpc/grpc/WorkerMessages"
import { Effect, Layer, Option } from "effect"
import { AnnouncedKinds } from "../../src/kinds/AnnouncedKinds.ts"
import { person } from "../support/Background.ts"
import { enqueue, find, newKind } from "../support/QueueEngine.ts"
import { join, type SessionWorkerOptions } from "../support/SessionWorker.ts"
import { grpcAddress, wholeApi } from "../support/WholeApi.ts"

let workers = 0
const joined = (kind: string, options: Partial<SessionWorkerOptions> = {}) =>
  Effect.flatMap(grpcAddress, (address) => join(address, { worker_id: `announcing-${++workers}`, kinds: [kind], ...options }))

const counting = {
  payload: { type: "object", properties: { text: { type: "string" } }, required: ["text"], additionalProperties: false },
  result: { type: "object", properties: { words: { type: "integer", minimum: 0 } }, required: ["words"] }
}

const announcement = (name: string, shapes: { readonly payload: unknown; readonly result: unknown } = counting): KindAnnouncement => ({
  name,
  payload_schema: JSON.stringify(shapes.payload),
  result_schema: JSON.stringify(shapes.result),
  policy: Option.none()
})

const refusal = (worker: ReturnType<typeof joined>) => Effect.map(Effect.flip(worker), (error) => "code" in error ? `${error.code} ${error.message}` : String(error))

/** Another replica's view of them. */
const replicas = AnnouncedKinds.layer.pipe(Layer.provideMerge(wholeApi()))

layer(replicas, { excludeTestServices: true, timeout: "60 seconds" })("a kind that a worker brings with it", (it) => {
  it.effect("is known with its shapes as soon as the worker is registered, and after it left", () => Effect.gen(function*() {
    const kind = newKind()
    const policy: TaskPolicy = {
      queue: "slow",
      priority: Priority.make(8),
      attempt_timeout: 1_000,
      deadline: 60_000,
      retry: { max_retries: 1, base_delay: 10, backoff_factor: 2, max_delay: 100 }
    }
    const worker = yield* joined(kind, { announced_kinds: [{ ...announcement(kind), policy: Option.some(policy) }] })
    yield* worker.leave
    const kinds = yield* AnnouncedKinds
    const found = Option.getOrThrow(yield* kinds.find(kind))
    assert.deepInclude(found, { kind, payload_schema: counting.payload, result_schema: counting.result, policy })
    assert.include((yield* kinds.all).map((one) => one.kind), kind)
    assert.isUndefined(found.payload.problem({ text: "one two" }, ["payload"]))
    assert.deepStrictEqual(found.payload.problem({ text: 5, more: true }, ["payload"]), {
      error: "unknown field \"payload.more\"; payload.text: must be a string",
      details: [{ field: "payload.more", reason: "is unknown" }, { field: "payload.text", reason: "must be a string" }]
    })
  }))

  it.effect("has its results held to their shape, with the path of what is wrong", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind, { announced_kinds: [announcement(kind)] })
    const task_id = yield* enqueue({ kind, payload: "{\"text\":\"a b\"}" })
    const task = yield* worker.next
    assert.deepInclude(yield* worker.complete(task, "{\"words\":-2}"), { refusal: "invalid" })
    const told = yield* worker.complete(task, "{\"words\":\"two\"}")
    assert.match(told === "accepted" ? told : told.reason, /^result\.words: /)
    assert.deepInclude(yield* worker.complete(task, "no json"), { refusal: "invalid", reason: "result: is no JSON" })
    assert.strictEqual((yield* find(task_id)).state, "running")
    assert.strictEqual(yield* worker.complete(task, "{\"words\":2}"), "accepted")
    assert.deepInclude(yield* find(task_id), { state: "completed", result: "{\"words\":2}" })
  }))

  it.effect("cannot be one of the server's own, nor be described by what is no schema", () => Effect.gen(function*() {
    const own = joined("INSIGHT_GENERATION", { announced_kinds: [announcement("INSIGHT_GENERATION")] })
    assert.match(yield* refusal(own), /^FAILED_PRECONDITION announced_kinds: INSIGHT_GENERATION is a kind of this server/)
    const kind = newKind()
    const broken = (shapes: Parameters<typeof announcement>[1]) => refusal(joined(kind, { announced_kinds: [announcement(kind, shapes)] }))
    assert.match(yield* broken({ ...counting, payload: { $ref: "https://example.com/schema.json" } }), /^INVALID_ARGUMENT announced_kinds\[.*\]\.payload_json_schema: /)
    assert.match(yield* broken({ ...counting, result: 5 }), /^INVALID_ARGUMENT announced_kinds\[.*\]\.result_json_schema: must be a JSON Schema/)
    const text = joined(kind, { announced_kinds: [{ ...announcement(kind), payload_schema: "{" }] })
    assert.match(yield* refusal(text), /payload_json_schema: is no JSON/)
    assert.isTrue(Option.isNone(yield* AnnouncedKinds.use((kinds) => kinds.find(kind))))
  }))

  it.effect("means one thing as long as another live worker runs it, and may mean another afterwards", () => Effect.gen(function*() {
    const kind = newKind()
    const first = yield* joined(kind, { announced_kinds: [announcement(kind)] })
    yield* joined(kind, { announced_kinds: [announcement(kind)] }).pipe(Effect.flatMap((same) => same.leave))
    const changed = { ...counting, result: { type: "object", properties: { count: { type: "integer" } }, required: ["count"] } }
    assert.match(
      yield* refusal(joined(kind, { announced_kinds: [announcement(kind, changed)] })),
      new RegExp(`^FAILED_PRECONDITION announced_kinds: ${kind} has another meaning while worker ${first.worker_id} runs it`)
    )
    yield* first.leave
    const second = yield* joined(kind, { announced_kinds: [announcement(kind, changed)] })
    yield* enqueue({ kind, payload: "{}" })
    const task = yield* second.next
    assert.deepInclude(yield* second.complete(task, "{\"words\":2}"), { refusal: "invalid" })
    assert.strictEqual(yield* second.complete(task, "{\"count\":2}"), "accepted")
  }))

  it.effect("holds whoever submits it to the payload's shape", () => Effect.gen(function*() {
    const kind = newKind()
    const worker = yield* joined(kind, { announced_kinds: [announcement(kind)] })
    const ada = yield* person()
    const refused = yield* ada.submit({ task_type: kind, payload: { text: 1, more: true } })
    assert.deepStrictEqual([refused.status, refused.error], [400, "unknown field \"payload.more\"; payload.text: must be a string"])
    const id = yield* ada.started({ task_type: kind, payload: { text: "one two" } })
    assert.deepInclude(yield* worker.next, { task_id: id, payload: "{\"text\":\"one two\"}" })
  }))

  it.effect("takes any JSON that its payload's shape allows, and no other; a kind without a shape takes any", () => Effect.gen(function*() {
    const ada = yield* person()
    const listed = newKind()
    const shape = { ...counting, payload: { type: "array", items: { type: "integer" } } }
    const worker = yield* joined(listed, { announced_kinds: [announcement(listed, shape)] })
    const id = yield* ada.started({ task_type: listed, payload: [1, 2] })
    assert.deepInclude(yield* worker.next, { task_id: id, payload: "[1,2]" })
    for (const payload of [{}, undefined, null, 5, ["1"]]) {
      const refused = yield* ada.submit({ task_type: listed, ...(payload === undefined ? {} : { payload }) })
      assert.strictEqual(refused.status, 400)
      assert.match(refused.error, /^payload(\[0\])?: /)
    }
    const unstorable = yield* ada.submit({ task_type: listed, payload: ["a\u0000b"] })
    assert.deepStrictEqual([unstorable.status, unstorable.error], [400, "payload[0]: must not contain the NUL character"])
    const anything = newKind()
    const other = yield* joined(anything)
    for (const payload of [null, "text", 5, [true]]) {
      yield* ada.started({ task_type: anything, payload })
      assert.deepStrictEqual(JSON.parse((yield* other.next).payload), payload)
    }
    assert.strictEqual((yield* ada.submit({ task_type: "insight_generation", payload: [] })).status, 400)
  }))
})
