import { assert, layer } from "@effect/vitest"
import { FamilyId, OrganizationId } from "@englog/domain/Ids"
import { csvColumns } from "@englog/rpc/http/ExportsApi"
import { parse } from "csv-parse/sync"
import { DateTime, Effect, Layer, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { EntryRepo } from "../../src/entries/EntryRepo.ts"
import { CsvExport } from "../../src/exports/CsvExport.ts"
import { csvLines } from "../../src/exports/CsvDocument.ts"
import { HealthChecks } from "../../src/http/health/HealthChecks.ts"
import { OpenStreams } from "../../src/http/OpenStreams.ts"
import { TestApi } from "../http/TestApi.ts"
import { engineer } from "../support/Engineer.ts"
import { exchange } from "../support/RawHttp.ts"

const records = (text: string): ReadonlyArray<Record<string, string>> => parse(text, { columns: true, bom: true })
const column = (text: string, name: string) => records(text).map((record) => record[name])
const hour = (number: number) => DateTime.formatIso(DateTime.add(DateTime.makeUnsafe("2026-01-05T00:00:00Z"), { hours: number }))

/** So many entries of an hour each, written past the API. */
const many = (user: string, count: number) =>
  SqlClient.SqlClient.use((sql) => sql`
    INSERT INTO log_entries (id, user_id, title, type, start_time, end_time)
    SELECT gen_random_uuid(), ${user}::uuid, 'entry ' || n, 'code', timestamptz '2026-01-05T00:00:00Z' + n / 2 * interval '1 hour',
      timestamptz '2026-01-05T01:00:00Z' + n / 2 * interval '1 hour'
    FROM generate_series(0, ${count - 1}::int) AS n`)

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("entries as CSV", (it) => {
  it.effect("are a file of RFC 4180 with a line of columns, whatever the texts hold", () => Effect.gen(function*() {
    const ada = yield* engineer("csv@example.com", { timezone: "America/New_York" })
    const project_id = yield* ada.project("Billing; \"the\" service")
    const description = "line one\nline two, with \"quotes\"\r\nünïcode 日本語 🎉"
    yield* ada.record({ title: "a, b", description, project_id, tags: ["rust", "p1"], start_time: "2026-01-06T02:00:00Z", end_time: "2026-01-06T03:30:00Z", value_rating: "high", impact_level: "team" })
    const answer = yield* ada.get("/v1/export/csv")
    assert.strictEqual(answer.status, 200)
    assert.strictEqual(answer.headers["content-type"], "text/csv; charset=utf-8; header=present")
    assert.strictEqual(answer.headers["content-disposition"], "attachment; filename=\"englog-entries.csv\"")
    assert.strictEqual(answer.text.split("\r\n")[0], csvColumns.join(","))
    assert.isTrue(answer.text.endsWith("\r\n"))
    const [record] = records(answer.text)
    assert.deepInclude(record, {
      // In New York it is the evening before.
      date: "2026-01-05",
      start_time: "2026-01-06T02:00:00.000Z",
      end_time: "2026-01-06T03:30:00.000Z",
      duration_minutes: "90",
      title: "a, b",
      description,
      type: "code",
      project_id,
      project_name: "Billing; \"the\" service",
      tags: "rust,p1",
      value_rating: "high",
      impact_level: "team"
    })
  }))

  it.effect("of nobody are the line of columns", () => Effect.gen(function*() {
    const ada = yield* engineer("csv-empty@example.com")
    yield* (yield* engineer("csv-somebody-else@example.com")).record()
    assert.strictEqual((yield* ada.get("/v1/export/csv")).text, `${csvColumns.join(",")}\r\n`)
  }))

  it.effect("are no formulas to a spreadsheet", () => Effect.gen(function*() {
    const ada = yield* engineer("csv-formulas@example.com")
    const hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\r=1", "＝1", "a=1", "-"]
    for (const [index, text] of hostile.entries()) {
      yield* ada.record({ title: `x${text}`, description: text, start_time: hour(index), end_time: hour(index + 1), tags: [text === "-" ? "-" : "x"] })
    }
    const text = (yield* ada.get("/v1/export/csv")).text
    assert.deepStrictEqual(column(text, "description"), hostile.map((text) => text === "a=1" ? text : `'${text}`))
    assert.strictEqual(column(text, "tags").at(-1), "'-")
    assert.strictEqual(column(text, "title")[0], "x=1+1")
    assert.isTrue(records(text).flatMap((record) => Object.values(record)).every((cell) => !/^[=+@\t\r＝＋＠－-]/.test(cell)))
  }))

  it.effect("keep numbers as numbers", () => Effect.gen(function*() {
    const ada = yield* engineer("csv-numbers@example.com")
    yield* ada.record()
    const repo = yield* EntryRepo
    const found = yield* repo.findInPeriod(ada.id, DateTime.makeUnsafe("2026-01-01T00:00:00Z"), DateTime.makeUnsafe("2026-02-01T00:00:00Z"))
    const [line] = parse(csvLines(found.map((entry) => ({ ...entry, duration_minutes: -5 })), "UTC"))
    assert.strictEqual(line?.[csvColumns.indexOf("duration_minutes")], "-5")
  }))

  it.effect("begin with a byte order mark where that is wanted", () => Effect.gen(function*() {
    const ada = yield* engineer("csv-bom@example.com")
    const bytes = (query: string) =>
      exchange(`GET /v1/export/csv${query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ada.token}\r\nConnection: close\r\n\r\n`)
    assert.match(yield* bytes("?bom=true"), /\r\n\xef\xbb\xbfid,/)
    assert.match(yield* bytes("?bom=false"), /\r\nid,/)
    assert.match(yield* bytes(""), /\r\nid,/)
    assert.strictEqual((yield* ada.get("/v1/export/csv?bom=yes")).error, "bom: must be one of true, false")
  }))

  it.effect("are those that fit all filters of a list, oldest first or newest first", () => Effect.gen(function*() {
    const ada = yield* engineer("csv-filters@example.com", { timezone: "Asia/Tokyo" })
    const project_id = yield* ada.project("P")
    yield* ada.record({ title: "before", start_time: "2026-01-04T14:59:00Z", end_time: "2026-01-04T15:30:00Z" })
    yield* ada.record({ title: "first", start_time: "2026-01-04T15:00:00Z", end_time: "2026-01-04T16:00:00Z", tags: ["a", "b"], project_id })
    yield* ada.record({ title: "second login", start_time: "2026-01-05T14:00:00Z", end_time: "2026-01-05T16:00:00Z", type: "debug", value_rating: "high", impact_level: "company", tags: ["a"] })
    yield* ada.record({ title: "running", start_time: "2026-01-05T15:00:00Z", end_time: null })
    const of = (query: string) => Effect.map(ada.get(`/v1/export/csv?${query}`), ({ text }) => column(text, "title"))
    assert.deepStrictEqual(yield* of(""), ["before", "first", "second login", "running"])
    assert.deepStrictEqual(yield* of("order=desc"), ["running", "second login", "first", "before"])
    // As seed 004 has it, and as lists have it.
    assert.deepStrictEqual(yield* of("period_start=2026-01-05&period_end=2026-01-05"), ["first", "second login"])
    assert.deepStrictEqual(yield* of("start_date=2026-01-05&end_date=2026-01-05"), ["first", "second login"])
    assert.deepStrictEqual(yield* of("type=debug"), ["second login"])
    assert.deepStrictEqual(yield* of(`project_id=${project_id}`), ["first"])
    assert.deepStrictEqual(yield* of("tags=a,b"), ["first"])
    assert.deepStrictEqual(yield* of("value_rating=high"), ["second login"])
    assert.deepStrictEqual(yield* of("impact_level=company"), ["second login"])
    assert.deepStrictEqual(yield* of("running=true"), ["running"])
    assert.deepStrictEqual(yield* of("q=LOGIN"), ["second login"])
    const error = (query: string) => Effect.map(ada.get(`/v1/export/csv?${query}`), ({ error, status }) => `${status} ${error}`)
    assert.strictEqual(yield* error("period_start=2026-01-05&start_date=2026-01-05"), "400 period_start: must not be given beside start_date: both name the same")
    assert.strictEqual(yield* error("period_start=2026-01-05&period_end=2026-01-04"), "400 period_end: must not be before period_start")
    assert.strictEqual(yield* error("limit=5"), "400 unknown query parameter \"limit\"")
  }))

  it.effect("are all there, each once, where pages end between entries of the same instant", () => Effect.gen(function*() {
    const ada = yield* engineer("csv-pages@example.com")
    yield* many(ada.id, 1_701)
    const titles = column((yield* ada.get("/v1/export/csv")).text, "title")
    assert.lengthOf(titles, 1_701)
    assert.strictEqual(new Set(titles).size, 1_701)
  }))

  it.effect("are read as far as somebody reads, and no further", () => Effect.gen(function*() {
    const ada = yield* engineer("csv-slow@example.com")
    yield* many(ada.id, 5_000)
    let pages = 0
    const counted = Layer.effect(EntryRepo, Effect.map(EntryRepo, (repo) =>
      EntryRepo.of({ ...repo, list: (...asked) => Effect.suspend(() => (pages++, repo.list(...asked))) })))
    const csv = yield* Effect.provide(CsvExport, Layer.fresh(CsvExport.layer).pipe(
      Layer.provide([counted, Layer.provide(OpenStreams.layer, HealthChecks.layer)])
    ))
    const caller = {
      id: ada.id,
      organization_id: OrganizationId.make(randomUUID()),
      is_admin: false,
      timezone: "UTC",
      credential: { _tag: "Session", id: FamilyId.make(randomUUID()) }
    } as const
    const read = yield* Stream.runCollect(Stream.take(yield* csv.document(caller, {}), 3))
    assert.lengthOf(records(read.join("")), 1_000)
    assert.isAtMost(pages, 4)
  }))
})
