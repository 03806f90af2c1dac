import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { patientApi } from "../support/Background.ts"
import { importer, item, proposals, request } from "../support/Imports.ts"
import { refusal } from "../support/ProtocolTwoWorker.ts"

const entry = { title: "Fix the login race", type: "code", start_time: "2026-03-03T09:30:00Z", end_time: "2026-03-03T11:00:00Z" }

layer(patientApi(), { excludeTestServices: true, timeout: "120 seconds" })("the inbox", (it) => {
  it.effect("holds what was imported, beside what is recorded, with overlaps and gaps", () => Effect.gen(function*() {
    const ada = yield* importer({ timezone: "Europe/Berlin" })
    const recorded = yield* ada.post("/v1/logs", entry)
    yield* ada.imported({ items: [item(), item({ external_id: "retro", title: "Retro", start_time: "2026-03-03T14:00:00Z", end_time: "2026-03-03T15:00:00Z" })] })
    const inbox = yield* ada.inbox
    assert.strictEqual(inbox.status, 200)
    assert.deepInclude(inbox.at("items", 0), { date: "2026-03-03", more: false })
    const [standup, retro] = proposals(inbox)
    assert.deepInclude(standup, { title: "Standup", source: "calendar", source_id: "standup", entry_id: null, needs_times: false, duration_minutes: 60 })
    assert.deepStrictEqual(standup?.["overlaps"], [{ proposal_id: null, entry_id: recorded.at("id"), minutes: 30 }])
    assert.deepStrictEqual(retro?.["overlaps"], [])
    assert.deepStrictEqual(inbox.at("items", 0, "gaps"), [{ start_time: "2026-03-03T11:00:00.000Z", end_time: "2026-03-03T14:00:00.000Z", minutes: 180 }])
    assert.deepInclude(inbox.at("items", 0, "entries", 0), { id: recorded.at("id"), title: entry.title })
  }))

  it.effect("gets nothing from a second import of the same", () => Effect.gen(function*() {
    const ada = yield* importer()
    const items = [item(), item({ external_id: "retro" }), item({ occurrence: "2026-03-10T09:00:00.000Z" })]
    assert.deepInclude((yield* ada.imported({ items })).body, { state: "completed", outcome: "completed", created: 3, unchanged: 0 })
    const before = proposals(yield* ada.inbox).map(({ id, updated_at }) => [id, updated_at])
    assert.deepInclude((yield* ada.imported({ items: [...items, item()] })).body, { created: 0, updated: 0, unchanged: 4 })
    assert.deepStrictEqual(proposals(yield* ada.inbox).map(({ id, updated_at }) => [id, updated_at]), before)
    const eve = yield* importer({}, ada.worker)
    assert.lengthOf(proposals(yield* eve.inbox), 0)
    assert.deepInclude((yield* eve.imported({ items })).body, { created: 3 })
  }))

  it.effect("makes entries of what is accepted, which know where they came from", () => Effect.gen(function*() {
    const ada = yield* importer()
    yield* ada.imported({ items: [item({ description: "Blockers", tags: ["daily"] }), item({ external_id: "retro", title: "Retro", start_time: "2026-03-03T10:00:00Z", end_time: "2026-03-03T11:00:00Z" })] })
    const [standup, retro] = proposals(yield* ada.inbox)
    const decided = yield* ada.decide([
      { id: standup?.["id"], action: "accept", entry: { type: "planning", value_rating: "high", end_time: "2026-03-03T09:15:00Z" } },
      { id: retro?.["id"], action: "dismiss" }
    ])
    assert.deepInclude(decided.body, { succeeded: 2, failed: 0, failed_index: null })
    assert.deepInclude(decided.at("items", 0), { status: 201, id: standup?.["id"], error: null })
    const stored = yield* ada.get(`/v1/logs/${String(decided.at("items", 0, "entry", "id"))}`)
    assert.deepInclude(stored.body, {
      title: "Standup", description: "Blockers", tags: ["daily"], type: "planning", value_rating: "high", impact_level: "team",
      start_time: "2026-03-03T09:00:00.000Z", end_time: "2026-03-03T09:15:00.000Z", source: "calendar", source_id: "standup"
    })
    assert.lengthOf(proposals(yield* ada.inbox), 0)
    const written = yield* ada.put(`/v1/logs/${String(stored.at("id"))}`, { ...Object(stored.body), title: "Mine", source: "thin air" })
    assert.deepInclude(written.body, { title: "Mine", source: "calendar", source_id: "standup" })
    const again = yield* ada.decide([{ id: standup?.["id"], action: "accept" }, { id: retro?.["id"], action: "accept" }])
    assert.deepInclude(again.at("items", 0), { status: 409, code: "conflict", error: "the proposal is accepted already" })
    assert.deepInclude(again.at("items", 1), { status: 409, error: "the proposal is dismissed already" })
  }))

  it.effect("decides each for itself, or all or none", () => Effect.gen(function*() {
    const ada = yield* importer()
    const eve = yield* importer({}, ada.worker)
    yield* eve.imported({ items: [item()] })
    yield* ada.imported({ items: [item(), item({ external_id: "b" }), item({ external_id: "c" })] })
    const [a, b, c] = proposals(yield* ada.inbox).map(({ id }) => id)
    const [hers] = proposals(yield* eve.inbox).map(({ id }) => id)
    const decisions = [
      { id: a, action: "dismiss" },
      { id: b, action: "accept", entry: { title: "", surprise: 1 } },
      { id: c, action: "accept" },
      { id: hers, action: "accept" },
      { id: a, action: "accept" }
    ]
    const none = yield* ada.decide(decisions, true)
    assert.strictEqual(none.status, 200)
    assert.deepInclude(none.body, { succeeded: 0, failed: 5, failed_index: 1 })
    assert.deepInclude(none.at("items", 0), { status: 424, code: "not_applied", error: "not done, because decision 1 was refused" })
    assert.lengthOf(proposals(yield* ada.inbox), 3)
    const some = yield* ada.decide(decisions)
    const items = [0, 1, 2, 3, 4].map((index) => [some.at("items", index, "status"), some.at("items", index, "error")])
    assert.deepStrictEqual(items, [
      [200, null],
      [400, "unknown field \"entry.surprise\"; entry.title: must not be empty"],
      [201, null],
      [404, `you have no proposal ${String(hers)}`],
      [400, "id: decision 0 is about this proposal already"]
    ])
    assert.deepStrictEqual(proposals(yield* ada.inbox).map(({ id }) => id), [b])
    assert.lengthOf(proposals(yield* eve.inbox), 1)
  }))

  it.effect("asks for times of what lasts all day or longer than a day", () => Effect.gen(function*() {
    const ada = yield* importer()
    yield* ada.imported({
      items: [
        item({ external_id: "off", all_day: true, start_time: "2026-03-03T00:00:00Z", end_time: "2026-03-04T00:00:00Z" }),
        item({ external_id: "month", start_time: "2026-03-03T00:00:00Z", end_time: "2026-04-02T00:00:00Z" }),
        item()
      ]
    })
    const all = proposals(yield* ada.inbox)
    assert.deepStrictEqual(all.map(({ needs_times, overlaps, source_id }) => [source_id, needs_times, overlaps]).toSorted(), [
      ["month", true, []], ["off", true, []], ["standup", false, []]
    ])
    const month = all.find(({ source_id }) => source_id === "month")?.["id"]
    const refused = yield* ada.decide([{ id: month, action: "accept" }])
    assert.match(String(refused.at("items", 0, "error")), /^entry\.start_time: is required, and entry\.end_time/)
    const accepted = yield* ada.decide([{ id: month, action: "accept", entry: { start_time: "2026-03-03T09:00:00Z", end_time: "2026-03-03T12:00:00Z" } }])
    assert.deepInclude(accepted.at("items", 0, "entry"), { duration_minutes: 180 })
  }))

  it.effect("follows its source: an open proposal changes, an accepted one is proposed again, a dismissed one stays so", () => Effect.gen(function*() {
    const ada = yield* importer()
    const [open, taken, dropped, deleted] = ["open", "taken", "dropped", "deleted"].map((external_id) => item({ external_id }))
    yield* ada.imported({ items: [open, taken, dropped, deleted].flatMap((one) => one ?? []) })
    const byName = (all: ReadonlyArray<Record<string, unknown>>, name: string) => all.find(({ source_id }) => source_id === name)
    const before = proposals(yield* ada.inbox)
    const decided = yield* ada.decide([
      { id: byName(before, "taken")?.["id"], action: "accept", entry: { tags: ["mine"], type: "docs" } },
      { id: byName(before, "dropped")?.["id"], action: "dismiss" },
      { id: byName(before, "deleted")?.["id"], action: "accept" }
    ])
    const entry_id = String(decided.at("items", 0, "entry", "id"))
    yield* ada.remove(`/v1/logs/${String(decided.at("items", 2, "entry", "id"))}`)
    const later = { title: "Moved", start_time: "2026-03-03T12:00:00.000Z", end_time: "2026-03-03T12:30:00.000Z" }
    const items = [open, taken, dropped, deleted].map((one) => ({ ...one, ...later }))
    assert.deepInclude((yield* ada.imported({ items })).body, { created: 0, updated: 1, corrections: 1, unchanged: 2 })
    const after = proposals(yield* ada.inbox)
    assert.deepStrictEqual(after.map(({ source_id, title }) => [source_id, title]).toSorted(), [["open", "Moved"], ["taken", "Moved"]])
    const correction = byName(after, "taken")
    assert.deepInclude(correction, { entry_id, removed: false })
    const corrected = yield* ada.decide([{ id: correction?.["id"], action: "accept" }])
    assert.deepInclude(corrected.at("items", 0), { status: 200 })
    assert.deepInclude((yield* ada.get(`/v1/logs/${entry_id}`)).body, { ...later, tags: ["mine"], type: "docs" })
    assert.deepInclude((yield* ada.imported({ items: items.map((one) => ({ ...one, removed: true })) })).body, { removed: 2, unchanged: 2 })
    const gone = proposals(yield* ada.inbox)
    assert.deepStrictEqual(gone.map(({ removed }) => removed), [true, true])
    const settled = yield* ada.decide([{ id: byName(gone, "taken")?.["id"], action: "accept" }, { id: byName(gone, "open")?.["id"], action: "dismiss" }])
    assert.deepStrictEqual([settled.at("items", 0, "status"), settled.at("items", 1, "status")], [204, 200])
    assert.strictEqual((yield* ada.get(`/v1/logs/${entry_id}`)).status, 404)
    assert.lengthOf(proposals(yield* ada.inbox), 0)
  }))

  it.effect("leaves an entry as it is when its correction is dismissed", () => Effect.gen(function*() {
    const ada = yield* importer()
    yield* ada.imported({ items: [item()] })
    const accepted = yield* ada.decide([{ id: proposals(yield* ada.inbox)[0]?.["id"], action: "accept" }])
    const changed = item({ title: "Renamed" })
    yield* ada.imported({ items: [changed] })
    yield* ada.decide([{ id: proposals(yield* ada.inbox)[0]?.["id"], action: "dismiss" }])
    assert.deepInclude((yield* ada.imported({ items: [changed] })).body, { corrections: 0, unchanged: 1 })
    assert.deepInclude((yield* ada.get(`/v1/logs/${String(accepted.at("items", 0, "entry", "id"))}`)).body, { title: "Standup" })
  }))

  it.effect("marks what an address does not have any more, where all of it was read", () => Effect.gen(function*() {
    const ada = yield* importer()
    const body = { url: "https://calendar.example.com/ada.ics", from: "2026-03-01", to: "2026-03-31" }
    const both = [item(), item({ external_id: "retro" })]
    yield* ada.imported({ items: both }, body)
    assert.deepInclude((yield* ada.imported({ items: [item()], problems: [{ index: null, row: 7, field: "DTSTART", item: null, error: "x" }] }, body)).body, { removed: 0 })
    assert.deepInclude((yield* ada.imported({ items: [item()] }, { ...body, url: "https://calendar.example.com/eve.ics" })).body, { removed: 0 })
    yield* ada.imported({ items: both }, body)
    assert.deepInclude((yield* ada.imported({ items: [item()] }, body)).body, { removed: 1, unchanged: 1 })
    assert.deepStrictEqual(proposals(yield* ada.inbox).map(({ removed, source_id }) => [source_id, removed]).toSorted(), [["retro", true], ["standup", false]])
    assert.deepInclude((yield* ada.imported({ items: both }, body)).body, { removed: 0, updated: 1 })
  }))

  it.effect("takes a large import in parts, each of them another task", () => Effect.gen(function*() {
    const ada = yield* importer()
    const { id, task } = yield* ada.started()
    yield* ada.worker.complete(task, ada.result({ items: [item()], resume: "standup " }))
    const half = yield* ada.read(id)
    assert.deepInclude(half.body, { part: 2, created: 1, outcome: null })
    const next = yield* ada.take(String(half.at("task_id")))
    assert.notStrictEqual(next.task_id, task.task_id)
    assert.include(yield* ada.worker.data(next), "\"resume\":\"standup \"")
    yield* ada.worker.complete(next, ada.result({ items: [item({ external_id: "zz" })] }))
    assert.deepInclude((yield* ada.read(id)).body, { part: 2, created: 2, outcome: "completed", state: "completed" })
  }))

  it.effect("refuses what no worker should hand in, and says which field", () => Effect.gen(function*() {
    const ada = yield* importer()
    const { task } = yield* ada.started()
    const wrong = [
      item({ end_time: "2026-03-03T09:00:00Z" }), item({ start_time: "9999-01-01T00:00:00Z" }), item({ external_id: "" }), item({ type: "nothing" }),
      item({ title: "a\u0000b" }), item({ source: "Robert'); DROP TABLE" })
    ]
    for (const one of wrong) assert.strictEqual(yield* refusal(ada.worker.complete({ ...task }, ada.result({ items: [one] }))), "INVALID_ARGUMENT")
    yield* ada.worker.complete(task, ada.result({}))
    assert.lengthOf(proposals(yield* ada.inbox), 0)
  }))

  it.effect("keeps text sealed: of the input, of proposals and of problems", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ada = yield* importer()
    const secret = `canary-${randomUUID()}`
    yield* ada.imported(
      { items: [item({ title: secret, external_id: secret })], problems: [{ index: 0, row: null, field: "title", item: secret, error: secret }] },
      { calendar_data: [{ title: secret }] }
    )
    const decided = yield* ada.decide([{ id: proposals(yield* ada.inbox)[0]?.["id"], action: "accept", entry: { title: "Public" } }])
    assert.strictEqual(decided.at("items", 0, "entry", "source_id"), secret)
    const rows = yield* sql<{ row: string }>`SELECT t::text AS row FROM tasks t UNION ALL SELECT i::text FROM imports i
      UNION ALL SELECT p::text FROM proposals p UNION ALL SELECT e::text FROM log_entries e`
    assert.notInclude(rows.map(({ row }) => row).join("\n"), secret)
  }))

  it.effect("shows its days page by page", () => Effect.gen(function*() {
    const ada = yield* importer()
    const day = (date: string, count: number) => Array.from({ length: count }, (_, index) =>
      item({ external_id: `${date} ${index}`, start_time: `${date}T09:00:00Z`, end_time: `${date}T10:00:00Z` }))
    yield* ada.imported({ items: [...day("2026-03-03", 300), ...day("2026-03-04", 300), ...day("2026-03-05", 1)] })
    const first = yield* ada.inbox
    assert.deepStrictEqual([first.at("items", 0, "date"), first.at("items", 1, "date"), first.at("next_cursor")], ["2026-03-03", undefined, "2026-03-04"])
    const second = yield* ada.get("/v1/inbox?from=2026-03-01&to=2026-03-31&cursor=2026-03-04")
    assert.deepStrictEqual([second.at("items", 0, "date"), second.at("items", 1, "date"), second.at("next_cursor")], ["2026-03-04", "2026-03-05", null])
    const one = yield* ada.get("/v1/inbox?from=2026-03-04&to=2026-03-31&limit=1")
    assert.deepStrictEqual([one.at("items", 0, "date"), one.at("items", 1, "date"), one.at("next_cursor")], ["2026-03-04", undefined, "2026-03-05"])
    yield* ada.imported({ items: day("2026-03-06", 600) })
    const large = yield* ada.get("/v1/inbox?from=2026-03-06&to=2026-03-31")
    assert.deepStrictEqual([proposals(large).length, large.at("items", 0, "more"), large.at("next_cursor")], [500, true, "2026-03-07"])
  }))

  it.effect("refuses requests that do not fit, by name", () => Effect.gen(function*() {
    const ada = yield* importer()
    const error = (body: unknown) => Effect.map(ada.post("/v1/import/calendar", body), (answer) => `${answer.status} ${answer.error}`)
    assert.strictEqual(yield* error({}), "400 calendar_data: is required, or ics, or url")
    assert.strictEqual(yield* error({ ...request, url: "https://a.example" }), "400 url: must not be given with calendar_data")
    assert.strictEqual(yield* error({ ics: "hello" }), "400 ics: must be an iCalendar text: it does not begin with BEGIN:VCALENDAR")
    assert.strictEqual(yield* error({ url: "ftp://a.example/x.ics" }), "400 url: must be an https address")
    assert.strictEqual(yield* error({ ...request, timezone: "Mars/Base" }), "400 timezone: must be an IANA time zone, such as Europe/Berlin")
    assert.strictEqual(yield* error({ ...request, from: "2026-03-02", to: "2026-03-01" }), "400 to: must not be before from")
    assert.strictEqual((yield* ada.get("/v1/inbox?from=2026-01-01&to=2026-12-31")).error, "to: must be at most 92 days after from")
    assert.strictEqual((yield* ada.get("/v1/inbox?from=2026-03-01&to=2026-03-02&cursor=2026-03-05")).error, "cursor: must be a day of the period")
    assert.strictEqual((yield* ada.decide([{ id: randomUUID(), action: "dismiss", entry: {} }])).error, "decisions[0].entry: must not be given where the proposal is dismissed")
    const eve = yield* importer({}, ada.worker)
    const { id } = yield* ada.started()
    assert.strictEqual((yield* eve.read(id)).status, 404)
  }))
})
