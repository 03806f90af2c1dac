import { assert, describe, it } from "@effect/vitest"
import type { ImportProblem } from "@englog/domain/imports/ImportedItem"
import { csvFile } from "@englog/worker/import/csv/CsvFile"
import { readRows } from "@englog/worker/import/csv/CsvRows"
import { DateTime, Effect } from "effect"
import * as fc from "fast-check"
import { fixture, jobOf, readBy } from "./read.ts"

const read = (csv: string, more: Record<string, unknown> = {}) =>
  readBy(csvFile, jobOf({ source: "csv_file", csv, date_format: null, attendee: "ada@example.com", ...more }, { period: null }))

const told = ({ error, field, row }: ImportProblem) => `${row} ${field}: ${error}`

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
    assert.deepStrictEqual([items.length, problems.map(told)], [0, [
      "2 Description: its quote is never closed: nothing was read from here to the end of the file, which was cut off perhaps"
    ]])
    const half = yield* read(whole.slice(0, whole.indexOf("Sprint planning") + 30))
    assert.deepStrictEqual([half.items.length, half.problems.map(told)], [1, [
      "4 End date: is missing: the row has 9 fields for 14 columns, so it was cut off or a delimiter is missing"
    ]])
  }))

  it.effect("has every row read or told, whatever separates it and wherever a quote is missing or a field too many", () => Effect.gen(function*() {
    const header = ["Email", "Description", "Start date", "Start time", "Duration", "Tags"]
    const whole = (name: string) => ["ada@example.com", `"${name}"`, "2026-03-02", "09:00", "0:30:00", ""]
    const missing = "a quote is missing or too many: this row was not read, nor what the quote took in of the rows behind it"
    const cases: ReadonlyArray<readonly [what: string, lines: ReadonlyArray<ReadonlyArray<string>>, items: ReadonlyArray<string>, problems: ReadonlyArray<string>]> = [
      ["an opening quote without its closing one", [whole("a"), ["ada@example.com", "\"b", "2026-03-02", "09:00", "0:30:00", ""], whole("c"), whole("d")], ["a", "d"], [`3 Description: ${missing}`]],
      ["one in the last row", [whole("a"), ["ada@example.com", "b", "2026-03-02", "09:00", "0:30:00", "\"x"]], ["a"], [
        "3 Tags: its quote is never closed: nothing was read from here to the end of the file, which was cut off perhaps"
      ]],
      ["a quote within a field that is not quoted", [whole("a"), ["ada@example.com", "a 12\" disk", "2026-03-02", "09:00", "0:30:00", ""], whole("c")], ["a", "c"], [`3 Description: ${missing}`]],
      ["something behind a closing quote", [["ada@example.com", "\"b\"x", "2026-03-02", "09:00", "0:30:00", ""], whole("c"), whole("d")], ["d"], [`2 Description: ${missing}`]],
      ["a quoted field over lines, and a wrong row behind it", [whole("a\r\nb"), ["ada@example.com", "c", "soon", "09:00", "0:30:00", ""]], ["a b"], [
        "4 Start date: must be a day that exists, as ymd; it is \"soon\""
      ]],
      ["a field too many", [whole("a"), [...whole("b"), "more"], [...whole("c"), "", " "]], ["a", "c"], [
        "3 null: the row has 7 fields for 6 columns: a field that holds a delimiter has to be quoted"
      ]],
      ["a field too few", [whole("a").slice(0, 5), whole("b").slice(0, 1), whole("c")], ["c"], [
        "2 Tags: is missing: the row has 5 fields for 6 columns, so it was cut off or a delimiter is missing",
        "3 Description: is missing: the row has 1 field for 6 columns, so it was cut off or a delimiter is missing"
      ]],
      ["rows without anything", [[""], whole("a"), ["", "", "", "", "", ""], [" "], whole("b")], ["a", "b"], []],
      ["a duration that is none", [["ada@example.com", "a", "2026-03-02", "09:00", "half an hour", ""]], [], [
        "2 Duration: must be hours, minutes and seconds, such as 1:30:00; it is \"half an hour\""
      ]]
    ]
    for (const delimiter of [",", ";", "\t", "|"]) for (const end of ["\n", "\r\n", "\r"]) for (const [what, lines, titles, problems] of cases) {
      const found = yield* read([header, ...lines].map((line) => line.join(delimiter)).join(end))
      const where = `${what}, ${JSON.stringify([delimiter, end])}`
      assert.sameMembers(found.items.map(({ title }) => title), [...titles], where)
      assert.deepStrictEqual(found.problems.map(told), problems, where)
    }
  }))

  it.effect("loses nothing, whatever its quotes: what stands before the first line that is told is in the rows", () => Effect.sync(() =>
    fc.assert(fc.property(
      fc.array(fc.array(fc.constantFrom("x", "\"x\"", "\"x", "x\"", "\"\"", "\"x\"\"y\"", "x,y", ""), { minLength: 2, maxLength: 4 }), { maxLength: 8 }),
      (lines) => {
        const report = readRows(["a,b,c", ...lines.map((line) => line.join(","))].join("\n"), ",")
        if (typeof report === "string") return assert.fail(report)
        const first = Math.min(...report.problems.map(({ row }) => row ?? 0))
        const count = (texts: ReadonlyArray<string>) => texts.join("").replaceAll(/[^x]/g, "").length
        const read = report.rows.filter(({ row }) => row < first).flatMap(({ cell }) => [cell("a"), cell("b"), cell("c")])
        assert.strictEqual(count(read), count(lines.slice(0, Math.min(lines.length, first - 2)).flat()), JSON.stringify(lines))
      }
    ))))

  it.effect("whose first row is broken is not read by the names of another one", () => Effect.gen(function*() {
    const error = yield* Effect.flip(read("Description,Start date,Start time,Duration,\"Tags\nx,2026-03-02,09:00,1:00:00,\n"))
    assert.deepStrictEqual([error.message, error.retryable], ["row 1: a quote is missing or too many in the names of the columns", false])
  }))

  it.effect("keeps rows apart that say the very same", () => Effect.gen(function*() {
    const row = "x,2026-03-02,09:00,1:00:00\n"
    const { items } = yield* read(`Description,Start date,Start time,Duration\n${row}${row}`)
    assert.deepStrictEqual(items.map(({ occurrence }) => occurrence), ["", "2"])
  }))
})
