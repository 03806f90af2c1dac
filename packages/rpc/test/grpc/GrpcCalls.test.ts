import { assert, describe, it } from "@effect/vitest"
import { GrpcError } from "@englog/rpc/grpc/GrpcError"
import { Deferred, Effect, Exit, Fiber, Logger, Option, Queue, Ref, Scope, Stream, Tracer } from "effect"
import { connect, serve, serveAndConnect } from "./TestServer.ts"

const beat = { workerId: "w1", sessionToken: "t" }
const subscription = { workerId: "w1", sessionToken: "t" }

describe("unary calls", () => {
  it.live("carry the request to the handler and the answer back", () =>
    Effect.gen(function*() {
      const { calls } = yield* serveAndConnect({
        getTaskData: (request) => Effect.succeed({ data: `${request.taskId}#${request.attempt}` })
      })
      const answer = yield* calls.getTaskData({ taskId: "insight_1", attempt: 3 })
      assert.strictEqual(answer.data, "insight_1#3")
    }))

  it.live("carry a handler's error as code and message", () =>
    Effect.gen(function*() {
      const { calls } = yield* serveAndConnect({
        workerHeartbeat: () => Effect.fail(new GrpcError({ code: "UNAUTHENTICATED", message: "session expired; register again" }))
      })
      const error = yield* Effect.flip(calls.workerHeartbeat(beat))
      assert.strictEqual(error.code, "UNAUTHENTICATED")
      assert.strictEqual(error.message, "session expired; register again")
      assert.strictEqual(error.method, "WorkerHeartbeat")
    }))

  it.live("log a defect and answer nothing of it but INTERNAL", () =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const logger = Logger.make(({ cause }) => void logged.push(String(cause)))
      const error = yield* Effect.gen(function*() {
        const { calls } = yield* serveAndConnect({ workerHeartbeat: () => Effect.die(new Error("password=hunter2")) })
        return yield* Effect.flip(calls.workerHeartbeat(beat))
      }).pipe(Effect.provide(Logger.layer([logger])))
      assert.strictEqual(error.code, "INTERNAL")
      assert.strictEqual(error.message, "internal error")
      assert.isTrue(logged.some((line) => line.includes("hunter2")))
    }))

  it.live("interrupt the handler when the caller is interrupted", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const { calls } = yield* serveAndConnect({
        workerHeartbeat: () =>
          Deferred.succeed(started, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
          )
      })
      const fiber = yield* Effect.forkChild(calls.workerHeartbeat(beat))
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(interrupted)
    }))

  it.live("end with DEADLINE_EXCEEDED on both sides when their time is up", () =>
    Effect.gen(function*() {
      const interrupted = yield* Deferred.make<void>()
      const { calls } = yield* serveAndConnect({
        workerHeartbeat: () => Effect.never.pipe(Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined)))
      })
      const error = yield* Effect.flip(calls.workerHeartbeat(beat, { timeout: "100 millis" }))
      assert.strictEqual(error.code, "DEADLINE_EXCEEDED")
      yield* Deferred.await(interrupted)
    }))

  it.live("show the handler metadata and peer of the call", () =>
    Effect.gen(function*() {
      const { calls } = yield* serveAndConnect({
        getTaskData: (_, call) => Effect.succeed({ data: `${call.metadata.get("x-test").join()} ${call.peer}` })
      })
      const { data } = yield* calls.getTaskData({}, { metadata: { "x-test": "yes" } })
      assert.match(data, /^yes 127\.0\.0\.1:\d+$/)
    }))

  it.live("carry a message of 3 MiB, and refuse to send one above 4 MiB", () =>
    Effect.gen(function*() {
      const { calls } = yield* serveAndConnect({ reportTaskResult: () => Effect.succeed({ accepted: true }) })
      const fits = yield* calls.reportTaskResult({ result: "x".repeat(3 * 1024 * 1024) })
      assert.isTrue(fits.accepted)
      const error = yield* Effect.flip(calls.reportTaskResult({ result: "x".repeat(5 * 1024 * 1024) }))
      assert.strictEqual(error.code, "RESOURCE_EXHAUSTED")
    }))

  it.live("find nobody at an address where nothing listens", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { port } = yield* serve({}).pipe(Scope.provide(scope))
      yield* Scope.close(scope, Exit.void)
      const client = yield* connect(port)
      assert.strictEqual((yield* Effect.flip(client.connect("300 millis"))).code, "UNAVAILABLE")
      assert.strictEqual((yield* Effect.flip(client.calls.workerHeartbeat(beat))).code, "UNAVAILABLE")
    }))
})

describe("streams", () => {
  const numbered = (count: number) => Stream.range(1, count).pipe(Stream.map((n) => ({ taskId: String(n) })))

  it.live("deliver every message in order", () =>
    Effect.gen(function*() {
      const { calls } = yield* serveAndConnect({ streamTasks: () => numbered(5_000) })
      const ids = yield* calls.streamTasks(subscription).pipe(Stream.map((task) => Number(task.taskId)), Stream.runCollect)
      assert.deepStrictEqual(ids, Array.from({ length: 5_000 }, (_, index) => index + 1))
    }))

  it.live("hand over what arrived before a failure, then the failure", () =>
    Effect.gen(function*() {
      const failing = numbered(40).pipe(Stream.concat(Stream.fail(new GrpcError({ code: "ABORTED", message: "replaced" }))))
      const { calls } = yield* serveAndConnect({ streamTasks: () => failing })
      const seen = yield* Ref.make(0)
      const error = yield* calls.streamTasks(subscription).pipe(
        Stream.runForEach(() => Ref.update(seen, (n) => n + 1)),
        Effect.flip
      )
      assert.strictEqual(error.code, "ABORTED")
      assert.strictEqual(yield* Ref.get(seen), 40)
    }))

  it.live("are produced no faster than a slow reader reads", () =>
    Effect.gen(function*() {
      const produced = yield* Ref.make(0)
      const big = "x".repeat(100_000)
      const endless = Stream.fromEffectRepeat(
        Ref.updateAndGet(produced, (n) => n + 1).pipe(Effect.map((n) => ({ taskId: String(n), payload: big })))
      )
      const { calls } = yield* serveAndConnect({ streamTasks: () => endless })
      const taken = yield* Queue.bounded<string>(1)
      yield* calls.streamTasks(subscription).pipe(
        Stream.runForEach((task) => Queue.offer(taken, task.taskId)),
        Effect.forkScoped
      )
      yield* Queue.take(taken)
      // The server stops producing once all buffers are full: wait until the count stands still.
      const settled = yield* Ref.get(produced).pipe(
        Effect.flatMap((before) => Effect.delay(Ref.get(produced), "150 millis").pipe(Effect.map((after) => ({ before, after })))),
        Effect.repeat({ until: ({ before, after }) => before === after, times: 40 })
      )
      assert.strictEqual(settled.before, settled.after)
      assert.isBelow(settled.after, 200)
      // Reading on makes it produce on.
      yield* Queue.take(taken).pipe(Effect.repeat({ times: settled.after }))
      assert.isAbove(yield* Ref.get(produced), settled.after)
    }), 20_000)

  it.live("close on the server when the reader has enough", () =>
    Effect.gen(function*() {
      const closed = yield* Deferred.make<void>()
      const { calls } = yield* serveAndConnect({
        streamTasks: () => numbered(1_000_000).pipe(Stream.ensuring(Deferred.succeed(closed, undefined)))
      })
      const first = yield* calls.streamTasks(subscription).pipe(Stream.take(3), Stream.runCollect)
      assert.strictEqual(first.length, 3)
      yield* Deferred.await(closed)
    }))

  it.live("end with UNAVAILABLE or CANCELLED when the server goes away, after at most its stop limit", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const opened = yield* Deferred.make<void>()
      const { port } = yield* serve({
        streamTasks: () => Stream.fromEffect(Deferred.succeed(opened, undefined)).pipe(Stream.drain, Stream.concat(Stream.never))
      }).pipe(Scope.provide(scope))
      const { calls } = yield* connect(port)
      const reader = yield* Effect.forkChild(Effect.flip(Stream.runDrain(calls.streamTasks(subscription))))
      yield* Deferred.await(opened)
      yield* Scope.close(scope, Exit.void).pipe(Effect.timeout("2 seconds"))
      assert.include(["UNAVAILABLE", "CANCELLED"], (yield* Fiber.join(reader)).code)
    }))
})

describe("a trace", () => {
  it.live("continues from the caller's span through the handler's", () =>
    Effect.gen(function*() {
      const { calls } = yield* serveAndConnect({
        getTaskData: () =>
          Effect.currentSpan.pipe(
            Effect.orDie,
            Effect.map((span) => ({ data: `${span.traceId} ${Option.getOrThrow(span.parent).spanId} ${span.name}` }))
          )
      })
      const spans: Array<Tracer.Span> = []
      const collecting = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const [{ data }, root] = yield* Effect.all([calls.getTaskData({}), Effect.orDie(Effect.currentSpan)]).pipe(
        Effect.withSpan("caller"),
        Effect.withTracer(collecting)
      )
      const client = spans.find((span) => span.kind === "client")
      assert.strictEqual(data, `${root.traceId} ${client?.spanId} englog.v1.APIWorkerService/GetTaskData`)
      assert.strictEqual(client?.attributes.get("rpc.method"), "englog.v1.APIWorkerService/GetTaskData")
    }))

  it.live("starts anew in the handler for a caller without one", () =>
    Effect.gen(function*() {
      const { calls } = yield* serveAndConnect({
        getTaskData: () =>
          Effect.currentSpan.pipe(Effect.orDie, Effect.map((span) => ({ data: String(Option.isNone(span.parent)) })))
      })
      const { data } = yield* calls.getTaskData({}).pipe(Effect.withTracerEnabled(false))
      assert.strictEqual(data, "true")
    }))
})

describe("a server", () => {
  it.live("says which port is taken", () =>
    Effect.gen(function*() {
      const { port } = yield* serve({})
      const error = yield* Effect.flip(serve({}, { port }))
      assert.strictEqual(error._tag, "GrpcBindError")
      assert.include(error.message, String(port))
      assert.include(error.message, "taken")
    }))
})
