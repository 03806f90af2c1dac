import { assert, describe, it } from "@effect/vitest"
import { calendarData } from "@englog/worker/import/calendar/CalendarData"
import { calendarFile } from "@englog/worker/import/calendar/CalendarFile"
import { DateTime, Effect } from "effect"
import * as fc from "fast-check"
import { fixture, jobOf, readBy } from "./read.ts"

const read = (ics: string, more: Record<string, unknown> = {}) => readBy(calendarFile, jobOf({ source: "calendar_file", ics, attendee: "ada@example.com" }, more))
const calendar = (...events: ReadonlyArray<string>) => `BEGIN:VCALENDAR\r\n${events.map((event) => `BEGIN:VEVENT\r\n${event}\r\nEND:VEVENT\r\n`).join("")}END:VCALENDAR\r\n`
const hour = "DTSTART:20260302T090000Z\r\nDTEND:20260302T100000Z"

interface Timed {
  readonly start_time: DateTime.Utc
  readonly end_time: DateTime.Utc
}
const times = ({ end_time, start_time }: Timed) => `${DateTime.formatIso(start_time)} ${DateTime.formatIso(end_time)}`
const inOrder = <A extends Timed>(items: ReadonlyArray<A>) => items.toSorted((a, b) => times(a) < times(b) ? -1 : 1)
const told = (problems: ReadonlyArray<{ readonly row: number | null; readonly field: string | null; readonly error: string }>) =>
  problems.map(({ error, field, row }) => `${row} ${field}: ${error}`)

describe("a calendar file", () => {
  it.effect("of Outlook is read with its own names of zones", () => Effect.gen(function*() {
    const { items, problems } = yield* read(fixture("outlook.ics"))
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(items.map((item) => [item.title, times(item)]), [
      ["Roadmap planning", "2026-03-30T07:00:00.000Z 2026-03-30T08:30:00.000Z"],
      ["Call with Pune", "2026-03-31T09:00:00.000Z 2026-03-31T10:00:00.000Z"],
      ["Floating", "2026-04-01T07:00:00.000Z 2026-04-01T07:30:00.000Z"]
    ])
    assert.deepInclude(items[0], { description: "Agenda:\n\n- numbers\n- plan", tags: ["quarter 2", "roadmap"], type: "planning" })
  }))

  it.effect("of Apple is read over the change to summer time: a time that was skipped counts on, and the wall's clock goes on", () => Effect.gen(function*() {
    const { items, problems } = yield* read(fixture("apple.ics"))
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(inOrder(items).map(times), [
      "2026-03-07T07:30:00.000Z 2026-03-07T08:30:00.000Z",
      "2026-03-08T07:30:00.000Z 2026-03-08T08:30:00.000Z",
      "2026-03-09T06:30:00.000Z 2026-03-09T07:30:00.000Z",
      "2026-03-12T14:00:00.000Z 2026-03-12T15:30:00.000Z",
      "2026-03-13T14:00:00.000Z 2026-03-13T15:30:00.000Z"
    ])
    assert.isTrue(items.some(({ title }) => title === "Code review of the importer with a title that is folded over two lines because it is long"))
  }))

  it.effect("moves an occurrence and all later ones, by the clock on the wall, up to the next such change", () => Effect.gen(function*() {
    const berlin = "TZID=Europe/Berlin"
    const { items, problems } = yield* read(calendar(
      `UID:s\r\nSUMMARY:Standup\r\nDTSTART;${berlin}:20260324T090000\r\nDTEND;${berlin}:20260324T093000\r\nRRULE:FREQ=DAILY;COUNT=9\r\nEXDATE;${berlin}:20260328T090000`,
      `UID:s\r\nSUMMARY:Later and longer\r\nRECURRENCE-ID;RANGE=THISANDFUTURE;${berlin}:20260326T090000\r\nDTSTART;${berlin}:20260326T113000\r\nDTEND;${berlin}:20260326T123000`,
      `UID:s\r\nSUMMARY:Once\r\nRECURRENCE-ID;${berlin}:20260327T090000\r\nDTSTART;${berlin}:20260327T080000\r\nDTEND;${berlin}:20260327T081500`,
      `UID:s\r\nSUMMARY:Off\r\nSTATUS:CANCELLED\r\nRECURRENCE-ID;RANGE=THISANDFUTURE;${berlin}:20260331T090000\r\nDTSTART;${berlin}:20260331T090000\r\nDTEND;${berlin}:20260331T093000`
    ))
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(inOrder(items).map((item) => `${item.title}${item.removed ? " removed" : ""} ${times(item)} ${item.occurrence}`), [
      "Standup 2026-03-24T08:00:00.000Z 2026-03-24T08:30:00.000Z 2026-03-24T08:00:00.000Z",
      "Standup 2026-03-25T08:00:00.000Z 2026-03-25T08:30:00.000Z 2026-03-25T08:00:00.000Z",
      "Later and longer 2026-03-26T10:30:00.000Z 2026-03-26T11:30:00.000Z 2026-03-26T08:00:00.000Z",
      "Once 2026-03-27T07:00:00.000Z 2026-03-27T07:15:00.000Z 2026-03-27T08:00:00.000Z",
      "Later and longer 2026-03-29T09:30:00.000Z 2026-03-29T10:30:00.000Z 2026-03-29T07:00:00.000Z",
      "Later and longer 2026-03-30T09:30:00.000Z 2026-03-30T10:30:00.000Z 2026-03-30T07:00:00.000Z",
      "Off removed 2026-03-31T07:00:00.000Z 2026-03-31T07:30:00.000Z 2026-03-31T07:00:00.000Z",
      "Off removed 2026-04-01T07:00:00.000Z 2026-04-01T07:30:00.000Z 2026-04-01T07:00:00.000Z"
    ])
  }))

  it.effect("tells what it cannot use, with its line and field, and reads the rest", () => Effect.gen(function*() {
    const { items, problems } = yield* read(calendar(
      `UID:good\r\nSUMMARY:Good\r\n${hour}`,
      "UID:zone\r\nSUMMARY:Mars\r\nDTSTART;TZID=Mars/Base:20260302T090000\r\nDTEND;TZID=Mars/Base:20260302T100000",
      "UID:day\r\nSUMMARY:Never\r\nDTSTART:20260230T090000Z\r\nDTEND:20260230T100000Z",
      "UID:back\r\nSUMMARY:Back\r\nDTSTART:20260302T090000Z\r\nDTEND:20260302T080000Z",
      "UID:none\r\nSUMMARY:None",
      `UID:rule\r\nSUMMARY:Rule\r\nRRULE:FREQ=WEEKLY;BYDAY=XX\r\n${hour}`,
      `UID:stray\r\nSUMMARY:Stray\r\nDESCRIPTION:one\r\ntwo without a fold\r\n${hour}`
    ))
    assert.deepStrictEqual(items.map(({ description, external_id }) => [external_id, description]), [["good", null], ["stray", "one\ntwo without a fold"]])
    assert.deepStrictEqual(told(problems), [
      "11 DTSTART: names the time zone Mars/Base, which does not exist",
      "17 DTSTART: must be a time that exists: there is no 2026-02-30T09:00:00Z",
      "24 DTEND: must be after DTSTART: what lasts no time is no work",
      "26 DTSTART: is required",
      "33 RRULE: cannot be read"
    ])
  }))

  it.effect("that was cut off, at any place, is read up to there and says so", () => Effect.gen(function*() {
    const whole = fixture("google.ics")
    const all = new Set((yield* read(whole)).items.map(({ external_id }) => external_id))
    for (let length = 100; length < whole.trimEnd().length; length += 37) {
      const { items, problems } = yield* read(whole.slice(0, length))
      assert.isAtLeast(problems.length, 1, `cut after ${length} characters`)
      assert.isTrue(items.every(({ external_id }) => all.has(external_id)), `cut after ${length} characters`)
    }
  }))

  it.live("with rules that never end, or recur without end, is read within seconds", () => Effect.gen(function*() {
    const bombs = [
      "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=0",
      "FREQ=YEARLY;BYDAY=1MO;BYMONTHDAY=15;BYMONTH=4", "FREQ=SECONDLY;UNTIL=99991231T235959Z", "FREQ=MINUTELY;COUNT=999999999"
    ]
    const events = Array.from({ length: 140 }, (_, index) =>
      `UID:bomb-${index}\r\nSUMMARY:Bomb\r\nRRULE:${bombs[index % bombs.length]}\r\nDTSTART:20260302T090000Z\r\nDTEND:20260302T100000Z`)
    const { problems } = yield* read(calendar(...events))
    assert.lengthOf(problems, 140)
    assert.isTrue(problems.every(({ field, row }) => field === "RRULE" && row !== null))
  }), 60_000)

  it.effect("has years and lengths of all kinds: outside the period they are skipped, inside they are there", () => Effect.gen(function*() {
    const { items, problems, skipped } = yield* read(calendar(
      "UID:late\r\nSUMMARY:L\r\nDTSTART:99991231T230000Z\r\nDURATION:PT1H",
      "UID:early\r\nSUMMARY:E\r\nDTSTART:00010101T000000Z\r\nDURATION:PT1H",
      "UID:long\r\nSUMMARY:Month\r\nDTSTART:20260302T000000Z\r\nDURATION:P30D",
      "UID:day\r\nSUMMARY:Day\r\nDTSTART;VALUE=DATE:20260329"
    ))
    assert.deepStrictEqual([problems, skipped], [[], 2])
    assert.deepStrictEqual(items.map((item) => [item.external_id, item.all_day, times(item)]), [
      ["day", true, "2026-03-28T23:00:00.000Z 2026-03-29T22:00:00.000Z"],
      ["long", false, "2026-03-02T00:00:00.000Z 2026-04-01T00:00:00.000Z"]
    ])
  }))

  it.effect("leaves out what is excepted, by its time in any zone or by its day, and puts what was moved in its place", () => Effect.gen(function*() {
    const { items } = yield* read(calendar(
      "UID:s\r\nSUMMARY:S\r\nDTSTART;TZID=Europe/Berlin:20260302T090000\r\nDTEND;TZID=Europe/Berlin:20260302T093000\r\nRRULE:FREQ=DAILY;COUNT=6\r\n"
        + "EXDATE:20260303T080000Z\r\nEXDATE;VALUE=DATE:20260304",
      "UID:s\r\nSUMMARY:Moved\r\nRECURRENCE-ID:20260305T080000Z\r\nDTSTART:20260305T120000Z\r\nDTEND:20260305T123000Z",
      "UID:s\r\nSUMMARY:Off\r\nSTATUS:CANCELLED\r\nRECURRENCE-ID;VALUE=DATE:20260306\r\nDTSTART:20260306T080000Z\r\nDTEND:20260306T083000Z",
      `UID:no\r\nSUMMARY:No\r\nATTENDEE;PARTSTAT=DECLINED:MAILTO:Ada@Example.com\r\n${hour}`
    ))
    assert.deepStrictEqual(items.map(({ occurrence, removed, title }) => [title, occurrence, removed]), [
      ["No", "", true],
      ["S", "2026-03-02T08:00:00.000Z", false],
      ["Moved", "2026-03-05T08:00:00.000Z", false],
      ["Off", "2026-03-06", true],
      ["S", "2026-03-07T08:00:00.000Z", false]
    ])
  }))

  it.effect("gives the same names each time, whatever it holds, and goes on from any page", () =>
    Effect.promise(() => fc.assert(fc.asyncProperty(
      fc.array(fc.record({
        uid: fc.option(fc.stringMatching(/^[a-z]{1,3}$/), { nil: undefined }),
        summary: fc.string({ maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, " ")),
        day: fc.integer({ min: 1, max: 31 }),
        rule: fc.constantFrom("", "RRULE:FREQ=DAILY;COUNT=40", "RRULE:FREQ=WEEKLY", "RRULE:FREQ=HOURLY;COUNT=90")
      }), { maxLength: 12 }),
      (events) => Effect.runPromise(Effect.gen(function*() {
        const ics = calendar(...events.map(({ day, rule, summary, uid }) =>
          [...uid === undefined ? [] : [`UID:${uid}`], `SUMMARY:${summary}`, ...rule === "" ? [] : [rule], `DTSTART:202603${String(day).padStart(2, "0")}T090000Z`, "DURATION:PT30M"].join("\r\n")))
        const [first, second] = [yield* read(ics), yield* read(ics)]
        assert.deepStrictEqual(second, first)
        const names = first.items.map(({ external_id, occurrence }) => `${external_id} ${occurrence}`)
        assert.strictEqual(new Set(names).size, names.length)
        const resume = first.pages[0]?.resume
        if (resume != null) assert.deepStrictEqual((yield* read(ics, { resume })).items, first.items.slice(first.pages[0]?.items.length))
      }))
    ), { numRuns: 30 })))
})

describe("calendar_data", () => {
  it.effect("is read event by event; one that does not fit is told by its index", () => Effect.gen(function*() {
    const fine = { title: "Planning", start_time: "2026-03-02T09:00:00+01:00", end_time: "2026-03-02T10:00:00+01:00" }
    const events = [
      fine, "no event", { ...fine, title: 1 }, { ...fine, start_time: "2026-03-02" }, { ...fine, end_time: fine.start_time },
      { ...fine, start_time: "9999-12-31T23:00:00Z" }, { ...fine, type: "rest" }, { ...fine, tags: "a" },
      { ...fine, id: "1", description: "d", type: "docs", tags: ["A", "a"] }
    ]
    const { items, problems } = yield* readBy(calendarData, jobOf({ source: "calendar_data", events }, { period: null }))
    assert.deepStrictEqual(problems.map(({ field, index }) => [index, field]), [
      [1, null], [2, "title"], [3, "start_time"], [4, "end_time"], [5, "start_time"], [6, "type"], [7, "tags"]
    ])
    assert.sameDeepMembers(items.map(({ description, tags, type }) => ({ description, tags, type })), [
      { description: null, tags: [], type: "planning" }, { description: "d", tags: ["a"], type: "docs" }
    ])
  }))
})
