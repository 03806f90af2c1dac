import { assert, describe, it } from "@effect/vitest"
import { InsightDraft } from "@englog/domain/insights/Insight"
import { WORKER_VERSION } from "@englog/worker/WorkerVersion"
import { Clock, Deferred, Effect, Exit, Schedule, Schema, Scope } from "effect"
import * as FakeApi from "./support/FakeApi.ts"
import * as FakeModelServer from "./support/FakeModelServer.ts"
import { input, json, payload } from "./support/narration.ts"
import * as WorkerProcess from "./support/WorkerProcess.ts"

const { eventually } = FakeApi

const api = Effect.gen(function*() {
  const data = yield* json(input())
  return yield* FakeApi.make({ data: () => Effect.succeed(data) })
})

const insightTask = (id: string) => FakeApi.task(id, { kind: "INSIGHT_GENERATION", payload })

const exited = (worker: WorkerProcess.WorkerProcess) =>
  eventually(`exit; it said ${worker.text()}`, () => worker.state.code !== undefined).pipe(Effect.map(() => worker.state.code))

describe("the worker process", () => {
  it.live("writes an insight with the built-in narrator, and tells its health and little memory", () =>
    Effect.gen(function*() {
      const server = yield* api
      const worker = yield* WorkerProcess.start({ API_SERVER_GRPC_ADDRESS: server.address, WORKER_ID: "w-1" })
      yield* eventually("registered", () => server.heartbeats.length > 0)
      assert.includeMembers([...server.registrations[0]?.kinds ?? []], ["INSIGHT_GENERATION", "WEEKLY_REPORT"])
      assert.isBelow(WorkerProcess.residentMemory(worker), 150)
      yield* server.send(insightTask("a"))
      yield* eventually("a report", () => server.reports.length === 1)
      const outcome = server.reports[0]?.outcome
      const draft = yield* Schema.decodeEffect(Schema.fromJsonString(InsightDraft))(outcome?._tag === "Completed" ? outcome.result : "")
      assert.strictEqual(draft.source, "builtin")
      assert.deepStrictEqual(
        [server.progress[0], server.progress.at(-1)].map((report) => [report?.progress, report?.message]),
        [[25, "Starting AI insight generation"], [100, "Insight generation completed"]]
      )
      yield* eventually("health announced", () => WorkerProcess.healthUrl(worker) !== undefined)
      // The report's answer is still on its way when the server has recorded it.
      const health = yield* Effect.suspend(() => WorkerProcess.health(WorkerProcess.healthUrl(worker) ?? "")).pipe(
        Effect.repeat({ until: ({ tasks }) => tasks.completed === 1 && tasks.active === 0, times: 200, schedule: Schedule.spaced("10 millis") })
      )
      assert.deepInclude(health, { code: 200, status: "healthy", worker_id: "w-1", version: WORKER_VERSION })
      assert.deepInclude(health.tasks, { active: 0, completed: 1, failed: 0 })
      assert.strictEqual(health.connection.api_server, server.address)
      assert.strictEqual(health.model.provider, "builtin")
    }), 30_000)

  it.live("drains on SIGTERM: gives back what a hanging model keeps, leaves, and ends within 10 s with code 0", () =>
    Effect.gen(function*() {
      const server = yield* api
      const model = yield* FakeModelServer.make(["hang"])
      const worker = yield* WorkerProcess.start({ API_SERVER_GRPC_ADDRESS: server.address, OLLAMA_URL: model.url })
      yield* eventually("streaming", () => server.streams.open === 1)
      yield* server.send(insightTask("stuck"))
      yield* eventually("the model is asked", () => model.chats.length === 1)
      const before = yield* Clock.currentTimeMillis
      worker.child.kill("SIGTERM")
      yield* eventually("draining announced", () => server.heartbeats.at(-1)?.status === "draining")
      yield* server.send(insightTask("late"))
      const code = yield* exited(worker)
      assert.isBelow((yield* Clock.currentTimeMillis) - before, 10_000)
      assert.strictEqual(code, 0)
      assert.strictEqual(server.departures.length, 1)
      assert.strictEqual(server.reports.length, 0)
      assert.strictEqual(model.chats.length, 1)
      assert.strictEqual(model.seen.aborted, 1)
    }), 30_000)

  it.live("stops without a warning when nothing is left to do, and does not try to reconnect", () =>
    Effect.gen(function*() {
      const noticed = yield* Deferred.make<void>()
      // The answer to LeaveSession comes after the worker has seen its stream end.
      const server = yield* FakeApi.make({ leave: Deferred.await(noticed) })
      const worker = yield* WorkerProcess.start({ API_SERVER_GRPC_ADDRESS: server.address, LOG_LEVEL: "debug" })
      yield* eventually("streaming", () => server.streams.open === 1 && server.heartbeats.length > 0)
      worker.child.kill("SIGTERM")
      yield* eventually("it saw its stream end", () => worker.text().includes("the connection ended while leaving"))
      yield* Deferred.succeed(noticed, undefined)
      assert.strictEqual(yield* exited(worker), 0)
      assert.include(worker.text(), "\"drained\"")
      assert.notMatch(worker.text(), /"level":"(WARN|ERROR|FATAL)"|Reconnecting/)
      assert.strictEqual(server.registrations.length, 1)
    }), 30_000)

  it.live("is unhealthy without an API server, takes the next free health port, and is up when the server is", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { port } = yield* FakeApi.make().pipe(Scope.provide(scope))
      yield* Scope.close(scope, Exit.void)
      const workers = yield* Effect.forEach([1, 2], () => WorkerProcess.start({ API_SERVER_GRPC_ADDRESS: `127.0.0.1:${port}` }))
      yield* eventually("both announce their health", () => workers.every((worker) => WorkerProcess.healthUrl(worker) !== undefined))
      const [one, two] = workers.map((worker) => WorkerProcess.healthUrl(worker) ?? "")
      assert.notStrictEqual(one, two)
      yield* eventually("a failed try", () => workers.every((worker) => worker.text().includes("no gRPC server answers")))
      const health = yield* WorkerProcess.health(one ?? "")
      assert.deepInclude(health, { code: 503, status: "unhealthy" })
      assert.include(health.connection.problem ?? "", "no gRPC server answers")
      const server = yield* FakeApi.make({}, port)
      yield* eventually("both registered", () => server.registrations.length === 2)
      assert.notStrictEqual(server.registrations[0]?.worker_id, server.registrations[1]?.worker_id)
    }), 40_000)

  const wrong: ReadonlyArray<readonly [string, string, string]> = [
    ["WORKER_MAX_CONCURRENT", "many", "a whole number from 1 to 1000"],
    ["WORKER_HEALTH_PORT", "99999", "a port"],
    ["API_SERVER_GRPC_ADDRESS", "api", "host:port"],
    ["LLM_PROVIDER", "gpt", "auto, ollama, openai or builtin"],
    ["OLLAMA_URL", "localhost", "URL"],
    ["TLS_CA_FILE", "/nowhere/ca.pem", "cannot read"]
  ]
  for (const [variable, value, rule] of wrong) {
    it.live(`does not start with a wrong ${variable}, and says so in one sentence`, () =>
      Effect.gen(function*() {
        const worker = yield* WorkerProcess.start({ [variable]: value })
        assert.strictEqual(yield* exited(worker), 1)
        const lines = worker.text().split("\n").filter((line) => line.trim() !== "")
        const sentence = lines.at(-1) ?? ""
        assert.include(sentence, variable)
        assert.include(sentence, rule)
        assert.notInclude(worker.text(), "    at ")
      }), 20_000)
  }
})
