import { assert, layer } from "@effect/vitest"
import type { SessionId, TaskId } from "@englog/domain/Ids"
import { Context, Deferred, Effect, Fiber, Layer, Stream, Tracer } from "effect"
import { SqlClient } from "effect/sql"
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

/** The reads of histories so far, counted by the spans of the repository. */
class ReadCount extends Context.Service<ReadCount, { readonly reads: () => number }>()("@englog/api/test/ReadCount") {
  static readonly layer = Layer.unwrap(Effect.sync(() => {
    let count = 0
    const tracer = Tracer.make({
      span: (options) => {
        if (options.name === "EventRepo.read") count++
        return new Tracer.NativeSpan(options)
      }
    })
    return Layer.merge(Layer.succeed(ReadCount, { reads: () => count }), Layer.succeed(Tracer.Tracer, tracer))
  }))
}

layer(QueueEngine.pipe(Layer.provideMerge(ReadCount.layer)), { excludeTestServices: true, timeout: "60 seconds" })("the event feed", (it) => {
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

  it.effect("reads once for a hundred readers of one task", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    const feed = yield* EventFeed
    const { reads } = yield* ReadCount
    const [before, ready] = [reads(), yield* Effect.all(Array.from({ length: 100 }, () => Deferred.make<void>()))]
    const readers = yield* Effect.forEach(ready, (started) =>
      feed.follow(task_id, 0).pipe(
        Stream.tap((event) => event.type === "started" ? Deferred.succeed(started, undefined) : Effect.void),
        Stream.runCollect,
        Effect.forkChild
      ))
    yield* Effect.forEach(ready, Deferred.await)
    assert.strictEqual(reads() - before, 1, "for what was there")
    const polls = reads()
    for (const percent of [25, 50, 75]) yield* progress(task_id, session_id, percent)
    yield* report(task_id, session_id, 1, completed("1"))
    for (const seen of yield* Effect.forEach(readers, Fiber.join)) {
      assert.deepStrictEqual(seen.map(({ seq }) => seq), [1, 2, 3, 4, 5, 6])
    }
    assert.isAtMost(reads() - polls, 5, "one for each change, and at most one poll")
  }))

  it.effect("lets a reader who is far behind catch up without holding up the others, or keeping everything", () => Effect.gen(function*() {
    const { session_id, task_id } = yield* running()
    const feed = yield* EventFeed
    const sql = yield* SqlClient.SqlClient
    yield* sql`
      WITH q AS (UPDATE task_queue SET event_seq = 1302 WHERE session_id = ${session_id}::uuid RETURNING id)
      INSERT INTO task_events (task, seq, type, attempt, progress) SELECT id, n, 'progress', 1, 0 FROM q, generate_series(3, 1302) AS s (n)`
    const [first, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    const slow = yield* feed.follow(task_id, 0).pipe(
      Stream.tap(({ seq }) => seq === 1 ? Effect.andThen(Deferred.succeed(first, undefined), Deferred.await(go)) : Effect.void),
      Stream.runCollect,
      Effect.forkChild
    )
    yield* Deferred.await(first)
    const quick = yield* Effect.forkChild(feed.follow(task_id, 1_290).pipe(Stream.runCollect))
    yield* report(task_id, session_id, 1, completed("1"))
    assert.deepStrictEqual((yield* Fiber.join(quick)).map(({ seq }) => seq), Array.from({ length: 13 }, (_, index) => 1_291 + index))
    yield* Deferred.succeed(go, undefined)
    assert.deepStrictEqual((yield* Fiber.join(slow)).map(({ seq }) => seq), Array.from({ length: 1_303 }, (_, index) => index + 1))
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
