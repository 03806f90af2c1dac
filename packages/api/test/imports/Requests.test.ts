import { assert, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Predicate, Redacted } from "effect"
import { HttpServer } from "effect/http"
import { patientApi } from "../support/Background.ts"
import { importer, item, proposals } from "../support/Imports.ts"

const csv = "Description,Start date,Start time,Duration\r\nFür Zoë,2026-03-02,09:00,1:00:00\r\n"

layer(patientApi(), { excludeTestServices: true, timeout: "120 seconds" })("imports", (it) => {
  it.effect("of reports reach their worker as text, whatever encoding they have", () => Effect.gen(function*() {
    const ada = yield* importer()
    const utf16 = (swapped: boolean) => {
      const bytes = Buffer.from(`\uFEFF${csv}`, "utf16le")
      return swapped ? bytes.swap16() : bytes
    }
    const files = [Buffer.from(csv), Buffer.from(`\uFEFF${csv}`), utf16(false), utf16(true), Buffer.from(csv, "latin1")]
    for (const body of [{ csv }, ...files.map((bytes) => ({ csv_base64: bytes.toString("base64") }))]) {
      const accepted = yield* ada.post("/v1/import/csv", { ...body, timezone: "Europe/Berlin" })
      assert.strictEqual(accepted.status, 202, accepted.text)
      const task = yield* ada.take(String(accepted.at("task_id")))
      const data: unknown = JSON.parse(yield* ada.worker.data(task))
      const input = Predicate.hasProperty(data, "input") ? data.input : undefined
      assert.deepInclude(input, { source: "csv_file", csv, attendee: ada.email })
      yield* ada.worker.complete(task, ada.result({}))
    }
  }))

  it.effect("of what is no report are refused with row and field", () => Effect.gen(function*() {
    const ada = yield* importer()
    const error = (body: unknown) => Effect.map(ada.post("/v1/import/csv", body), (answer) => `${answer.status} ${answer.error}`)
    const noReport = "row 1: is no detailed report of Toggl or Clockify: there is no column \"start date\""
    assert.strictEqual(yield* error({}), "400 csv: is required, or csv_base64")
    assert.strictEqual(yield* error({ csv, csv_base64: "QQ==" }), "400 csv_base64: must not be given with csv")
    assert.strictEqual(yield* error({ csv: "a,b\n1,2" }), `400 csv: ${noReport}`)
    assert.strictEqual(yield* error({ csv: " \n" }), "400 csv: row 1: must hold the names of the columns; the file is empty")
    assert.strictEqual(yield* error({ csv_base64: Buffer.from("a,b").toString("base64") }), `400 csv_base64: ${noReport}`)
    assert.strictEqual(yield* error({ csv_base64: "not base64!" }), "400 csv_base64: must be base64 of the file's bytes")
    assert.match(yield* error({ csv, date_format: "ydm" }), /^400 date_format: /)
    assert.strictEqual((yield* ada.post("/v1/import/csv", { csv: csv + "x".repeat(1_100_000) })).status, 413)
  }))

  it.effect("tell what came of them, newest first, failed ones too", () => Effect.gen(function*() {
    const ada = yield* importer()
    const problem = { index: null, row: 7, field: "End time", item: "Backwards", error: "must be after the start" }
    const done = yield* ada.imported({ problems: [problem], problem_count: 300, skipped: 4 })
    assert.deepInclude(done.body, { state: "completed", problem_count: 300, skipped: 4, problems: [problem] })
    const { id, task } = yield* ada.started()
    assert.deepInclude((yield* ada.read(id)).body, { state: "running", outcome: null, completed_at: null })
    yield* ada.worker.report(task, { _tag: "Failed", error: "url: the server answered 404", retryable: false })
    const list = yield* ada.get("/v1/imports?limit=1")
    assert.deepInclude(list.at("items", 0), { id, state: "failed", outcome: null, error: "url: the server answered 404" })
    const rest = yield* ada.get(`/v1/imports?cursor=${String(list.at("next_cursor"))}`)
    assert.deepStrictEqual([rest.at("items", 0, "id"), rest.at("next_cursor")], [done.at("id"), null])
  }))

  it.effect("are started, read and decided about over RPC", () => Effect.gen(function*() {
    const ada = yield* importer()
    const { address } = yield* HttpServer.HttpServer
    yield* Effect.gen(function*() {
      const client = yield* EngLogClient
      const { import_id, task_id } = yield* client.ImportCalendar({ calendar_data: [{ title: "Standup" }] })
      yield* ada.worker.complete(yield* ada.take(task_id), ada.result({ items: [item()] }))
      assert.deepInclude(yield* client.GetImport({ id: import_id }), { created: 1, state: "completed" })
      assert.deepStrictEqual((yield* client.ListImports({})).items.map(({ id }) => id), [import_id])
      const [day] = (yield* client.GetInbox({ from: "2026-03-01", to: "2026-03-31" })).items
      const [proposal] = day?.proposals ?? []
      if (proposal === undefined) return yield* Effect.die(new Error("nothing is proposed"))
      const { items } = yield* client.DecideInbox({ decisions: [{ id: proposal.id, action: "accept", entry: { type: "docs" } }] })
      assert.deepInclude(items[0]?.entry, { title: "Standup", type: "docs", source: "calendar" })
      const report = yield* client.ImportCsv({ csv })
      yield* ada.worker.complete(yield* ada.take(report.task_id), ada.result({}))
    }).pipe(Effect.provide(EngLogClient.layer({ url: `http://127.0.0.1:${"port" in address ? address.port : 0}`, auth: Redacted.make(ada.token) })))
  }))

  it.effect("keep days of 23 and 25 hours whole, and put what starts before midnight on its own day", () => Effect.gen(function*() {
    const ada = yield* importer({ timezone: "Europe/Berlin" })
    const at = (external_id: string, start_time: string, end_time: string) => item({ external_id, start_time, end_time })
    yield* ada.imported({
      items: [
        at("eve", "2026-03-28T22:30:00Z", "2026-03-28T23:30:00Z"), at("early", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
        at("late", "2026-03-29T21:00:00Z", "2026-03-29T21:59:00Z"), at("next", "2026-03-29T22:00:00Z", "2026-03-29T23:00:00Z")
      ]
    })
    const inbox = yield* ada.get("/v1/inbox?from=2026-03-28&to=2026-03-30")
    assert.deepStrictEqual(proposals(inbox).map(({ source_id }) => source_id), ["eve", "early", "late", "next"])
    assert.deepStrictEqual([0, 1, 2].map((day) => inbox.at("items", day, "date")), ["2026-03-28", "2026-03-29", "2026-03-30"])
    assert.deepStrictEqual(inbox.at("items", 1, "gaps"), [
      { start_time: "2026-03-28T23:30:00.000Z", end_time: "2026-03-29T00:30:00.000Z", minutes: 60 },
      { start_time: "2026-03-29T01:30:00.000Z", end_time: "2026-03-29T21:00:00.000Z", minutes: 1_170 }
    ])
  }))

  it.effect("put an entry into the project that is called as its source says, where there is one only", () => Effect.gen(function*() {
    const ada = yield* importer()
    const project = yield* ada.post("/v1/projects", { name: "Billing Service" })
    yield* ada.imported({ items: [item({ project: "billing service" }), item({ external_id: "other", project: "Unknown" })] })
    const all = proposals(yield* ada.inbox)
    assert.sameDeepMembers(all.map(({ project, project_id }) => [project, project_id]), [["billing service", project.at("id")], ["Unknown", null]])
    const decided = yield* ada.decide(all.map(({ id }) => ({ id, action: "accept" })), true)
    assert.sameDeepMembers([0, 1].map((index) => decided.at("items", index, "entry", "project_id")), [project.at("id"), null])
  }))
})
