/**
 * One trace through three processes, two attempts and two model calls, as a collector decodes it; and nothing in it that a
 * person wrote.
 */
import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { Duration, Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { type ExportedSpan, FakeCollector } from "../src/FakeCollector.ts"
import { FakeOllama, held, insight } from "../src/FakeOllama.ts"
import { Installation } from "../src/Installation.ts"
import { waitUntil } from "../src/WaitUntil.ts"
import { ask, password, register } from "../src/Person.ts"

const world = () => Layer.mergeAll(Installation.layer(), FakeOllama.layer, FakeCollector.layer, FetchHttpClient.layer, NodeFileSystem.layer)

const traceId = "0af7651916cd43dd8448eb211c80319c"
const rootId = "b7ad6b7169203331"

/** In every text that a person or a model writes, so that it is found wherever it goes. */
const canary = "canary7f3a"


/** The span and all spans above it, nearest first. */
const lineage = (spans: ReadonlyArray<ExportedSpan>, span: ExportedSpan): ReadonlyArray<ExportedSpan> => {
  const parent = spans.find((one) => one.spanId === span.parentSpanId)
  return parent === undefined ? [span] : [span, ...lineage(spans, parent)]
}

describe.concurrent("the trace of an insight", () => {
  it.live("runs from the client through API, workers, model calls and commit, over a lost worker and a failed model call", () =>
    Effect.gen(function*() {
      const collector = yield* FakeCollector
      const ollama = yield* FakeOllama
      const installation = yield* Installation
      const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
      const env = { ...traced, LLM_PROVIDER: "ollama", OLLAMA_URL: ollama.url }
      yield* ollama.answer(held(insight(canary)))
      const api = yield* installation.startApi(traced)
      const first = yield* installation.startWorker("first", env)
      const ada = yield* register(api.url, `${canary}@example.com`)
      const entry = yield* ada.addEntry({ title: `${canary} title`, description: `${canary} text`, tags: [canary] })
      const task_id = yield* ada.submit([entry], {
        context: { purpose: `${canary} purpose` },
        headers: { traceparent: `00-${traceId}-${rootId}-01` }
      })
      yield* ollama.asked(1)
      const of = (name: string) => collector.trace(traceId).filter((span) => span.name === name)
      yield* waitUntil("the first worker's spans arrive", () => of(getTaskData).some((span) => span.service === "englog-worker"))
      yield* first.end("SIGKILL")
      const second = yield* installation.startWorker("second", env)
      yield* ollama.answer({ _tag: "Status", status: 500 }, insight(`${canary} answer of the model.`))
      yield* ada.result(task_id)
      yield* refusals(api.url, ada.token)
      yield* second.end("SIGTERM")
      yield* api.end("SIGTERM")

      const spans = collector.trace(traceId)
      const server = spans.filter((span) => span.service === "englog-api")
      const worker = spans.filter((span) => span.service === "englog-worker")
      assert.deepStrictEqual([...new Set(spans.map((span) => span.service))].sort(), ["englog-api", "englog-worker"])
      assert.lengthOf([...new Set(spans.map((span) => span.resource[Attribute.serviceInstanceId]))], 3, "three processes")

      const submitted = spans.find((span) => span.parentSpanId === rootId)
      assert.strictEqual(submitted?.name, "POST /v1/tasks/insights")
      assert.deepStrictEqual(of("task.dispatch").map((span) => Number(span.attributes[Attribute.taskAttempt])), [1, 2])
      assert.isTrue(of("task.dispatch").every((span) => span.attributes[Attribute.taskId] === task_id))

      // All that the second worker did hangs below the request: nothing of it is an orphan.
      const instance = worker.find((span) => span.name === "task INSIGHT_GENERATION")?.resource[Attribute.serviceInstanceId]
      const lost = worker.filter((span) => span.resource[Attribute.serviceInstanceId] !== instance)
      const orphans = spans.filter((span) => lineage(spans, span).at(-1) !== submitted)
      const dead = orphans.filter((span) => lineage(spans, span).some((one) => lost.includes(one)))
      assert.deepStrictEqual(orphans.filter((span) => !dead.includes(span)).map((span) => span.name), [])
      // Of the killed worker only the span of the attempt itself, which never ended, is missing.
      assert.lengthOf([...new Set(lost.filter((span) => !spans.some((one) => one.spanId === span.parentSpanId)).map((span) => span.parentSpanId))], 1)

      const calls = of("llm.generate").filter((span) => span.resource[Attribute.serviceInstanceId] === instance)
      assert.deepStrictEqual(calls.map((span) => span.error === undefined ? "answered" : "failed"), ["failed", "answered"])
      assert.strictEqual(calls[1]?.attributes[Attribute.genAiModel], "llama3.2:3b")
      assert.strictEqual(Number(calls[1]?.attributes[Attribute.genAiOutputTokens]), 40)

      const effect = server.find((span) => span.name === "TaskOutcomes.effect")
      if (effect === undefined) return assert.fail("the commit's effect is not in the trace")
      assert.includeMembers(lineage(spans, effect).map((span) => `${span.service} ${span.name}`), [
        "englog-api TaskOutcomes.report",
        "englog-worker task INSIGHT_GENERATION",
        "englog-api task.dispatch",
        "englog-api TaskQueue.submit",
        "englog-api POST /v1/tasks/insights"
      ])
      assert.isTrue(worker.some((span) => span.name === getTaskData) && server.some((span) => span.name === getTaskData))

      const names = new Set<string>(Object.values(Attribute))
      const strangers = collector.spans.flatMap((span) => Object.keys(span.attributes).filter((name) => !names.has(name)).map((name) => `${span.name}: ${name}`))
      assert.deepStrictEqual([...new Set(strangers)], [], "attributes outside the registry")
      assert.strictEqual(submitted?.attributes[Attribute.httpRoute], "/v1/tasks/insights")

      const told = [...api.lines, ...first.lines, ...second.lines].filter((line) => [canary, password, ada.token].some((text) => line.includes(text)))
      assert.deepStrictEqual(told, [], "logs say as little")
      const leaks = collector.spans.filter((span) => [canary, password, ada.token, "@example"].some((text) => span.raw.includes(text)))
      assert.deepStrictEqual(leaks.map((span) => `${span.name}: ${span.raw}`), [])
      assert.isAbove(collector.spans.length, spans.length, "other traces were looked at, too")
      assert.deepStrictEqual(collector.spans.filter((span) => /heartbeat|WorkerSessionRepo.beat/i.test(span.name)), [], "no noise")
    }).pipe(Effect.scoped, Effect.provide(world())))
})

describe.concurrent("a collector that is not there", () => {
  it.live("costs each process one line in its log for traces and one for metrics: tasks complete, and a stop takes no longer", () =>
    Effect.gen(function*() {
      const collector = yield* FakeCollector
      yield* collector.leave
      const installation = yield* Installation
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
      const api = yield* installation.startApi(env)
      const worker = yield* installation.startWorker("worker", env)
      const ada = yield* register(api.url, "ada@example.com")
      yield* ada.result(yield* ada.submit([yield* ada.addEntry({})]))
      yield* Effect.all([api.said(/traces are lost/), worker.said(/traces are lost/)], { concurrency: 2 })
      yield* ada.result(yield* ada.submit([yield* ada.addEntry({})]))
      assert.strictEqual(yield* Effect.timeout(worker.end("SIGTERM"), "10 seconds"), 0)
      assert.strictEqual(yield* Effect.timeout(api.end("SIGTERM"), "10 seconds"), 0)
      for (const { lines } of [api, worker]) {
        const told = lines.filter((line) => line.includes("\"component\":\"telemetry\""))
        assert.deepStrictEqual(told.map((line) => /(\w+) are lost/.exec(line)?.[1]).sort(), ["metrics", "traces"], lines.join("\n"))
      }
    }).pipe(Effect.scoped, Effect.provide(world())))
})

describe.concurrent("a trace that is not sampled", () => {
  it.live("is sent by no process, whatever the others' samplers say; one whose caller wants it is, by all of them", () =>
    Effect.gen(function*() {
      const collector = yield* FakeCollector
      const installation = yield* Installation
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
      const api = yield* installation.startApi({ ...env, OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" })
      const worker = yield* installation.startWorker("worker", env)
      const ada = yield* register(api.url, "ada@example.com")
      const entry = yield* ada.addEntry({})
      const unsampled = yield* ada.submit([entry])
      yield* ada.result(unsampled)
      const wanted = yield* ada.submit([entry], { headers: { traceparent: `00-${traceId}-${rootId}-01` } })
      yield* ada.result(wanted)
      yield* worker.end("SIGTERM")
      yield* api.end("SIGTERM")
      // What the server starts by itself meanwhile belongs to no caller's trace.
      const ofTasks = collector.spans.filter(({ attributes }) => [unsampled, wanted].some((task_id) => attributes[Attribute.taskId] === task_id))
      assert.deepStrictEqual([...new Set(ofTasks.map((span) => span.traceId))], [traceId])
      assert.deepStrictEqual([...new Set(ofTasks.map((span) => span.service))].sort(), ["englog-api", "englog-worker"])
    }).pipe(Effect.scoped, Effect.provide(world())))
})

describe.concurrent("a collector that accepts everything and answers nothing", () => {
  it.live("costs no request anything, delays no stop beyond its limit, and is sent no more than one batch of each at a time", () =>
    Effect.gen(function*() {
      const collector = yield* FakeCollector
      yield* collector.hang
      const installation = yield* Installation
      const api = yield* installation.startApi({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
      const ada = yield* register(api.url, "ada@example.com")
      const entry = yield* ada.addEntry({})
      // Far more spans than the exporter keeps: 2,048.
      yield* Effect.replicateEffect(Effect.timeout(ada.submit([entry]), "5 seconds"), 300, { concurrency: 10 })
      yield* Effect.all([api.said(/traces are lost/), api.said(/metrics are lost.*no answer within/)])
      yield* ada.submit([entry])
      assert.isAtMost(collector.hanging(), 12, "requests that were never answered")
      const [took, code] = yield* Effect.timed(api.end("SIGTERM"))
      assert.strictEqual(code, 0)
      assert.isBelow(Duration.toMillis(took), 8_000)
      const told = api.lines.filter((line) => /are lost/.test(line))
      assert.isAtMost(told.length, 2, told.join("\n"))
    }).pipe(Effect.scoped, Effect.provide(world())))
})

const getTaskData = "englog.v1.APIWorkerService/GetTaskData"

/** Requests that fail in many ways, each quoting the canary, so that errors are among what is looked at. */
const refusals = Effect.fnUntraced(function*(url: string, token: string) {
  const statuses = [
    yield* ask("POST", `${url}/v1/auth/login`, { body: { email: `${canary}@example.com`, password: canary } }),
    yield* ask("POST", `${url}/v1/auth/register`, { body: { email: `${canary}@example.com`, password, first_name: canary, last_name: canary } }),
    yield* ask("POST", `${url}/v1/logs`, { token, body: { title: canary, type: canary } }),
    yield* ask("POST", `${url}/v1/logs`, { token, body: { title: { [canary]: canary } } }),
    yield* ask("GET", `${url}/v1/tasks/insight_nobody_0`, { token }),
    yield* ask("GET", `${url}/v1/logs?type=${canary}`, { token }),
    yield* ask("GET", `${url}/v1/insights?type=${canary}`, { token }),
    yield* ask("GET", `${url}/v1/auth/me`, { token: canary })
  ].map(({ status }) => status)
  assert.deepStrictEqual(statuses, [401, 409, 400, 400, 404, 400, 200, 401])
})
