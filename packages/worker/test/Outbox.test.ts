/** What the worker says on its session's stream, to a server that plays the API, which may go away. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Layer, Ref, Scope } from "effect"
import { Prefetch } from "@englog/worker/Prefetch"
import * as FakeApi from "./support/FakeApi.ts"
import { handler, worker } from "./support/TestWorker.ts"

const start = (...args: Parameters<typeof worker>) => Layer.build(worker(...args))
const outcomes = (api: FakeApi.FakeApi) => api.frames.filter((frame) => frame.outcomes.length > 0)

describe("the outbox", () => {
  it.live("gathers the outcomes of a tick, and acknowledges what it received", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      for (let n = 0; n < 100; n++) yield* api.send(FakeApi.task(`t${n}`))
      yield* start([api.address], [handler(() => Effect.succeed("{}"))], { maxConcurrent: 100 })
      yield* FakeApi.eventually("all reported", () => api.reports.length === 100)
      assert.isAtMost(outcomes(api).length, 20)
      assert.isTrue(api.frames.some((frame) => frame.received_delivery === 2))
    }))

  it.live("says again what was not acknowledged when its stream was cut, and holds it until then", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const before = yield* FakeApi.make({ report: () => Effect.never }).pipe(Scope.provide(scope))
      yield* start([before.address], [handler(() => Effect.succeed("{\"kept\":true}"))])
      yield* before.send(FakeApi.task("a"))
      yield* FakeApi.eventually("reported, and not answered", () => before.reports.length === 1)
      yield* Scope.close(scope, Exit.void)
      const after = yield* FakeApi.make({}, before.port)
      yield* FakeApi.eventually("reported again", () => after.reports.length === 1)
      assert.deepStrictEqual(after.openings[0]?.held_tasks, [{ task_id: FakeApi.idOf("a"), attempt: 1 }])
      assert.deepStrictEqual(after.reports, before.reports)
    }), 20_000)

  it.live("turns a result that cannot be stored into a failure", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      yield* start([api.address], [handler((_, context) => Effect.as(context.progress(10, "a\u0000b"), "\"\u0000\""))])
      yield* api.send(FakeApi.task("a"))
      yield* FakeApi.eventually("reported", () => api.reports.length === 1)
      const outcome = api.reports[0]?.outcome
      assert.include(outcome?._tag === "Failed" ? outcome.error : "", "NUL")
      assert.deepStrictEqual(api.progress.map(({ message }) => message), ["ab"])
    }))

  it.live("never moves progress backwards", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      yield* start([api.address], [
        handler((_, context) => Effect.as(Effect.forEach([10, 60, 30, 70], (percent) => context.progress(percent, "")), "{}"))
      ])
      yield* api.send(FakeApi.task("a"))
      yield* FakeApi.eventually("reported", () => api.reports.length === 1)
      assert.deepStrictEqual(api.progress.map(({ progress }) => progress), [10, 60, 60, 70])
    }))
})

describe("work in advance", () => {
  it("follows how long handlers take, and is none for slow ones", () => {
    const prefetch = new Prefetch(10, 256)
    assert.strictEqual(prefetch.window, 10, "before anything is known")
    for (let n = 0; n < 100; n++) prefetch.ended(0)
    assert.strictEqual(prefetch.window, 266)
    for (let n = 0; n < 100; n++) prefetch.ended(10)
    assert.strictEqual(prefetch.window, 10 + 32, "what ten slots finish in 50 ms, in steps of two")
    for (let n = 0; n < 100; n++) prefetch.ended(5_000)
    assert.strictEqual(prefetch.window, 10)
    for (let n = 0; n < 100; n++) prefetch.ended(0)
    prefetch.stalled()
    assert.strictEqual(prefetch.window, 10)
    assert.strictEqual(new Prefetch(5, 0).window, 5)
  })

  it.live("is asked for once handlers turn out to be quick", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      yield* start([api.address], [handler(() => Effect.succeed("{}"))], { maxConcurrent: 4, prefetch: 60 })
      yield* api.send(FakeApi.task("a"))
      yield* FakeApi.eventually("a larger window", () => api.frames.some(({ window }) => window === 64))
      assert.strictEqual(api.openings[0]?.window, 4)
    }))

  it.live("goes back where no slot becomes free for it", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      yield* start([api.address], [handler(() => Effect.never)], { maxConcurrent: 1 })
      for (const name of ["a", "b"]) yield* api.send(FakeApi.task(name))
      yield* FakeApi.eventually("the second is returned", () => api.frames.some(({ returned_tasks }) => returned_tasks.length > 0))
      assert.deepStrictEqual(api.frames.flatMap(({ returned_tasks }) => returned_tasks), [{ task_id: FakeApi.idOf("b"), attempt: 1 }])
    }))

  it.live("goes back on a pause, and nothing is started until it is over", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      const started = yield* Ref.make<ReadonlyArray<string>>([])
      yield* start([api.address], [
        handler((task) => Effect.andThen(Ref.update(started, (all) => [...all, task.task_id]), Effect.never))
      ], { maxConcurrent: 1 })
      for (const name of ["a", "b"]) yield* api.send(FakeApi.task(name))
      yield* api.send({ _tag: "PauseIntake", reason: "deploying" })
      yield* FakeApi.eventually("the second is returned", () => api.frames.some(({ returned_tasks }) => returned_tasks.length === 1))
      yield* api.send(FakeApi.task("c"))
      yield* FakeApi.eventually("the third, too", () => api.frames.flatMap(({ returned_tasks }) => returned_tasks).length === 2)
      assert.deepStrictEqual(yield* Ref.get(started), [FakeApi.idOf("a")])
      yield* api.send({ _tag: "CancelTask", task_id: FakeApi.idOf("a"), attempt: 1, reason: "" })
      yield* api.send({ _tag: "ResumeIntake" })
      yield* api.send(FakeApi.task("d"))
      yield* Effect.repeat(Ref.get(started), { until: (all) => all.includes(FakeApi.idOf("d")) }).pipe(Effect.timeout("5 seconds"))
      yield* FakeApi.eventually("the first is reported", () => api.reports[0]?.outcome._tag === "Cancelled")
    }))

  it.live("frees a slot only when the outcome is recorded, where that is asked for", () =>
    Effect.gen(function*() {
      const recorded = yield* Deferred.make<void>()
      const started = yield* Ref.make(0)
      const api = yield* FakeApi.make({ report: (_, nth) => nth === 1 ? Deferred.await(recorded) : Effect.void })
      yield* start([api.address], [handler(() => Effect.as(Ref.update(started, (n) => n + 1), "{}"))], { maxConcurrent: 1, slotHeld: true })
      for (const name of ["a", "b"]) yield* api.send(FakeApi.task(name))
      yield* FakeApi.eventually("the first is reported", () => api.reports.length === 1)
      assert.strictEqual(yield* Ref.get(started), 1)
      yield* Deferred.succeed(recorded, undefined)
      yield* FakeApi.eventually("the second is reported", () => api.reports.length === 2)
    }))
})
