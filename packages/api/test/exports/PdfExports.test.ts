import { assert, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { PdfId } from "@englog/domain/Ids"
import { PerformanceReview } from "@englog/domain/exports/PerformanceReview"
import { TaskId } from "@englog/domain/Ids"
import { Effect, Layer, Redacted, Schema } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { entry, TestApi } from "../http/TestApi.ts"
import { type Somebody, somebody } from "../support/Person.ts"
import { join } from "../support/ProtocolTwoWorker.ts"
import { eventually, grpcAddress, wholeApi } from "../support/WholeApi.ts"

const period = { period_start: "2026-01-01", period_end: "2026-01-31" }

/** The least that begins like a PDF: what a worker hands in is not looked into. */
const pdf = Buffer.from("%PDF-1.7\n…").toString("base64")

const requested = Effect.fnUntraced(function*(who: Somebody, more: Record<string, unknown> = {}) {
  const answer = yield* who.post("/v1/export/pdf", { ...period, ...more })
  if (answer.status !== 202) return yield* Effect.die(new Error(answer.text))
  return { id: String(answer.at("id")), task_id: TaskId.make(String(answer.at("task_id"))), path: answer.headers["location"] ?? "", answer }
})

let workers = 0

/** A worker that knows this kind only, and takes what comes. */
const renderer = Effect.gen(function*() {
  const worker = yield* join(yield* grpcAddress, { worker_id: `renderer-${++workers}`, kinds: ["PDF_EXPORT"] })
  return {
    ...worker,
    take: (task_id: TaskId) => worker.next.pipe(Effect.repeat({ until: (task) => task.task_id === task_id }))
  }
})

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("a performance review", (it) => {
  it.effect("is asked for, made by a worker, kept encrypted and fetched", () => Effect.gen(function*() {
    const ada = yield* somebody({ timezone: "Europe/Berlin" })
    yield* ada.post("/v1/logs", { ...entry, description: "Cut p95 latency" })
    const { id, path, task_id } = yield* requested(ada, { title: "Half-year review" })
    assert.strictEqual(path, `/v1/export/pdf/${id}`)
    const waiting = yield* ada.get(path)
    assert.deepStrictEqual([waiting.status, waiting.error], [409, `the document is not there yet: its task ${task_id} is queued`])
    const worker = yield* renderer
    const task = yield* worker.take(task_id)
    const review = yield* Schema.decodeEffect(Schema.fromJsonString(PerformanceReview))(yield* worker.data(task))
    assert.deepInclude(review, { title: "Half-year review", person: "Ada Lovelace", ...period, timezone: "Europe/Berlin" })
    assert.deepInclude(review.summary[0], { label: "Time recorded", text: "1 h 30 min" })
    assert.deepStrictEqual(review.cited.map(({ description, title }) => [title, description]), [[entry.title, "Cut p95 latency"]])
    assert.strictEqual(review.insight?.model, "builtin")
    yield* worker.complete(task, JSON.stringify({ pdf, pages: 3 }))
    const result = yield* ada.get(`/v1/tasks/${task_id}/result`)
    assert.deepStrictEqual(JSON.parse(String(result.at("result"))), { pdf_id: id, pages: 3, bytes: Buffer.byteLength(pdf, "base64") })
    const fetched = yield* ada.get(path)
    assert.strictEqual(fetched.status, 200)
    assert.strictEqual(fetched.headers["content-type"], "application/pdf")
    assert.strictEqual(fetched.headers["content-disposition"], "attachment; filename=\"performance-review.pdf\"")
    assert.strictEqual(fetched.text, "%PDF-1.7\n…")
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql`SELECT title, document FROM pdf_exports WHERE id = ${id}`
    assert.match(`${String(rows[0]?.["title"])} ${String(rows[0]?.["document"])}`, /^v2:\S+ v2:\S+$/)
  }).pipe(Effect.scoped))

  it.effect("tells of the period's goals and of time outside working hours", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* somebody()
    yield* ada.post("/v1/logs", { ...entry, type: "code" })
    const before = Object((yield* ada.get("/v1/users/preferences")).body)
    const working_hours = { tuesday: [{ start: "09:00", end: "17:00" }] }
    assert.strictEqual((yield* ask("PUT", "/v1/users/preferences", { token: ada.token, body: { ...before, working_hours } })).status, 200)
    const goal = { title: "Write more code", measure: "hours", target: 3, start_date: "2026-01-01", end_date: "2026-03-31", activity_types: ["code"] }
    for (const more of [{}, { title: "Meet less", activity_types: ["meeting"], end_date: "2026-01-10" }, { title: "Of another period", start_date: "2026-02-01" }]) {
      assert.strictEqual((yield* ada.post("/v1/goals", { ...goal, ...more })).status, 201)
    }
    const worker = yield* renderer
    const task = yield* worker.take((yield* requested(ada)).task_id)
    const review = yield* Schema.decodeEffect(Schema.fromJsonString(PerformanceReview))(yield* worker.data(task))
    assert.deepStrictEqual(review.goals.map(({ percent, reached, state, target, title }) => [title, target, reached, percent, state]), [
      ["Write more code", "3 h", "1 h 30 min", "50 %", "on track"], ["Meet less", "3 h", "0 min", "0 %", "missed"]
    ])
    assert.deepInclude(review.metrics, { label: "Time outside working hours", text: "1 h 30 min" })
    assert.include(review.insight?.paragraphs.map(({ text }) => text).join("\n"), "**Write more code**: 1 h 30 min of 3 h done")
    yield* worker.complete(task, JSON.stringify({ pdf, pages: 1 }))
  }).pipe(Effect.scoped))

  it.effect("is asked for by a period alone, as seed 004 has it", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const answer = yield* ada.get("/v1/export/pdf?period_start=2026-01-01&period_end=2026-01-31")
    assert.strictEqual(answer.status, 202)
    assert.strictEqual(answer.headers["location"], `/v1/export/pdf/${String(answer.at("id"))}`)
    const lately = yield* ada.get("/v1/export/pdf?period_end=2026-03-31")
    const sql = yield* SqlClient.SqlClient
    assert.deepStrictEqual(yield* sql`SELECT period_start::text AS first, period_end::text AS last FROM pdf_exports WHERE id = ${String(lately.at("id"))}`, [
      { first: "2026-01-01", last: "2026-03-31" }
    ])
  }))

  it.effect("quotes an insight that is the caller's, what the built-in narrator writes, or none", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const sql = yield* SqlClient.SqlClient
    const worker = yield* renderer
    const insightOf = Effect.fnUntraced(function*(more: Record<string, unknown>) {
      const task = yield* worker.take((yield* requested(ada, more)).task_id)
      const review = yield* Schema.decodeEffect(Schema.fromJsonString(PerformanceReview))(yield* worker.data(task))
      yield* worker.complete(task, JSON.stringify({ pdf, pages: 1 }))
      return review.insight
    })
    assert.strictEqual(yield* insightOf({}), null, "there is nothing to narrate")
    yield* ada.post("/v1/logs", entry)
    assert.strictEqual((yield* insightOf({}))?.insight_type, "performance")
    assert.strictEqual(yield* insightOf({ insight_id: null }), null)
    const insight_id = randomUUID()
    const refused = yield* ada.post("/v1/export/pdf", { ...period, insight_id })
    assert.deepStrictEqual([refused.status, refused.error], [404, `insight_id: you have no insight ${insight_id}`])
    assert.lengthOf(yield* sql`SELECT id FROM pdf_exports WHERE user_id = ${ada.id}`, 3)
  }).pipe(Effect.scoped))

  it.effect("is nothing that is no PDF, and says why it could not be made", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const { path, task_id } = yield* requested(ada)
    const worker = yield* renderer
    const task = yield* worker.take(task_id)
    for (const result of [{ pdf: "not base64!", pages: 1 }, { pdf: Buffer.from("<html>").toString("base64"), pages: 1 }, { pdf }, { pdf, pages: 0 }]) {
      assert.match(String(yield* Effect.flip(worker.complete(task, JSON.stringify(result)))), /result/)
      // It still has the task.
      worker.held.set(task.task_id, task.attempt)
    }
    yield* worker.report(task, { _tag: "Failed", error: "the document is too large", retryable: false })
    const failed = yield* ada.get(path)
    assert.deepStrictEqual([failed.status, failed.error], [409, "the document could not be made: the document is too large"])
  }).pipe(Effect.scoped))

  it.effect("is its owner's alone, until it is deleted or expires", () => Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [ada, eve] = [yield* somebody(), yield* somebody()]
    const worker = yield* renderer
    const made = Effect.gen(function*() {
      const { id, path, task_id } = yield* requested(ada)
      yield* worker.complete(yield* worker.take(task_id), JSON.stringify({ pdf, pages: 1 }))
      return { id, path }
    })
    const [deleted, expired] = [yield* made, yield* made]
    for (const path of [deleted.path, `/v1/export/pdf/${randomUUID()}`]) {
      assert.strictEqual((yield* eve.get(path)).status, 404)
      assert.strictEqual((yield* eve.remove(path)).status, 404)
    }
    assert.strictEqual((yield* ada.get(deleted.path)).status, 200)
    assert.strictEqual((yield* ada.remove(deleted.path)).status, 204)
    assert.strictEqual((yield* ada.get(deleted.path)).status, 404)
    yield* sql`UPDATE pdf_exports SET expires_at = now() WHERE id = ${expired.id}`
    assert.strictEqual((yield* ada.get(expired.path)).status, 404)
    yield* sql`UPDATE users SET is_admin = true WHERE id = ${eve.id}`
    yield* eventually(eve.post("/v1/admin/jobs/review-cleanup/run"), ({ status }) => status === 202)
    yield* eventually(sql`SELECT id FROM pdf_exports WHERE id = ${expired.id}`, (rows) => rows.length === 0)
  }).pipe(Effect.scoped))

  it.effect("is refused for periods that cannot be", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const error = (more: Record<string, unknown>) => Effect.map(ada.post("/v1/export/pdf", { ...period, ...more }), ({ error, status }) => `${status} ${error}`)
    assert.strictEqual(yield* error({ period_end: "2025-12-31" }), "400 period_end: must not be before period_start")
    assert.strictEqual(yield* error({ period_end: "2029-12-31" }), "400 period_end: must be at most 1098 days after period_start")
    assert.strictEqual(yield* error({ title: " " }), "400 title: must not be empty")
    const future = yield* ada.get("/v1/export/pdf?period_start=2199-01-01")
    assert.deepStrictEqual([future.status, future.error], [400, "period_start: must not be after today"])
    // By its own endpoint only.
    const generic = yield* ada.post("/api/background/tasks", { task_type: "pdf_export", payload: { pdf_id: randomUUID() } })
    assert.strictEqual(generic.status, 400)
  }))

  it.effect("is the same over RPC", () => Effect.gen(function*() {
    const ada = yield* somebody()
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
    const client = yield* Effect.provide(EngLogClient, yield* Layer.build(EngLogClient.layer({ url, auth: Redacted.make(ada.token) })))
    const worker = yield* renderer
    const { id, task_id } = yield* client.RequestPdf({ ...period, title: "R" })
    assert.deepInclude(yield* Effect.flip(client.GetPdf({ id })), { reason: "conflict" })
    yield* worker.complete(yield* worker.take(task_id), JSON.stringify({ pdf, pages: 1 }))
    assert.strictEqual(yield* client.GetPdf({ id }), pdf)
    yield* client.DeletePdf({ id })
    assert.deepInclude(yield* Effect.flip(client.GetPdf({ id: PdfId.make(randomUUID()) })), { reason: "not_found" })
  }).pipe(Effect.scoped))
})
