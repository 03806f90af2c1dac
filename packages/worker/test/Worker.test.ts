import { assert, describe, it } from "@effect/vitest"
import { InsightDraft } from "@englog/domain/insights/Insight"
import { GrpcError } from "@englog/rpc/grpc/GrpcError"
import { AppConfig } from "@englog/worker/AppConfig"
import * as Worker from "@englog/worker/Worker"
import { DrainLimit } from "@englog/worker/WorkerSupervisor"
import { ConfigProvider, Duration, Effect, Layer, Option, Redacted, Schedule, Schema, Tracer } from "effect"
import * as FakeApi from "./support/FakeApi.ts"
import * as FakeModelServer from "./support/FakeModelServer.ts"
import { input, json, payload } from "./support/narration.ts"
import * as WorkerProcess from "./support/WorkerProcess.ts"

const configured = (env: Record<string, string>) => AppConfig.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(env))))

const start = (env: Record<string, string>) =>
  Layer.build(
    Worker.layer(Worker.builtIn).pipe(
      Layer.provide(Layer.succeed(DrainLimit, Duration.millis(100))),
      Layer.provide(configured(env))
    )
  )

/** Free a moment ago; good enough for one test. */
const freePort = Effect.scoped(Effect.map(FakeApi.make(), ({ port }) => port))

const config = (env: Record<string, string>) => Effect.flatMap(Layer.build(configured(env)), (context) => Effect.provide(AppConfig, context))

describe("the worker's configuration", () => {
  it.effect("has the defaults of the seeds", () =>
    Effect.gen(function*() {
      const given = yield* config({ WORKER_NAME: "", OLLAMA_URL: "" })
      assert.deepStrictEqual(given.apiAddresses, ["127.0.0.1:50051"])
      assert.match(given.workerId, /-\d+-[0-9a-f]{6}$/)
      assert.strictEqual(given.workerName, "EngLog Worker")
      assert.strictEqual(given.maxConcurrent, 5)
      assert.deepStrictEqual(given.queues, ["default"])
      assert.isTrue(Option.isNone(given.healthPort) && Option.isNone(given.llm.ollamaUrl))
      assert.strictEqual(given.llm.ollamaModel, "llama3.2:3b")
    }))

  it.effect("reads what is set, and keeps secrets out of what is printed", () =>
    Effect.gen(function*() {
      const given = yield* config({
        API_SERVER_GRPC_ADDRESS: "api-1:50051, [::1]:50052",
        WORKER_QUEUES: "fast, slow",
        WORKER_ENROLLMENT_TOKEN: "enrol-me",
        OPENAI_API_KEY: "sk-secret",
        OLLAMA_URL: "http://ollama:11434/"
      })
      assert.deepStrictEqual(given.apiAddresses, ["api-1:50051", "[::1]:50052"])
      assert.deepStrictEqual(given.queues, ["fast", "slow"])
      assert.deepStrictEqual(given.llm.ollamaUrl, Option.some("http://ollama:11434"))
      assert.strictEqual(Option.getOrThrow(Option.map(given.enrollmentToken, Redacted.value)), "enrol-me")
      assert.notMatch(JSON.stringify(given), /enrol-me|sk-secret/)
    }))

  it.effect("refuses OpenAI without a key, unless the endpoint is another", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(config({ LLM_PROVIDER: "openai" }))
      assert.include(error.message, "OPENAI_API_KEY")
      const local = yield* config({ LLM_PROVIDER: "openai", OPENAI_BASE_URL: "http://localhost:8000/v1" })
      assert.isTrue(Option.isNone(local.llm.openaiApiKey))
    }))
})

describe("a whole worker", () => {
  const draftOf = (server: FakeApi.FakeApi, nth: number) => {
    const outcome = server.reports[nth]?.outcome
    return Schema.decodeEffect(Schema.fromJsonString(InsightDraft))(outcome?._tag === "Completed" ? outcome.result : "")
  }

  it.live("narrates insights and reports by the model it finds", () =>
    Effect.gen(function*() {
      const data = yield* json(input())
      let asked = 0
      const server = yield* FakeApi.make({
        // A passing failure of the API costs the task nothing.
        data: () =>
          Effect.suspend(() =>
            ++asked === 1 ? Effect.fail(new GrpcError({ code: "UNAVAILABLE", message: "later" })) : Effect.succeed(data)
          )
      })
      const model = yield* FakeModelServer.make([FakeModelServer.good])
      yield* start({ API_SERVER_GRPC_ADDRESS: server.address, OLLAMA_URL: model.url })
      yield* server.send(FakeApi.task("a", { kind: "INSIGHT_GENERATION", payload }))
      yield* FakeApi.eventually("the insight", () => server.reports.length === 1)
      assert.strictEqual((yield* draftOf(server, 0)).source, "model")
      const period = { user_id: "dd72f29f-a51b-4a2d-add8-496537c8e078", start_date: "2025-07-01", end_date: "2025-07-31", report_type: "weekly" }
      yield* server.send(FakeApi.task("b", { kind: "WEEKLY_REPORT", payload: JSON.stringify(period) }))
      yield* FakeApi.eventually("the report", () => server.reports.length === 2)
      assert.strictEqual((yield* draftOf(server, 1)).content, "You wrote tests.")
    }))

  it.live("fails a task whose data it may not have, or does not understand", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.make({
        data: ({ attempt }) =>
          attempt === 1 ? Effect.fail(new GrpcError({ code: "FAILED_PRECONDITION", message: "not held" })) : Effect.succeed("{\"newer\":true}")
      })
      yield* start({ API_SERVER_GRPC_ADDRESS: server.address })
      yield* server.send(FakeApi.task("a", { kind: "INSIGHT_GENERATION", payload, attempt: 1 }))
      yield* server.send(FakeApi.task("b", { kind: "INSIGHT_GENERATION", payload, attempt: 2 }))
      yield* FakeApi.eventually("both reported", () => server.reports.length === 2)
      const errors = new Map(server.reports.map(({ attempt, outcome }) => [attempt, outcome._tag === "Failed" ? outcome.error : ""]))
      assert.include(errors.get(1) ?? "", "not held")
      assert.include(errors.get(2) ?? "", "update the worker")
    }))

  it.live("says by /health what it is connected to and which model it asks", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.make()
      const port = yield* freePort
      yield* start({ API_SERVER_GRPC_ADDRESS: server.address, OLLAMA_URL: "http://127.0.0.1:1", WORKER_HEALTH_PORT: String(port) })
      yield* FakeApi.eventually("streaming", () => server.streams.open === 1)
      const health = yield* WorkerProcess.health(`http://127.0.0.1:${port}/health`)
      assert.deepInclude(health, { code: 200, status: "degraded" })
      assert.deepInclude(health.model, { provider: "builtin", available: false, circuit_breaker: "closed" })
      const taken = yield* Effect.flip(start({ API_SERVER_GRPC_ADDRESS: server.address, WORKER_HEALTH_PORT: String(port) }))
      assert.include(taken.message, `WORKER_HEALTH_PORT ${port}`)
    }))

  it.live("answers probes at once while its model hangs, and asks the model once, however many probes come", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.make()
      const model = yield* FakeModelServer.make([])
      model.hung.checks = true
      const port = yield* freePort
      yield* start({ API_SERVER_GRPC_ADDRESS: server.address, OLLAMA_URL: model.url, WORKER_HEALTH_PORT: String(port) })
      yield* FakeApi.eventually("streaming", () => server.streams.open === 1)
      const probe = Effect.timeout(WorkerProcess.health(`http://127.0.0.1:${port}/health`), "1 second")
      const first = yield* probe
      assert.deepInclude(first, { code: 200, status: "healthy" })
      assert.deepInclude(first.model, { provider: "unknown", available: null })
      const last = yield* probe.pipe(
        Effect.repeat({ until: ({ model }) => model.available !== null, schedule: Schedule.spaced("50 millis"), times: 100 })
      )
      assert.deepInclude(last, { code: 200, status: "degraded" })
      assert.deepInclude(last.model, { provider: "builtin", available: false, problem: "ollama does not answer" })
      assert.strictEqual(model.seen.checks, 1)
    }), 20_000)

  it.live("leaves no trace of a probe", () =>
    Effect.gen(function*() {
      const spans: Array<string> = []
      const collecting = Tracer.make({
        span: (options) => {
          spans.push(options.name)
          return new Tracer.NativeSpan(options)
        }
      })
      const data = yield* json(input())
      const server = yield* FakeApi.make({ data: () => Effect.succeed(data) })
      const port = yield* freePort
      yield* start({ API_SERVER_GRPC_ADDRESS: server.address, WORKER_HEALTH_PORT: String(port) }).pipe(Effect.withTracer(collecting))
      yield* FakeApi.eventually("streaming", () => server.streams.open === 1)
      const before = [...spans]
      yield* WorkerProcess.health(`http://127.0.0.1:${port}/health`)
      assert.deepStrictEqual(spans, before)
      yield* server.send(FakeApi.task("a", { kind: "INSIGHT_GENERATION", payload }))
      yield* FakeApi.eventually("the insight", () => server.reports.length === 1)
      assert.include(spans, "task INSIGHT_GENERATION")
    }))
})
