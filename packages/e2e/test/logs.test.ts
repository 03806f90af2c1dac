/** What an operator reads about a task, and how much of it there is. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { FakeOllama, insight } from "../src/FakeOllama.ts"
import { Installation } from "../src/Installation.ts"
import { register } from "../src/Person.ts"
import { waitUntil } from "../src/WaitUntil.ts"

const Line = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))
const TASKS = 5

describe("the log of a task", () => {
  it.live("is one line of the API and one of the worker, with the fields of seed 000", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const ollama = yield* FakeOllama
      yield* ollama.answer(insight("Steady work on the project.", 0.8))
      const api = yield* installation.startApi()
      const worker = yield* installation.startWorker("worker-1", { LLM_PROVIDER: "ollama", OLLAMA_URL: ollama.url })
      const ada = yield* register(api.url, "ada@example.com")
      const entry = yield* ada.addEntry({})
      const tasks = yield* Effect.replicateEffect(Effect.tap(ada.submit([entry]), ada.result), TASKS)
      const about = (lines: ReadonlyArray<string>) => lines.filter((line) => tasks.some((task) => line.includes(task)))
      yield* waitUntil("both have said what they have to", () => about(api.lines).length >= TASKS && about(worker.lines).length >= TASKS)

      const decode = Effect.forEach((line: string) => Schema.decodeEffect(Line)(line))
      const [ofApi, ofWorker] = [yield* decode(about(api.lines)), yield* decode(about(worker.lines))]
      assert.deepStrictEqual(ofApi.map((line) => line["task_id"]), tasks)
      assert.deepStrictEqual(ofWorker.map((line) => line["task_id"]), tasks)
      for (const line of ofApi) {
        assert.include(line, { level: "INFO", component: "queue", operation: "task_completed", task_kind: "INSIGHT_GENERATION", user_id: ada.user_id, attempt: 1, worker_id: "worker-1" })
      }
      for (const line of ofWorker) {
        assert.include(line, { level: "INFO", component: "worker_service", operation: "ai_generation_completed", worker_id: "worker-1", ai_model: "llama3.2:3b", confidence_score: 0.8 })
      }
      const traces = (lines: typeof ofApi) => lines.map((line) => line["trace_id"])
      assert.deepStrictEqual(traces(ofApi), traces(ofWorker))
      for (const line of [...ofApi, ...ofWorker]) {
        assert.match(String(line["timestamp"]), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
        assert.isNumber(line["duration_ms"])
      }
      const bytes = [...about(api.lines), ...about(worker.lines)].reduce((sum, line) => sum + line.length + 1, 0)
      assert.isBelow(bytes / TASKS, 1_100, "bytes per task")
      process.stderr.write(`log bytes per task: ${Math.round(bytes / TASKS)}\n`)
    }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(Installation.layer(), FakeOllama.layer, FetchHttpClient.layer))))
})
