import { assert, describe, it } from "@effect/vitest"
import { describeCause, describeError } from "@englog/platform/telemetry/ErrorText"
import { Cause, Effect, Schema } from "effect"
import { SqlError, UniqueViolation } from "effect/sql/SqlError"

class Refused extends Schema.TaggedError<Refused>()("Refused", { message: Schema.String, cause: Schema.optionalKey(Schema.Defect()) }) {}

const canary = "canary9b1e"

/** As PostgreSQL answers, with the row in its message. */
const violation = new SqlError({
  reason: new UniqueViolation({
    constraint: "users_by_email",
    message: canary,
    cause: Object.assign(new Error(`Key (email)=(${canary}) already exists`), { code: "23505", detail: canary, constraint: "users_by_email" })
  })
})

describe("errors in logs and traces", () => {
  it("keep the sentences that are ours", () => {
    assert.strictEqual(describeError(new Refused({ message: "Give the worker a certificate" })), "Refused: Give the worker a certificate")
  })

  it.effect("tell of others what they are and not what they quote, however deep they lie", () => Effect.gen(function*() {
    const schemaError = yield* Effect.flip(Schema.decodeUnknownEffect(Schema.Struct({ a: Schema.Literal("x") }))({ a: canary, [canary]: 1 }))
    const others = [
      violation,
      schemaError,
      new SyntaxError(`Unexpected token in ${canary}`),
      new TypeError(`Invalid URL: postgres://${canary}\n    at ${canary} (${canary})`),
      Object.assign(new Error(canary), { code: "ECONNREFUSED", constraint: `${canary} not a name` }),
      new Refused({ message: "could not store it", cause: violation }),
      canary,
      { message: canary }
    ]
    for (const error of others) {
      for (const cause of [Cause.fail(error), Cause.die(error), Cause.die(new Error("outer", { cause: error }))]) {
        assert.notInclude(describeCause(cause), canary)
      }
      assert.notInclude(describeError(error), canary)
    }
  }))

  it("name what helps to find the fault: type, code, constraint and place", () => {
    const text = describeCause(Cause.fail(new Refused({ message: "could not store it", cause: violation })))
    assert.include(text, "Refused: could not store it")
    assert.match(text, /SqlError/)
    assert.match(text, /\(23505, users_by_email\)/)
    assert.match(text, /at .*ErrorText\.test\.ts:\d+:\d+/)
  })

  it("end where a chain of causes runs in a circle", () => {
    const loop = new Error("loop")
    loop.cause = loop
    assert.isBelow(describeError(loop).length, 500)
  })
})
