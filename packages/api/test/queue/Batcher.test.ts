import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Ref } from "effect"
import * as Batcher from "../../src/queue/Batcher.ts"

/** A batcher whose first write waits for `go`, so that what is offered meanwhile is one batch. */
const make = Effect.fnUntraced(function*(write: (items: ReadonlyArray<string>) => Effect.Effect<void, "away" | "bad">) {
  const go = yield* Deferred.make<void>()
  const writes = yield* Ref.make<ReadonlyArray<ReadonlyArray<string>>>([])
  const submit = yield* Batcher.make({
    inFlight: 1,
    maxSize: 10,
    concernsAll: (error) => error === "away",
    run: (items: ReadonlyArray<string>) =>
      Ref.update(writes, (all) => [...all, items]).pipe(
        Effect.andThen(Deferred.await(go)),
        Effect.andThen(write(items)),
        Effect.as(items.map((item) => `${item} done`))
      )
  })
  const offer = (item: string) => Effect.forkChild(Effect.exit(Effect.map(submit([item]), ([answer]) => answer)), { startImmediately: true })
  const first = yield* offer("first")
  yield* Ref.get(writes).pipe(Effect.repeat({ until: (begun) => begun.length === 1 }))
  const offered = [first, ...yield* Effect.forEach(["a", "b", "c"], offer)]
  yield* Deferred.succeed(go, undefined)
  return { exits: yield* Effect.forEach(offered, Fiber.join), writes: (yield* Ref.get(writes)).slice(1) }
})

describe("a batch", () => {
  it.effect("answers each caller for its own item", () => Effect.scoped(Effect.gen(function*() {
    const { exits, writes } = yield* make(() => Effect.void)
    assert.deepStrictEqual(exits, ["first", "a", "b", "c"].map((item) => Exit.succeed(`${item} done`)))
    assert.deepStrictEqual(writes, [["a", "b", "c"]])
  })))
})

describe("a batch that fails", () => {
  it.effect("for one item's sake is written one by one, so that the others succeed", () => Effect.scoped(Effect.gen(function*() {
    const { exits, writes } = yield* make((items) => items.includes("b") ? Effect.fail("bad" as const) : Effect.void)
    assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, true, false, true])
    assert.deepStrictEqual(writes, [["a", "b", "c"], ["a"], ["b"], ["c"]])
  })))

  it.effect("for want of a database fails for all at once, instead of waiting for it once for each", () => Effect.scoped(Effect.gen(function*() {
    const { exits, writes } = yield* make((items) => items.includes("first") ? Effect.void : Effect.fail("away" as const))
    assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, false, false])
    assert.deepStrictEqual(writes, [["a", "b", "c"]])
  })))
})
