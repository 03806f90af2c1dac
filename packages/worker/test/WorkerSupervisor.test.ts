import { assert, describe, it } from "@effect/vitest"
import { GrpcError } from "@englog/rpc/grpc/GrpcError"
import { ApiLink } from "@englog/worker/ApiLink"
import { AttemptLedger } from "@englog/worker/AttemptLedger"
import { TaskFailure } from "@englog/worker/handlers/TaskHandler"
import { Clock, DateTime, Deferred, Duration, Effect, Exit, Layer, Logger, Option, Ref, Schedule, Scope, SubscriptionRef, Tracer } from "effect"
import * as FakeApi from "./support/FakeApi.ts"
import { handler, worker } from "./support/TestWorker.ts"

const start = (...args: Parameters<typeof worker>) => Layer.build(worker(...args))

const done = (api: FakeApi.FakeApi, count = 1) => FakeApi.eventually(`${count} reports`, () => api.reports.length >= count)

describe("an attempt", () => {
  it.live("is run, reports its progress and hands in its result", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make({ data: ({ task_id }) => Effect.succeed(`data of ${task_id}`) })
      const context = yield* start([api.address], [
        handler((task, context) =>
          Effect.gen(function*() {
            yield* context.progress(25, "started")
            const data = yield* context.data
            yield* context.progress(140, "almost")
            return JSON.stringify({ payload: task.payload, data })
          })
        )
      ])
      yield* api.send(FakeApi.task("a", { payload: "{\"n\":1}", attempt: 2 }))
      yield* done(api)
      const [report] = api.reports
      assert.deepStrictEqual(report?.outcome, {
        _tag: "Completed",
        result: JSON.stringify({ payload: "{\"n\":1}", data: `data of ${FakeApi.idOf("a")}` })
      })
      assert.strictEqual(report?.attempt, 2)
      assert.deepStrictEqual(api.progress.map(({ progress, message }) => [progress, message]), [[25, "started"], [100, "almost"]])
      const ledger = yield* Effect.provide(AttemptLedger, context)
      yield* FakeApi.eventually("nothing held", () => ledger.held.size === 0)
      assert.deepStrictEqual(ledger.counts(), { completed: 1, failed: 0 })
    }))

  it.live("that fails hands in the reason, one that has a bug nothing of it", () =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const logger = Logger.make(({ cause }) => void logged.push(String(cause)))
      const api = yield* FakeApi.make()
      yield* start([api.address], [
        handler(() => Effect.fail(new TaskFailure({ message: "no such period" })), "FAILS"),
        handler(() => Effect.die(new Error("postgres://user:hunter2@db")), "DIES"),
        handler(() => { throw new Error("hunter2 again") }, "THROWS"),
        handler(() => Effect.interrupt, "INTERRUPTS")
      ]).pipe(Effect.provide(Logger.layer([logger])))
      for (const kind of ["FAILS", "DIES", "THROWS", "INTERRUPTS", "UNKNOWN"]) yield* api.send(FakeApi.task(kind.toLowerCase(), { kind }))
      yield* done(api, 5)
      const errors = new Map(api.reports.map(({ task_id, outcome }) => [task_id, outcome._tag === "Failed" ? outcome.error : outcome._tag]))
      assert.strictEqual(errors.get(FakeApi.idOf("fails")), "no such period")
      assert.include(errors.get(FakeApi.idOf("dies")) ?? "", "failed unexpectedly")
      assert.include(errors.get(FakeApi.idOf("interrupts")) ?? "", "failed unexpectedly")
      assert.include(errors.get(FakeApi.idOf("unknown")) ?? "", "no handler for UNKNOWN")
      assert.notInclude([...errors.values()].join(), "hunter2")
      assert.isTrue(logged.some((line) => line.includes("hunter2")))
    }))

  it.live("ends at its deadline by the server's clock", () =>
    Effect.gen(function*() {
      // The server's clock is an hour ahead of ours, and so is the deadline it sets.
      const hour = Duration.hours(1)
      const api = yield* FakeApi.make({
        heartbeat: () => Effect.map(DateTime.now, (now) => ({ server_time: DateTime.addDuration(now, hour) }))
      })
      const interrupted = yield* Deferred.make<void>()
      const context = yield* start([api.address], [
        handler(() => Effect.never.pipe(Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))))
      ])
      yield* FakeApi.eventually("clocks compared", () => api.heartbeats.length > 0)
      const link = yield* Effect.provide(ApiLink, context)
      const ahead = Effect.zipWith(link.serverTime, DateTime.now, (theirs, ours) => DateTime.toEpochMillis(theirs) - DateTime.toEpochMillis(ours))
      yield* ahead.pipe(Effect.repeat({ until: (millis) => millis > 3_000_000, schedule: Schedule.spaced("10 millis"), times: 200 }))
      const now = yield* DateTime.now
      yield* api.send(FakeApi.task("late", { deadline: Option.some(DateTime.addDuration(now, Duration.sum(hour, Duration.millis(400)))) }))
      yield* Deferred.await(interrupted).pipe(Effect.timeout("3 seconds"))
      yield* done(api)
      const [report] = api.reports
      assert.include(report?.outcome._tag === "Failed" ? report.outcome.error : "", "deadline")
    }))

  it.live("does not end by a deadline before the clocks were compared", () =>
    Effect.gen(function*() {
      // By our clock the deadline has passed; the server's is an hour behind, and says so late.
      const ago = (minutes: number) => Effect.map(DateTime.now, DateTime.subtractDuration(Duration.minutes(minutes)))
      const api = yield* FakeApi.make({
        heartbeat: () => Effect.delay(Effect.map(ago(60), (server_time) => ({ server_time })), "600 millis")
      })
      yield* start([api.address], [handler(() => Effect.as(Effect.sleep("300 millis"), "{}"))])
      yield* api.send(FakeApi.task("early", { deadline: Option.some(yield* ago(30)) }))
      yield* done(api)
      assert.strictEqual(api.reports[0]?.outcome._tag, "Completed")
    }))

  it.live("ends at its deadline though one with a later deadline was there before it", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      const context = yield* start([api.address], [handler(() => Effect.never)])
      const ledger = yield* Effect.provide(AttemptLedger, context)
      yield* FakeApi.eventually("clocks compared", () => api.heartbeats.length > 0)
      const within = (duration: Duration.Input) => Effect.map(DateTime.now, (now) => Option.some(DateTime.addDuration(now, duration)))
      yield* api.send(FakeApi.task("later", { deadline: yield* within("1 hour") }))
      yield* FakeApi.eventually("it runs", () => ledger.held.size === 1)
      yield* api.send(FakeApi.task("sooner", { deadline: yield* within("300 millis") }))
      yield* done(api)
      assert.deepStrictEqual(api.reports.map(({ task_id }) => task_id), [FakeApi.idOf("sooner")])
    }))

  it.live("is interrupted by a cancellation of that attempt, and says so; another attempt's means nothing", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      const started = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      yield* start([api.address], [
        handler(() =>
          Deferred.succeed(started, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
          )
        )
      ])
      yield* api.send(FakeApi.task("a", { attempt: 2 }))
      yield* Deferred.await(started)
      yield* api.send({ _tag: "CancelTask", task_id: FakeApi.idOf("a"), attempt: 1, reason: "old" })
      yield* api.send({ _tag: "CancelTask", task_id: FakeApi.idOf("a"), attempt: 2, reason: "asked by its owner" })
      yield* Deferred.await(interrupted)
      yield* done(api)
      assert.deepStrictEqual(api.reports[0]?.outcome, { _tag: "Cancelled", error: "asked by its owner" })
    }))

  it.live("that was revoked stops and hands in nothing", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make({ heartbeat: (beat) => Effect.succeed({ revoked_tasks: beat.held_tasks }) })
      const interrupted = yield* Deferred.make<void>()
      const context = yield* start([api.address], [
        handler((task) =>
          task.payload === "\"quick\""
            ? Effect.succeed("{}")
            : Effect.never.pipe(Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined)))
        )
      ])
      const ledger = yield* Effect.provide(AttemptLedger, context)
      yield* api.send(FakeApi.task("a"))
      yield* FakeApi.eventually("held", () => ledger.held.size === 1)
      yield* api.send({ _tag: "Ping", sequence: 1n })
      yield* Deferred.await(interrupted)
      yield* FakeApi.eventually("not held", () => ledger.held.size === 0)
      yield* api.send(FakeApi.task("b", { payload: "\"quick\"" }))
      yield* done(api)
      assert.deepStrictEqual(api.reports.map((report) => report.task_id), [FakeApi.idOf("b")])
    }))

  it.live("delivered twice runs once", () =>
    Effect.gen(function*() {
      const runs = yield* Ref.make(0)
      const gate = yield* Deferred.make<void>()
      const api = yield* FakeApi.make()
      yield* start([api.address], [
        handler(() => Ref.update(runs, (n) => n + 1).pipe(Effect.andThen(Deferred.await(gate)), Effect.as("{}")))
      ])
      yield* api.send(FakeApi.task("a"))
      yield* api.send(FakeApi.task("a"))
      yield* api.send({ _tag: "Ping", sequence: 1n })
      yield* FakeApi.eventually("both arrived", () => api.heartbeats.some((beat) => beat.acknowledged_ping === 1n))
      yield* Deferred.succeed(gate, undefined)
      yield* done(api)
      assert.strictEqual(yield* Ref.get(runs), 1)
    }))

  it.live("continues the trace of the request that caused it", () =>
    Effect.gen(function*() {
      const spans: Array<Tracer.Span> = []
      const collecting = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const api = yield* FakeApi.make()
      yield* start([api.address], [
        handler((_, context) => Effect.as(context.progress(50, "half"), "{}")),
        handler(() => Effect.never, "ENDLESS")
      ]).pipe(Effect.withTracer(collecting))
      yield* api.send(FakeApi.task("a", { traceparent: Option.some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") }))
      yield* done(api)
      const task = spans.find((span) => span.name === "task TEST")
      assert.strictEqual(task?.traceId, "0af7651916cd43dd8448eb211c80319c")
      assert.strictEqual(Option.getOrUndefined(task?.parent ?? Option.none())?.spanId, "b7ad6b7169203331")
      assert.deepStrictEqual(Object.fromEntries(task?.attributes ?? []), {
        "englog.task.id": FakeApi.idOf("a"),
        "englog.task.kind": "TEST",
        "englog.task.attempt": 1,
        "englog.task.outcome": "Completed",
        "englog.worker.id": "worker-1",
        "messaging.system.name": "englog",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.message.id": FakeApi.idOf("a")
      })
      assert.strictEqual(api.reports[0]?.traceparent, `00-0af7651916cd43dd8448eb211c80319c-${task?.spanId}-01`)
      assert.isFalse(spans.some((span) => span.name.endsWith("/WorkerHeartbeat")))
      yield* api.send(FakeApi.task("b", { kind: "ENDLESS" }))
      yield* api.send({ _tag: "CancelTask", task_id: FakeApi.idOf("b"), attempt: 1, reason: "by its owner" })
      yield* done(api, 2)
      assert.strictEqual(spans.find((span) => span.name === "task ENDLESS")?.attributes.get("englog.task.outcome"), "Stopped")
    }))
})

describe("an outcome", () => {
  it.live("finished while the API is down is handed in after it came back", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const before = yield* FakeApi.make().pipe(Scope.provide(scope))
      const started = yield* Deferred.make<void>()
      const gate = yield* Deferred.make<void>()
      const context = yield* start([before.address], [
        handler((_, context) =>
          Deferred.succeed(started, undefined).pipe(
            Effect.andThen(Deferred.await(gate)),
            // Nobody is there to hear it; the task must not care.
            Effect.andThen(context.progress(90, "nearly")),
            Effect.as("{\"kept\":true}")
          )
        )
      ])
      yield* before.send(FakeApi.task("a"))
      yield* Deferred.await(started)
      yield* Scope.close(scope, Exit.void)
      const link = yield* Effect.provide(ApiLink, context)
      yield* FakeApi.eventually("disconnected", () => Option.isNone(SubscriptionRef.getUnsafe(link.session)))
      yield* Deferred.succeed(gate, undefined)
      const after = yield* FakeApi.make({}, before.port)
      yield* done(after)
      assert.deepStrictEqual(after.reports[0]?.outcome, { _tag: "Completed", result: "{\"kept\":true}" })
      assert.deepStrictEqual(after.heartbeats[0]?.held_tasks, [{ task_id: FakeApi.idOf("a"), attempt: 1 }])
    }), 20_000)

  it.live("is handed in again after passing trouble, and dropped when nobody waits for it", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make({
        report: (_, nth) =>
          nth === 1
            ? Effect.fail(new GrpcError({ code: "UNAVAILABLE", message: "no database" }))
            : nth === 2
            ? Effect.fail(new GrpcError({ code: "FAILED_PRECONDITION", message: "stale" }))
            : Effect.void
      })
      yield* start([api.address], [handler(() => Effect.succeed("{}"))])
      yield* api.send(FakeApi.task("a"))
      yield* done(api, 2)
      yield* api.send(FakeApi.task("b"))
      yield* done(api, 3)
      assert.deepStrictEqual(api.reports.map((report) => report.task_id), [FakeApi.idOf("a"), FakeApi.idOf("a"), FakeApi.idOf("b")])
    }))

  it.live("is handed in over a new session when the old one is over", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make({
        report: (_, nth) =>
          nth === 1 ? Effect.fail(new GrpcError({ code: "UNAUTHENTICATED", message: "expired" })) : Effect.void
      })
      yield* start([api.address], [handler(() => Effect.succeed("{}"))])
      yield* api.send(FakeApi.task("a"))
      yield* done(api, 2)
      assert.strictEqual(api.registrations.length, 2)
    }))

  it.live("whose result is refused becomes a failure with that reason", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make({
        report: (report) =>
          report.outcome._tag === "Completed"
            ? Effect.fail(new GrpcError({ code: "INVALID_ARGUMENT", message: "confidence: expected a number" }))
            : Effect.void
      })
      yield* start([api.address], [handler(() => Effect.succeed("{\"confidence\":\"high\"}"))])
      yield* api.send(FakeApi.task("a"))
      yield* done(api, 2)
      const outcome = api.reports[1]?.outcome
      assert.include(outcome?._tag === "Failed" ? outcome.error : "", "confidence: expected a number")
    }))

  it.live("too large for the wire becomes a failure", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      yield* start([api.address], [handler(() => Effect.succeed("x".repeat(8 * 1024 * 1024)))])
      yield* api.send(FakeApi.task("a"))
      yield* done(api)
      const outcome = api.reports[0]?.outcome
      assert.include(outcome?._tag === "Failed" ? outcome.error : "", "larger than")
    }))

  it.live("that fails with a reason too long or not storable is handed in all the same", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      yield* start([api.address], [handler(() => new TaskFailure({ message: `bad\u0000 \ud800${"x".repeat(20_000)}` }))])
      yield* api.send(FakeApi.task("a"))
      yield* done(api)
      const outcome = api.reports[0]?.outcome
      const error = outcome?._tag === "Failed" ? outcome.error : ""
      assert.match(error, /^bad \ufffdx+$/)
      assert.isAtMost(error.length, 16_384)
    }))
})

describe("the supervisor", () => {
  it.live("runs no more handlers at once than it may", () =>
    Effect.gen(function*() {
      const running = yield* Ref.make(0)
      const most = yield* Ref.make(0)
      const api = yield* FakeApi.make()
      yield* start([api.address], [
        handler(() =>
          Effect.acquireUseRelease(
            Ref.updateAndGet(running, (n) => n + 1).pipe(Effect.flatMap((n) => Ref.update(most, (m) => Math.max(m, n)))),
            () => Effect.as(Effect.sleep("20 millis"), "{}"),
            () => Ref.update(running, (n) => n - 1)
          )
        )
      ], { maxConcurrent: 3 })
      for (let n = 0; n < 12; n++) yield* api.send(FakeApi.task(`t${n}`))
      yield* done(api, 12)
      assert.strictEqual(yield* Ref.get(most), 3)
    }))

  it.live("sets no timer that ends within seconds while it holds nothing", () =>
    Effect.gen(function*() {
      const real = yield* Clock.Clock
      const sleeps: Array<number> = []
      const watched: Clock.Clock = {
        currentTimeMillisUnsafe: () => real.currentTimeMillisUnsafe(),
        currentTimeNanosUnsafe: () => real.currentTimeNanosUnsafe(),
        monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
        currentTimeMillis: real.currentTimeMillis,
        currentTimeNanos: real.currentTimeNanos,
        monotonicTimeNanos: real.monotonicTimeNanos,
        sleep: (duration) => {
          sleeps.push(Duration.toMillis(duration))
          return real.sleep(duration)
        }
      }
      const api = yield* FakeApi.make()
      const context = yield* start([api.address], [handler(() => Effect.succeed("{}"))]).pipe(Effect.provideService(Clock.Clock, watched))
      yield* api.send(FakeApi.task("only"))
      yield* done(api)
      const ledger = yield* Effect.provide(AttemptLedger, context)
      yield* FakeApi.eventually("nothing held", () => ledger.held.size === 0)
      sleeps.length = 0
      yield* Effect.sleep("1500 millis")
      assert.deepStrictEqual(sleeps, [])
    }))

  it.live("drains on a stop: finishes what it can, gives the rest back, takes nothing new", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      const scope = yield* Scope.make()
      const context = yield* start([api.address], [
        handler((task) => task.payload === "\"short\"" ? Effect.as(Effect.sleep("60 millis"), "{}") : Effect.never)
      ]).pipe(Scope.provide(scope))
      const ledger = yield* Effect.provide(AttemptLedger, context)
      yield* api.send(FakeApi.task("short", { payload: "\"short\"" }))
      yield* api.send(FakeApi.task("endless"))
      yield* FakeApi.eventually("both held", () => ledger.held.size === 2)
      yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* FakeApi.eventually("draining is announced", () => api.heartbeats.at(-1)?.status === "draining")
      yield* api.send(FakeApi.task("new"))
      yield* FakeApi.eventually("left", () => api.departures.length === 1)
      assert.deepStrictEqual(api.reports.map((report) => report.task_id), [FakeApi.idOf("short")])
      assert.strictEqual(api.registrations.length, 1)
    }))
})
