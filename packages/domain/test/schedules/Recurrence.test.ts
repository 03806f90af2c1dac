import { assert, describe, it } from "@effect/vitest"
import { Cron, DateTime, Result, Schema } from "effect"
import { type CatchUp, CronExpression, dueAt, nextAfter, parse } from "../../src/schedules/Recurrence.ts"

const at = (text: string) => DateTime.makeUnsafe(text)
const cronOf = (expression: string, zone = "UTC") => Result.getOrThrow(parse(expression, zone))
const due = (cron: Cron.Cron, first: string, now: string, catch_up: CatchUp, catch_up_limit = 100) => {
  const { next, occurrences } = Result.getOrThrow(dueAt(cron, at(first), at(now), { catch_up, catch_up_limit }))
  return { next: DateTime.formatIso(next), occurrences: occurrences.map(DateTime.formatIso) }
}
const following = (expression: string, zone: string, from: string, count: number) => {
  const found: Array<string> = []
  let last = at(from)
  while (found.length < count) {
    last = Result.getOrThrow(nextAfter(cronOf(expression, zone), last))
    found.push(DateTime.formatIso(last))
  }
  return found
}
const refusal = (expression: string) =>
  Result.match(Schema.decodeResult(CronExpression)(expression), { onFailure: ({ message }) => message, onSuccess: () => "" })

describe("a cron expression", () => {
  it("runs a local time that summer time leaves out as much later", () => {
    assert.deepStrictEqual(following("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3), [
      "2026-03-28T01:30:00.000Z", "2026-03-29T01:30:00.000Z", "2026-03-30T00:30:00.000Z"
    ])
  })
  it("runs a local time that comes twice the first time only", () => {
    assert.deepStrictEqual(following("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2), [
      "2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"
    ])
  })
  it("keeps to its zone's local time all year", () => {
    assert.deepStrictEqual(following("0 9 * * MON", "America/Sao_Paulo", "2026-01-01T00:00:00Z", 1), ["2026-01-05T12:00:00.000Z"])
  })
  it.each(["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"])("that names a day no month has is refused: %s", (expression) => {
    assert.include(refusal(expression), "never fires")
  })
  it.each(["", "x", "* * * *", "61 * * * *", "*/0 * * * *", "* * * * * * *", "0 25 * * *"])("that is none is refused: %s", (expression) => {
    assert.include(refusal(expression), "must be a cron expression")
  })
  it.each(["0 0 29 2 *", "*/5 * * * * *", "0 9 * * MON-FRI", "0 0 1 JAN *"])("is accepted: %s", (expression) => {
    assert.strictEqual(refusal(expression), "")
  })
})

describe("occurrences that were missed", () => {
  const hourly = cronOf("0 * * * *")
  const [first, now, next] = ["2026-01-01T01:00:00Z", "2026-01-01T05:30:00Z", "2026-01-01T06:00:00.000Z"]
  it("are left out, run once, or all, the newest up to the limit", () => {
    assert.deepStrictEqual(due(hourly, first, now, "skip"), { occurrences: [], next })
    assert.deepStrictEqual(due(hourly, first, now, "last"), { occurrences: ["2026-01-01T05:00:00.000Z"], next })
    assert.deepStrictEqual(due(hourly, first, now, "all").occurrences.length, 5)
    assert.deepStrictEqual(due(hourly, first, now, "all", 2).occurrences, ["2026-01-01T04:00:00.000Z", "2026-01-01T05:00:00.000Z"])
  })
  it("are only those that are more than a minute late", () => {
    assert.deepStrictEqual(due(hourly, "2026-01-01T05:00:00Z", "2026-01-01T05:01:00Z", "skip").occurrences, ["2026-01-01T05:00:00.000Z"])
    assert.deepStrictEqual(due(hourly, "2026-01-01T05:00:00Z", "2026-01-01T05:01:01Z", "skip").occurrences, [])
  })
  it("are not repeated by `last` beside one that is on time", () => {
    assert.deepStrictEqual(due(hourly, first, "2026-01-01T05:00:20Z", "last").occurrences, ["2026-01-01T05:00:00.000Z"])
  })
  it("of a year of seconds cost no more than those of an hour", () => {
    const { occurrences } = due(cronOf("* * * * * *", "Europe/Berlin"), "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "all", 100)
    assert.deepStrictEqual([occurrences.length, occurrences[0], occurrences.at(-1)], [161, "2025-12-31T23:57:20.000Z", "2026-01-01T00:00:00.000Z"])
  })
})
