/** The default rates against a clock of the test's own: what honest work needs, and what 10,000 messages a second get. */
import { assert, layer } from "@effect/vitest"
import { SessionId } from "@englog/domain/Ids"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { randomUUID } from "node:crypto"
import { CallLimits } from "../../src/cluster/CallLimits.ts"

const by = { peer: "10.0.0.5:40000" }

const session = Effect.fnUntraced(function*() {
  const limits = yield* CallLimits
  const [token, id] = [randomUUID(), SessionId.make(randomUUID())]
  yield* limits.proven(token, id)
  /** How many of that many calls are let through. */
  const calls = (count: number) =>
    Effect.map(
      Effect.forEach(Array.from({ length: count }), () => Effect.isSuccess(limits.call(token, "other", by))),
      (passed) => passed.filter((passed) => passed).length
    )
  return { calls, given: (tasks: number) => Effect.repeat(limits.delivered(id, 1), { times: tasks - 1 }) }
})

layer(CallLimits.layer)("the limits of calls", (it) => {
  it.effect("let a worker of 2,000 results a second say everything it has to say", () => Effect.gen(function*() {
    const { calls, given } = yield* session()
    // Data, three steps of progress and the outcome of each task.
    for (let tick = 0; tick < 200; tick++) {
      yield* given(20)
      assert.strictEqual(yield* calls(20 * 5), 20 * 5)
      yield* TestClock.adjust("10 millis")
    }
  }))

  it.effect("let a worker hand in thousands of outcomes at once after an outage", () => Effect.gen(function*() {
    const { calls, given } = yield* session()
    yield* given(9_999)
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* calls(9_999), 9_999)
  }))

  it.effect("refuse 98 of 100 messages of a session that sends 10,000 a second without having work", () => Effect.gen(function*() {
    const { calls } = yield* session()
    let passed = 0
    for (let tick = 0; tick < 300; tick++) {
      passed += yield* calls(100)
      yield* TestClock.adjust("10 millis")
    }
    assert.isAtMost(passed, 1_000 + 200 * 3)
    for (let tick = 0; tick < 100; tick++) {
      passed = yield* calls(100)
      yield* TestClock.adjust("10 millis")
      assert.isAtMost(passed, 3)
    }
  }))

  it.effect("keep one address from using up another's", () => Effect.gen(function*() {
    const limits = yield* CallLimits
    const from = (address: string) => Effect.isSuccess(limits.call(randomUUID(), "other", { peer: `${address}:1` }))
    yield* Effect.forEach(Array.from({ length: 1_000 }), () => from("10.0.0.6"))
    assert.deepStrictEqual([yield* from("10.0.0.6"), yield* from("10.0.0.7"), yield* from("::1")], [false, true, true])
  }))
})
