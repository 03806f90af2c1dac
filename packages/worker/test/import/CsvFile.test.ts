import { assert, describe, it } from "@effect/vitest"
import { csvFile } from "@englog/worker/import/csv/CsvFile"
import { DateTime, Effect } from "effect"
import { fixture, jobOf, readBy } from "./read.ts"

const read = (csv: string, more: Record<string, unknown> = {}) =>
  readBy(csvFile, jobOf({ source: "csv_file", csv, date_format: null, attendee: "ada@example.com", ...more }, { period: null }))

describe("a CSV report", () => {
  it.effect("of Toggl is read over the change to summer time; rows of others are skipped, wrong ones told with row and field", () => Effect.gen(function*() {
    const { items, problems, skipped } = yield* read(fixture("toggl.csv"))
    const [fix, planning] = items.toSorted((a, b) => DateTime.toEpochMillis(a.start_time) - DateTime.toEpochMillis(b.start_time))
    assert.deepInclude(fix, { source: "toggl", title: "Fix the login race and test it", tags: ["backend", "p1"], project: "Billing service", type: "code" })
    assert.deepStrictEqual(fix && [DateTime.formatIso(fix.start_time), DateTime.formatIso(fix.end_time)], ["2026-03-29T00:30:00.000Z", "2026-03-29T01:30:00.000Z"])
    assert.deepInclude(planning, { title: "Sprint planning", type: "planning", project: null })
    assert.strictEqual(skipped, 1)
    assert.deepStrictEqual(problems.map(({ error, field, row }) => `${row} ${field}: ${error}`), [
      "6 End time: must be after the start",
      "7 Start date: must be a day that exists, as ymd; it is \"2026-02-30\""
    ])
  }))

  it.effect("of Clockify is read with American days, which one of its own days tells", () => Effect.gen(function*() {
    const { items, problems } = yield* read(fixture("clockify.csv"))
    assert.deepStrictEqual(problems, [])
    assert.sameDeepMembers(items.map(({ end_time, source, start_time, title, type }) => [source, title, type, DateTime.formatIso(start_time), DateTime.formatIso(end_time)]), [
      ["clockify", "Write the parser; test it", "code", "2026-03-04T08:00:00.000Z", "2026-03-04T12:30:00.000Z"],
      ["clockify", "Deploy", "ops", "2026-03-25T15:00:00.000Z", "2026-03-25T16:00:00.000Z"]
    ])
  }))

  it.effect("may be separated by anything, and begin with a byte order mark", () => Effect.gen(function*() {
    for (const delimiter of [",", ";", "\t", "|"]) {
      const rows = [["Email", "Description", "Start date", "Start time", "Duration"], ["ada@example.com", "\"a,b;c|d\te\"", "2026-03-02", "09:00", "0:30:00"]]
      const { items, problems } = yield* read(`\uFEFF${rows.map((row) => row.join(delimiter)).join("\r\n")}`)
      assert.deepStrictEqual([problems, items.map(({ title }) => title)], [[], ["a,b;c|d e"]], JSON.stringify(delimiter))
    }
  }))

  it.effect("says that a day can be read in two ways, unless it is told which", () => Effect.gen(function*() {
    const csv = "Description,Start date,Start time,Duration\nx,03/04/2026,09:00,1:00:00\n"
    const error = yield* Effect.flip(read(csv))
    assert.strictEqual(error.message, "Start date: \"03/04/2026\" can be read in more than one way; say date_format: dmy, mdy or ymd")
    assert.isFalse(error.retryable)
    for (const [date_format, day] of [["dmy", "2026-04-03"], ["mdy", "2026-03-04"]]) {
      const { items } = yield* read(csv, { date_format })
      assert.deepStrictEqual(items.map(({ start_time }) => DateTime.formatIsoDateUtc(start_time)), [day])
    }
  }))

  it.effect("that was cut off is read up to there and says so", () => Effect.gen(function*() {
    const whole = fixture("toggl.csv")
    const { items, problems } = yield* read(whole.slice(0, whole.indexOf("and test it")))
    assert.deepStrictEqual([items.length, problems.map(({ error }) => error)], [0, ["the file ends within a quoted field: it was cut off"]])
    const half = yield* read(whole.slice(0, whole.indexOf("Sprint planning") + 30))
    assert.deepStrictEqual([half.items.length, half.problems.map(({ field }) => field)], [1, ["Start time"]])
  }))

  it.effect("keeps rows apart that say the very same", () => Effect.gen(function*() {
    const row = "x,2026-03-02,09:00,1:00:00\n"
    const { items } = yield* read(`Description,Start date,Start time,Duration\n${row}${row}`)
    assert.deepStrictEqual(items.map(({ occurrence }) => occurrence), ["", "2"])
  }))
})
