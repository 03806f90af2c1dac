import { assert, layer } from "@effect/vitest"
import type { SessionId, TaskId } from "@englog/domain/Ids"
import { Deferred, Effect, Fiber, type Layer, Stream } from "effect"
import * as fc from "fast-check"
import { EventFeed, isLast } from "../../src/queue/EventFeed.ts"
import { TaskOutcomes } from "../../src/queue/TaskOutcomes.ts"
import {
  claim, claimant, completed, events, eventTypes, failed, find, QueueEngine, release, report, running, stopped
} from "../support/QueueEngine.ts"

const follow = (task_id: TaskId, after: number) =>
  EventFeed.use((feed) => feed.follow(task_id, after).pipe(Stream.runCollect)).pipe(Effect.timeout("5 seconds"))

const progress = Effect.fnUntraced(function*(task_id: TaskId, session_id: SessionId, percent: number) {
  return yield* (yield* TaskOutcomes).progress([{ task_id, session_id, attempt: 0, progress: percent, message: `${percent} %` }])
})

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("the event feed", (it) => {
  it.effect("shows a late reader everything, and ends", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    yield* progress(task_id, session_id, 25)
    yield* report(task_id, session_id, 1, completed("1"))
    const seen = yield* follow(task_id, 0)
    assert.deepStrictEqual(seen.map((event) => [event.seq, event.type, event.progress, event.message]), [
      [1, "queued", 0, null], [2, "started", 0, null], [3, "progress", 25, "25 %"], [4, "completed", 100, "25 %"]
    ])
  }))

  it.effect("resumes after any number", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    for (const percent of [20, 40, 60]) yield* progress(task_id, session_id, percent)
    yield* report(task_id, session_id, 1, failed("no"))
    const all = (yield* events(task_id)).map((event) => event.seq)
    for (const after of [0, 1, 2, 3, 4, 5]) {
      assert.deepStrictEqual((yield* follow(task_id, after)).map((event) => event.seq), all.filter((seq) => seq > after))
    }
  }))

  it.effect("ends at once for a reader who has seen the last event already", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    yield* report(task_id, session_id, 1, completed("1"))
    assert.deepStrictEqual(yield* follow(task_id, 3), [])
    assert.deepStrictEqual(yield* follow(task_id, 99), [])
  }))

  it.effect("tells what happens while it is followed, without waiting for a poll", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    const feed = yield* EventFeed
    const [started, half] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    const reader = yield* feed.follow(task_id, 0).pipe(
      Stream.tap((event) =>
        event.type === "started" ? Deferred.succeed(started, undefined) : event.progress === 50 ? Deferred.succeed(half, undefined) : Effect.void
      ),
      Stream.runCollect,
      Effect.forkChild
    )
    yield* Deferred.await(started)
    yield* progress(task_id, session_id, 50)
    yield* Deferred.await(half).pipe(Effect.timeout("1 second"))
    yield* report(task_id, session_id, 1, completed("1"))
    const seen = yield* Fiber.join(reader).pipe(Effect.timeout("1 second"))
    assert.deepStrictEqual(seen.map((event) => event.type), ["queued", "started", "progress", "completed"])
  }))

  it.effect("reads a history longer than a page in order", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    for (let n = 0; n < 450; n++) yield* progress(task_id, session_id, Math.floor(n / 5))
    yield* report(task_id, session_id, 1, completed("1"))
    const seen = yield* follow(task_id, 0)
    assert.deepStrictEqual(seen.map((event) => event.seq), Array.from({ length: 453 }, (_, index) => index + 1))
  }))
})

type Engine = Layer.Success<typeof QueueEngine>

type Step = "progress" | "complete" | "fail" | "stop" | "cancel" | "lose" | "return" | "claim" | "deadline" | "force"

const step = fc.constantFrom<Step>(
  "progress", "progress", "progress", "claim", "claim", "lose", "return", "fail", "complete", "stop", "cancel", "deadline", "force"
)

layer(QueueEngine, { excludeTestServices: true, timeout: "60 seconds" })("under concurrency", (it) => {
  it.effect("numbers events without gaps and gives a task exactly one end, however its changes interleave", () => Effect.gen(function*() {
    const run = Effect.runPromiseWith(yield* Effect.context<Engine>())
    const outcomes = yield* TaskOutcomes

    const interleave = Effect.fnUntraced(function*(steps: ReadonlyArray<Step>) {
      const { kind, session_id, task_id } = yield* running({ retry: { max_retries: 2, base_delay: 0 } })
      const act = (step: Step, n: number): Effect.Effect<unknown, unknown, Engine> => {
        switch (step) {
          case "progress": return progress(task_id, session_id, n)
          case "complete": return report(task_id, session_id, 0, completed("1"))
          case "fail": return report(task_id, session_id, 0, failed("no"))
          case "stop": return report(task_id, session_id, 0, stopped)
          case "cancel": return outcomes.cancel(task_id, "stop it")
          case "lose": return release(task_id, session_id, "Lost")
          case "return": return release(task_id, session_id, "HandedBack")
          case "claim": return claim(claimant(kind, { session_id }))
          case "deadline": return outcomes.overdue(task_id, "deadline")
          case "force": return outcomes.overdue(task_id, "cancel")
        }
      }
      yield* Effect.forEach(steps, (step, n) => Effect.ignore(act(step, n)), { concurrency: "unbounded", discard: true })
      yield* outcomes.overdue(task_id, "cancel")
      const history = yield* events(task_id)
      assert.deepStrictEqual(history.map((event) => event.seq), history.map((_, index) => index + 1), (yield* eventTypes(task_id)).join(" "))
      assert.deepStrictEqual(history.map(isLast), history.map((_, index) => index === history.length - 1))
      assert.strictEqual(history.at(-1)?.type, (yield* find(task_id)).state)
      assert.deepStrictEqual(yield* follow(task_id, 0), history)
    })

    yield* Effect.promise(() =>
      fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), (steps) => run(interleave(steps))), { numRuns: 40 }))
  }), 60_000)
})
