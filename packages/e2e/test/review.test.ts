/** A performance review from the request to the file, with the real API and the real worker as processes. */
import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { TaskId } from "@englog/domain/Ids"
import { Effect, Layer, Schema } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { extractText, getDocumentProxy } from "unpdf"
import { Installation } from "../src/Installation.ts"
import { ask, register } from "../src/Person.ts"

const world = Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeFileSystem.layer)

const Accepted = Schema.fromJsonString(Schema.Struct({ id: Schema.String, task_id: TaskId }))

describe("a performance review", () => {
  it.live("is made by a worker of what its owner recorded and was told, and quotes the insight with its entries", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      yield* installation.startWorker("worker")
      const ada = yield* register(api.url, "review@example.com")
      const entry = yield* ada.addEntry({ title: "Løs innlogging – ログイン修正", description: "Cut p95 latency by 90 %." })
      yield* ada.addEntry({ title: "Plan the quarter", type: "meeting", start_time: "2026-01-06T09:00:00Z", end_time: "2026-01-06T09:45:00Z" })
      const { narration } = yield* ada.result(yield* ada.submit([entry], { insight_type: "productivity" }))
      const period = { period_start: "2026-01-01", period_end: "2026-01-31" }
      const answer = yield* ask("POST", `${api.url}/v1/export/pdf`, { token: ada.token, body: { ...period, title: "Half-year review", insight_id: narration.insight_id } })
      assert.strictEqual(answer.status, 202, answer.text)
      const { id, task_id } = yield* Schema.decodeEffect(Accepted)(answer.text)
      const view = yield* ada.taskThat(task_id, ({ completed_at }) => completed_at !== null)
      assert.strictEqual(view.state, "completed", JSON.stringify(view))
      const response = yield* HttpClient.execute(HttpClientRequest.bearerToken(HttpClientRequest.get(`${api.url}/v1/export/pdf/${id}`), ada.token))
      assert.strictEqual(response.headers["content-type"], "application/pdf")
      const bytes = new Uint8Array(yield* response.arrayBuffer)
      const document = yield* Effect.promise(() => getDocumentProxy(bytes))
      const { text } = yield* Effect.promise(() => extractText(document, { mergePages: true }))
      const words = text.replace(/\s+/g, " ")
      for (const expected of ["Half-year review", "Ada Lovelace", "2 h 15 min", "66.7 %", "Løs innlogging – ログイン修正", "Plan the quarter", "Cut p95 latency by 90 %.", "Cited entries"]) {
        assert.include(words, expected)
      }
      const sentence = narration.content.split("\n\n").find((paragraph) => /^[A-Z][^*\n]+\.$/.test(paragraph)) ?? "no plain paragraph"
      assert.include(words, sentence.replace(/\s+/g, " "))
    }).pipe(Effect.scoped, Effect.provide(world)), 120_000)
})
