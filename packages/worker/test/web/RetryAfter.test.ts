import { retryDelay } from "@englog/worker/web/RetryAfter"
import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"

describe("Retry-After", () => {
  it("is a number of seconds or a date, a day at most, and nothing where it cannot be understood", () => {
    const now = DateTime.makeUnsafe("2026-01-05T09:00:00Z")
    const cases = [
      ["120", 120_000], [" 5 ", 5_000], ["0", 0], ["99999999", 86_400_000], ["-5", 0], ["soon", 0], ["", 0],
      ["Mon, 05 Jan 2026 09:01:00 GMT", 60_000], ["Mon, 05 Jan 2026 08:00:00 GMT", 0]
    ] as const
    for (const [value, expected] of cases) assert.strictEqual(retryDelay({ "retry-after": value }, now), expected, value)
    assert.strictEqual(retryDelay({}, now), 0)
  })
})
