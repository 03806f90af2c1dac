import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { waitedOut } from "../../src/db/Outage.ts"

const away = new SqlError({ reason: new ConnectionError({ cause: new Error("gone"), message: "gone", operation: "connect" }) })

describe("an outage while the server starts", () => {
  it.effect("is waited for, as long as it is one and does not last", () => Effect.gen(function*() {
    let asked = 0
    const question = (comesBack: number) => Effect.suspend(() => ++asked < comesBack ? Effect.fail(away) : Effect.succeed("here"))
    const started = yield* Effect.forkChild(waitedOut(question(3)))
    yield* TestClock.adjust("5 seconds")
    assert.strictEqual(yield* Fiber.join(started), "here")
    const never = yield* Effect.forkChild(Effect.flip(waitedOut(question(Infinity))))
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* Fiber.join(never), away)
    assert.strictEqual(yield* Effect.flip(waitedOut(Effect.fail("a mistake of ours"))), "a mistake of ours")
  }))
})
