/** An API without workers, a worker without an API, and a worker whose language model misbehaves. */
import { assert, layer } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Context, Effect, Layer, Schedule } from "effect"
import { FetchHttpClient } from "effect/http"
import { FakeOllama } from "../src/FakeOllama.ts"
import { Installation } from "../src/Installation.ts"
import { ask, register } from "../src/Person.ts"

const atWork = Effect.gen(function*() {
  const installation = yield* Installation
  const { url } = yield* installation.startApi()
  const ada = yield* register(url, "ada@example.com")
  return { ada, url, entry: yield* ada.addEntry({}) }
})

class AtWork extends Context.Service<AtWork, Effect.Success<typeof atWork>>()("@englog/e2e/test/AtWork") {
  static readonly layer = Layer.effect(AtWork, atWork)
}

const world = AtWork.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(Installation.layer(), FakeOllama.layer, FetchHttpClient.layer, NodeFileSystem.layer))
)

/** Looks at a /health until it tells what is expected. */
const tells = (url: string, expected: RegExp) =>
  ask("GET", url).pipe(
    Effect.repeat({ until: ({ text }) => expected.test(text), schedule: Schedule.spaced("50 millis") }),
    Effect.timeout("20 seconds")
  )

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("an API", (it) => {
  it.effect("without workers accepts and says that the work waits; a worker without it says so, and does the work when it is back", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const { ada, entry, url } = yield* AtWork
      const tasks = [yield* ada.submit([entry]), yield* ada.submit([entry])]
      yield* tells(`${url}/health`, /"workers":\{"status":"degraded","detail":"0 of 0 workers take tasks; 2 wait, 0 run"/)
      assert.strictEqual((yield* ask("GET", `${url}/ready`)).status, 200)

      // An address at which an API was, and will be.
      const former = yield* installation.startAnotherApi()
      yield* former.end("SIGTERM")
      const worker = yield* installation.startLonelyWorker("early", {
        API_SERVER_GRPC_ADDRESS: former.grpc
      })
      const lonely = yield* tells(worker.healthUrl, /"failed_tries":[1-9]/)
      assert.strictEqual(lonely.status, 503)
      assert.match(lonely.text, /"status":"unhealthy".*"problem":"[^"]+"/)
      assert.strictEqual((yield* ada.task(tasks[0] ?? assert.fail())).state, "pending")

      yield* installation.startAnotherApi({ GRPC_PORT: former.grpc.split(":").at(-1) ?? "" })
      yield* tells(worker.healthUrl, /"status":"healthy"/)
      for (const task_id of tasks) assert.strictEqual((yield* ada.result(task_id)).view.worker_id, "early")
      yield* tells(`${url}/health`, /"workers":\{"status":"up"/)
    }))

  it.effect("keeps answering while its worker's language model talks without end, hangs up, stops in mid-sentence or breaks; /health and log say so", () =>
    Effect.gen(function*() {
      const ollama = yield* FakeOllama
      const { ada, entry } = yield* AtWork
      const worker = yield* (yield* Installation).startWorker("worker", { LLM_PROVIDER: "ollama", OLLAMA_URL: ollama.url })
      yield* ollama.answer({ _tag: "Endless" }, { _tag: "Reset" }, { _tag: "Truncated" }, { _tag: "Status", status: 500 })
      const { narration } = yield* ada.result(yield* ada.submit([entry], { insight_type: "misbehaving" }))
      assert.strictEqual(narration.source, "builtin")
      assert.match(narration.fallback_reason ?? "", /Ollama answered with status 500/)
      const said = worker.lines.filter((line) => line.includes("model call failed"))
      assert.match(said.join("\n"), /had no end[^]*(not reachable|not JSON)[^]*status 500/)

      yield* ollama.leave
      const gone = yield* ada.result(yield* ada.submit([entry], { insight_type: "gone" }))
      assert.strictEqual(gone.narration.source, "builtin")
      yield* tells(worker.healthUrl, /"status":"degraded".*"circuit_breaker":"open"/)
    }))
})
