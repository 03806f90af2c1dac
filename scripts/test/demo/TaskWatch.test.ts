import { assert, describe, it } from "@effect/vitest"
import type { TaskEventType } from "@englog/domain/tasks/Task"
import { TaskStep } from "@englog/rpc/http/TaskView"
import { DateTime, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { watchTask } from "../../demo/TaskWatch.ts"

const step = (seq: number, type: TaskEventType = "progress") =>
  new TaskStep({ seq, type, at: DateTime.makeUnsafe(0), attempt: 1, progress: seq * 10, message: null, worker_id: null })

const collect = <E>(connect: (seq: number) => Stream.Stream<TaskStep, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.exit(Stream.runCollect(watchTask(connect))))
    yield* TestClock.adjust("1 minute")
    return yield* Effect.flatten(Fiber.join(fiber))
  })

describe("Watching a task", () => {
  it.effect("resumes after the last step that arrived, when the stream is cut or closed, and ends with the last step", () =>
    Effect.gen(function*() {
      const asked: Array<number> = []
      const all = [step(1, "queued"), step(2), step(3), step(4, "completed"), step(5)]
      const steps = yield* collect((seq) => {
        asked.push(seq)
        const next = Stream.fromIterable(all.slice(seq, seq + 2))
        return asked.length === 1 ? Stream.concat(next, Stream.fail("cut")) : asked.length === 2 ? Stream.empty : next
      })
      assert.deepStrictEqual(steps.map(({ seq }) => seq), [1, 2, 3, 4])
      assert.deepStrictEqual(asked, [0, 2, 2])
    }))

  it.effect("gives up when many connections in a row bring nothing", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(collect(() => Stream.fail("refused")))
      assert.include(error.message, "could not be resumed")
    }))
})
