/** Imports the whole way: a request, a task, a real worker that reads, the inbox, decisions, entries. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Predicate, Schedule } from "effect"
import { FetchHttpClient, type HttpMethod } from "effect/http"
import * as fs from "node:fs"
import * as path from "node:path"
import { Installation } from "../src/Installation.ts"
import { ask, register } from "../src/Person.ts"

const fixture = (name: string) => fs.readFileSync(path.join(import.meta.dirname, "../../worker/test/import/fixtures", name), "utf8")

const at = (value: unknown, ...way: ReadonlyArray<string | number>): unknown =>
  way.reduce<unknown>((found, key) => Predicate.hasProperty(found, key) ? found[key] : undefined, value)

const list = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

layer(Layer.mergeAll(Installation.layer({ WEB_ALLOW_PRIVATE: "true" }), FetchHttpClient.layer), { excludeTestServices: true, timeout: "120 seconds" })("an import", (it) => {
  it.effect("goes the whole way from a calendar to entries, and adds nothing the second time", () => Effect.gen(function*() {
    const installation = yield* Installation
    const api = yield* installation.startApi()
    yield* installation.startWorker("importer")
    const person = yield* register(api.url, "imports@example.com")
    const call = Effect.fnUntraced(function*(method: HttpMethod.HttpMethod, way: string, body?: unknown) {
      const answer = yield* ask(method, `${api.url}${way}`, { token: person.token, ...body === undefined ? {} : { body } })
      const parsed: unknown = JSON.parse(answer.text)
      return { status: answer.status, body: parsed }
    })
    const imported = Effect.fnUntraced(function*(body: unknown) {
      const accepted = yield* call("POST", "/v1/import/calendar", body)
      assert.strictEqual(accepted.status, 202, JSON.stringify(accepted.body))
      const read = call("GET", `/v1/imports/${String(at(accepted.body, "import_id"))}`)
      return yield* read.pipe(
        Effect.repeat({ until: ({ body }) => ["completed", "failed"].includes(String(at(body, "state"))), schedule: Schedule.spaced("100 millis") }),
        Effect.map(({ body }) => body)
      )
    })
    const request = { ics: fixture("google.ics"), from: "2026-03-01", to: "2026-03-31", timezone: "Europe/Berlin" }
    const first = yield* imported(request)
    assert.deepInclude(first, { state: "completed", outcome: "completed", created: 6, problem_count: 0 })
    const second = yield* imported(request)
    assert.deepInclude(second, { state: "completed", created: 0, updated: 0, corrections: 0, unchanged: 6 })

    const inbox = yield* call("GET", "/v1/inbox?from=2026-03-01&to=2026-03-31")
    const proposals = list(at(inbox.body, "items")).flatMap((day) => list(at(day, "proposals")))
    assert.lengthOf(proposals, 6)
    const timed = proposals.filter((proposal) => at(proposal, "needs_times") === false)
    const decided = yield* call("POST", "/v1/inbox/decisions", { decisions: timed.map((proposal) => ({ id: at(proposal, "id"), action: "accept" })), atomic: true })
    assert.deepInclude(decided.body, { succeeded: timed.length, failed: 0 })
    const logs = yield* call("GET", "/v1/logs?start_date=2026-03-01&end_date=2026-03-31")
    const said = (item: unknown) => ["title", "description", "start_time", "end_time", "type", "source", "source_id"].map((field) => at(item, field))
    assert.sameDeepMembers([...list(at(logs.body, "items")).map(said)], timed.map(said))
    assert.deepInclude(yield* imported(request), { created: 0, corrections: 0, unchanged: 6 })
    assert.strictEqual(list(at((yield* call("GET", "/v1/logs?start_date=2026-03-01&end_date=2026-03-31")).body, "items")).length, timed.length)
  }))
})
