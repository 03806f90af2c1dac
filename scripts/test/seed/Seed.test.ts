import { assert, describe, it } from "@effect/vitest"
import { ProjectId } from "@englog/domain/Ids"
import { countDays, localDayOf } from "@englog/domain/users/LocalDays"
import { DateTime, Effect, Random } from "effect"
import * as fc from "fast-check"
import { seedArguments } from "../../seed/SeedArguments.ts"
import { workHistory } from "../../seed/WorkHistory.ts"

const projects = ["0f6d2c1e-55a4-4b0f-9d38-6a1f6f5b7f10", "0f6d2c1e-55a4-4b0f-9d38-6a1f6f5b7f11"].map((id) => ProjectId.make(id))

const history = (seed: string, timezone: string, count: number) =>
  Effect.runSync(Random.withSeed(workHistory({ timezone, projects, last_day: "2026-11-20" }, count), seed))

describe("a made-up work history", () => {
  it("is the same for the same seed, and another for another", () => {
    assert.deepStrictEqual(history("a", "Asia/Tokyo", 40), history("a", "Asia/Tokyo", 40))
    assert.notDeepEqual(history("a", "Asia/Tokyo", 40), history("b", "Asia/Tokyo", 40))
  })

  it("has as many entries as asked for, on weekdays in the engineer's zone, none of which overlap", () => {
    fc.assert(fc.property(
      fc.string(), fc.constantFrom("America/Sao_Paulo", "Asia/Kolkata", "Europe/Berlin", "UTC"), fc.integer({ min: 1, max: 200 }),
      (seed, timezone, count) => {
        const entries = history(seed, timezone, count).toSorted((a, b) => a.start_time.epochMilliseconds - b.start_time.epochMilliseconds)
        assert.lengthOf(entries, count)
        let end = Number.NEGATIVE_INFINITY
        for (const { end_time, start_time } of entries) {
          assert.isAtLeast(start_time.epochMilliseconds, end)
          assert.isAbove(end_time?.epochMilliseconds ?? 0, start_time.epochMilliseconds)
          end = end_time?.epochMilliseconds ?? 0
          const day = localDayOf(start_time, timezone)
          assert.notInclude([0, 6], DateTime.toPartsUtc(DateTime.makeUnsafe(`${day}T00:00:00Z`)).weekDay)
          assert.isAtLeast(countDays(day, "2026-11-20"), 1)
        }
      }
    ), { numRuns: 30 })
  })
})

describe("the command line of the seed script", () => {
  it.effect("names the flag that is wrong and why", () => Effect.gen(function*() {
    const refusal = (...argv: ReadonlyArray<string>) => Effect.map(Effect.flip(seedArguments(argv)), ({ message }) => message)
    assert.strictEqual(yield* refusal("--users", "0"), "--users: must be a whole number from 1 to 100000, not \"0\"")
    assert.strictEqual(yield* refusal("--entries", "1e3"), "--entries: must be a whole number from 1 to 100000, not \"1e3\"")
    assert.strictEqual(yield* refusal("--password", "short"), "--password: must have 8 to 128 characters")
    assert.include(yield* refusal("--years", "3"), "--years")
    assert.deepInclude(yield* seedArguments(["--users", "200", "--entries", "5000"]), { users: 200, entries: 5_000, seed: "englog" })
  }))
})
