import { assert, describe, it } from "@effect/vitest"
import * as TaskHandler from "@englog/worker/handlers/TaskHandler"
import { Duration, Effect, Schema } from "effect"
import { task } from "./support/FakeApi.ts"

const context: TaskHandler.TaskContext = {
  progress: () => Effect.void,
  data: Effect.succeed("{}"),
  dataPart: () => Effect.succeedNone,
  begin: Effect.succeed({ granted: true, reason: "" }),
  store: () => Effect.void,
  timeLeft: Effect.succeed(Duration.infinity),
  note: () => Effect.void
}

const given = (payload: string) => {
  const message = task("a", { payload })
  return message._tag === "Task" ? Effect.succeed(message.task) : Effect.die("no task")
}

describe("a handler made of schemas", () => {
  const double = TaskHandler.make(
    { kind: "DOUBLE", payload: Schema.Struct({ n: Schema.Int }), result: Schema.Struct({ twice: Schema.Int }) },
    ({ n }) => Effect.succeed({ twice: n * 2 })
  )

  it.effect("gets its payload decoded and its result encoded", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* double.run(yield* given("{\"n\":21}"), context), "{\"twice\":42}")
    }))

  it.effect("refuses a payload that is no JSON or does not fit, and a result that does not", () =>
    Effect.gen(function*() {
      for (const payload of ["", "{", "{\"n\":\"x\"}"]) {
        const failure = yield* Effect.flip(double.run(yield* given(payload), context))
        assert.include(failure.message, "does not fit DOUBLE")
      }
      const overflow = yield* Effect.flip(double.run(yield* given(`{"n":${Number.MAX_SAFE_INTEGER}}`), context))
      assert.include(overflow.message, "the result does not fit DOUBLE")
    }))
})
