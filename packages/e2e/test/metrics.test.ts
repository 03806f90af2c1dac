/**
 * The metrics of real processes, as a scraper and a collector see them. Every metric of the registry is moved by something
 * that happens here; a metric that nothing moves has no place in it.
 */
import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { ProcessTable } from "@englog/api/db/embedded/ProcessTable"
import { WorkerId } from "@englog/domain/Ids"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Effect, Layer, Schedule, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { FakeCollector } from "../src/FakeCollector.ts"
import { FakeOllama, held, insight } from "../src/FakeOllama.ts"
import { Installation } from "../src/Installation.ts"
import { type MetricsPage, scrape } from "../src/MetricsPage.ts"
import { ask, register } from "../src/Person.ts"
import { playWorker } from "../src/PlayedWorker.ts"
import { receiver } from "../src/Receiver.ts"

const world = () => Layer.mergeAll(Installation.layer(), FakeOllama.layer, FakeCollector.layer, FetchHttpClient.layer, NodeFileSystem.layer)

/** Pages of the story below, by what had just happened. */
interface Story {
  /** The API and the first worker, with nothing done. */
  readonly apiAtFirst: MetricsPage
  readonly workerAtFirst: MetricsPage
  /** A task waits and no worker is there. */
  readonly queued: MetricsPage
  /** The model has been asked and has not answered. */
  readonly asking: MetricsPage
  readonly asked: MetricsPage
  /** PostgreSQL is frozen; it has been killed and is back. */
  readonly frozen: MetricsPage
  readonly recovered: MetricsPage
  /** Everything has been done. */
  readonly api: MetricsPage
  readonly worker: MetricsPage
  /** A worker whose model is not there, and its API neither. */
  readonly lonely: MetricsPage
}

type Key = keyof typeof Metrics

/** What moved each metric. A metric that is added to the registry is missed here by the compiler. */
const moved: { readonly [key in Key]: (story: Story, name: string) => boolean } = {
  httpRequests: ({ api }, name) =>
    api.total(name, { route: "/v1/logs", method: "POST", status: "201" }) === 2 &&
    api.total(name, { route: "unknown", method: "GET", status: "404" }) === 2,
  httpActive: ({ api }, name) => api.total(name) === 1,
  tasksAccepted: ({ api, apiAtFirst }, name) => apiAtFirst.total(name) === 0 && api.total(name, { kind: "INSIGHT_GENERATION" }) === 3,
  tasksEnded: ({ api }, name) => api.total(name, { kind: "INSIGHT_GENERATION", outcome: "completed" }) === 3,
  tasksRequeued: ({ api }, name) => api.total(name, { cause: "handed-back" }) === 1,
  taskDuration: ({ api }, name) => api.total(name, { kind: "INSIGHT_GENERATION", outcome: "completed" }) === 3,
  queueTasks: ({ api, asking, queued }, name) =>
    // Beside the insight, the task that refreshes its owner's metrics may be there.
    queued.total(name, { queue: "default", state: "due" }) >= 1 && asking.total(name, { state: "running" }) >= 1 && api.total(name) === 0,
  queueOldestDue: ({ api, queued }, name) => queued.total(name, { queue: "default" }) > 0 && api.total(name) === 0,
  workersSuggested: ({ apiAtFirst, queued }, name) => apiAtFirst.total(name) === 0 && queued.total(name, { queue: "default" }) === 1,
  workerSessions: ({ apiAtFirst, asking, queued }, name) =>
    apiAtFirst.total(name, { status: "idle" }) === 1 && queued.total(name) === 0 && asking.total(name, { status: "busy" }) === 1,
  workerCapacity: ({ apiAtFirst, queued }, name) => apiAtFirst.total(name) === 5 && queued.total(name) === 0,
  streamsDeaf: ({ api, apiAtFirst, queued }, name) => apiAtFirst.total(name) === 0 && queued.total(name) === 0 && api.total(name) === 1,
  rpcServed: ({ api }, name) => api.total(name, { method: "GetTaskData", code: "OK" }) >= 2,
  entriesCreated: ({ api, apiAtFirst }, name) => apiAtFirst.total(name) === 0 && api.total(name) === 2,
  usersActive: ({ api, apiAtFirst }, name) => apiAtFirst.total(name) === 0 && api.total(name) === 1,
  insightsStored: ({ api }, name) => api.total(name, { kind: "INSIGHT_GENERATION", source: "model" }) === 1,
  insightConfidence: ({ api }, name) => api.total(name, { source: "model" }) === 1,
  figureSentences: ({ api }, name) => api.total(name, { verdict: "removed" }) === 1 && api.total(name, { verdict: "kept" }) > 0,
  databaseUp: ({ api, apiAtFirst, frozen }, name) => apiAtFirst.total(name) === 1 && frozen.total(name) === 0 && api.total(name) === 1,
  databasePing: ({ api }, name) => api.total(name) > 0,
  databaseConnections: ({ api, frozen }, name) => api.total(name, { state: "active" }) >= 1 && frozen.total(name) === 0,
  databaseErrors: ({ frozen, recovered }) => lostConnections(recovered) > lostConnections(frozen),
  statements: ({ api, apiAtFirst }, name) =>
    api.total(name, { outcome: "ok" }) > 100 && api.total(name, { outcome: "error" }) > apiAtFirst.total(name, { outcome: "error" }),
  connectionWaits: ({ api, apiAtFirst }, name) => api.total(name) > apiAtFirst.total(name),
  workerActive: ({ asked, asking, worker }, name) => asking.total(name) === 0 && asked.total(name) === 1 && worker.total(name) === 0,
  workerTasks: ({ worker }, name) => worker.total(name, { kind: "INSIGHT_GENERATION", outcome: "completed" }) === 3,
  workerTaskDuration: ({ worker }, name) => worker.total(name, { kind: "INSIGHT_GENERATION", outcome: "completed" }) === 3,
  workerConnected: ({ lonely, worker }, name) => worker.total(name) === 1 && lonely.total(name) === 0,
  workerReconnections: ({ lonely, workerAtFirst }, name) => workerAtFirst.total(name) === 0 && lonely.total(name) > 0,
  rpcCalled: ({ worker }, name) => worker.total(name, { method: "GetTaskData", code: "OK" }) >= 3,
  breakerState: ({ worker, workerAtFirst }, name) =>
    workerAtFirst.total(name, { breaker: "llm", state: "closed" }) === 1 && worker.total(name, { breaker: "llm", state: "open" }) === 1,
  generation: ({ worker }, name) => worker.total(name, { source: "model" }) === 1 && worker.total(name, { source: "builtin" }) === 2,
  narratorFallbacks: ({ worker }, name) => worker.total(name, { source: "builtin" }) === 2,
  modelCalls: ({ worker }, name) =>
    worker.total(name, { provider: "ollama", model: "llama3.2:3b", outcome: "ok" }) === 1 && worker.total(name, { outcome: "ServerError" }) >= 5,
  modelTokens: ({ worker }, name) => worker.total(name, { type: "input" }) === 120 && worker.total(name, { type: "output" }) === 40,
  modelLoading: ({ worker }, name) => worker.total(name, { model: "llama3.2:3b" }) === 1,
  modelAvailable: ({ lonely, worker }, name) => worker.total(name, { provider: "ollama" }) === 1 && lonely.families.has(name) && lonely.total(name) === 0,
  webhookDeliveries: ({ api, queued }, name) => queued.total(name) === 0 && api.total(name, { outcome: "delivered" }) === 1,
  webhookAttempts: ({ api }, name) => api.total(name, { outcome: "refused" }) === 1 && api.total(name, { outcome: "accepted" }) === 1,
  webhookEndpoints: ({ api, apiAtFirst }, name) =>
    apiAtFirst.families.has(name) && apiAtFirst.total(name) === 0 && api.total(name, { state: "closed" }) === 1 && api.total(name, { state: "disabled" }) === 1,
  webhookOldest: ({ api, apiAtFirst, queued }, name) => apiAtFirst.total(name) === 0 && queued.total(name) > 0 && api.total(name) === 0,
  buildInfo: ({ api, worker }, name) => api.total(name, { service: "englog-api" }) === 1 && worker.total(name, { service: "englog-worker" }) === 1,
  cpu: ({ api, apiAtFirst }, name) => api.total(name) > apiAtFirst.total(name),
  memory: ({ api, worker }, name) => api.total(name) > 5e7 && worker.total(name) > 5e7,
  startTime: ({ api, worker }, name) => worker.total(name) > api.total(name),
  heap: ({ api }, name) => api.total(name) > 1e7,
  eventLoopDelay: ({ api }, name) => api.total(name, { quantile: "1" }) > 0 && api.total(name, { quantile: "0.5" }) >= 0,
  gc: ({ api, worker }, name) => api.total(name, { kind: "minor" }) > 0 && worker.total(name) > 0
}

const lostConnections = (page: MetricsPage) => page.total(Metrics.databaseErrors.name, { reason: "ConnectionError" })

/** Scrapes until the page is as wanted. */
const scrapeUntil = (url: string, so: (page: MetricsPage) => boolean) =>
  scrape(url).pipe(
    Effect.repeat({ until: so, schedule: Schedule.spaced("200 millis") }),
    Effect.timeout("20 seconds")
  )

const open = { WEB_ALLOW_PRIVATE: "true" }
const nowhere = "http://127.0.0.1:1"

const live = Effect.gen(function*() {
  const collector = yield* FakeCollector
  const ollama = yield* FakeOllama
  const installation = yield* Installation
  const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
  const env = { ...traced, ...open, LLM_PROVIDER: "ollama", OLLAMA_URL: ollama.url }
  const api = yield* installation.startApi({ ...traced, ...open, HEARTBEAT_INTERVAL: "500ms" })
  const apiPage = `${api.url}/metrics`
  const pageOf = (worker: { readonly healthUrl: string }) => worker.healthUrl.replace("/health", "/metrics")
  const first = yield* installation.startWorker("first", env)
  const apiAtFirst = yield* scrapeUntil(apiPage, (page) => page.total(Metrics.workerSessions.name, { status: "idle" }) === 1)
  const workerAtFirst = yield* scrape(pageOf(first))

  const ada = yield* register(api.url, "ada@example.com")
  const entries = [yield* ada.addEntry({}), yield* ada.addEntry({ title: "Review" })]
  for (const path of ["nowhere", "v1/nothing/7"]) yield* ask("GET", `${api.url}/${path}`)
  yield* ollama.answer(held(insight("Never said.")))
  const task = yield* ada.submit(entries)
  yield* ollama.asked(1)
  const asking = yield* scrapeUntil(apiPage, (page) => page.total(Metrics.workerSessions.name, { status: "busy" }) === 1)
  const asked = yield* scrape(pageOf(first))
  yield* first.end("SIGTERM")
  const to = yield* receiver((n) => n === 1 ? "answered" : false)
  const message = { webhook_url: to.url, data: {}, retry_policy: { max_retries: 1, base_delay: 0.01 } }
  const endpoints = [{ url: to.url, events: ["task.cancelled"] }, { url: to.url, enabled: false }].map((body) => ["webhooks", body] as const)
  for (const [path, body] of [...endpoints, ["tasks/webhook-delivery", message] as const]) {
    const { status, text } = yield* ask("POST", `${api.url}/api/background/${path}`, { token: ada.token, body })
    assert.include([201, 202], status, text)
  }
  // Each of them is asked for at its own pace.
  const queued = yield* scrapeUntil(apiPage, (page) =>
    page.total(Metrics.queueOldestDue.name) > 0 && page.total(Metrics.workerSessions.name) === 0 && page.total(Metrics.webhookOldest.name) > 0)

  const deaf = yield* playWorker(api.grpc, WorkerId.make("deaf"), { protocol: 2, kinds: ["NOBODY_ASKS_FOR_THIS"] })
  yield* Effect.forkScoped(Stream.runDrain(deaf.tasks))
  yield* ollama.answer(insight("Steady work on the project. It took 4711 hours."))
  const second = yield* installation.startWorker("second", env)
  yield* ada.result(task)
  yield* ollama.answer({ _tag: "Status", status: 500 })
  const failing = yield* Effect.all([ada.submit(entries, { insight_type: "summary" }), ada.submit(entries, { insight_type: "goals" })])
  yield* Effect.forEach(failing, ada.result, { concurrency: 2 })
  yield* scrapeUntil(apiPage, (page) => page.total(Metrics.webhookDeliveries.name) === 1)

  const postgres = yield* installation.postgres
  yield* Effect.forEach(postgres, (pid) => ProcessTable.signal(pid, "SIGSTOP"))
  const frozen = yield* scrapeUntil(apiPage, (page) => page.total(Metrics.databaseUp.name) === 0)
  yield* Effect.forEach(postgres, (pid) => ProcessTable.signal(pid, "SIGCONT"))
  yield* installation.killPostgres
  const recovered = yield* ask("GET", `${api.url}/v1/auth/me`, { token: ada.token }).pipe(
    Effect.andThen(scrapeUntil(apiPage, (page) => lostConnections(page) > lostConnections(frozen)))
  )

  const alone = yield* installation.startLonelyWorker("lonely", {
    API_SERVER_GRPC_ADDRESS: nowhere.replace("http://", ""),
    LLM_PROVIDER: "ollama",
    OLLAMA_URL: nowhere
  })
  const lonely = yield* scrapeUntil(pageOf(alone), (page) =>
    page.total(Metrics.workerReconnections.name) > 0 && page.families.has(Metrics.modelAvailable.name))
  const worker = yield* scrapeUntil(pageOf(second), (page) => page.total(Metrics.workerConnected.name) === 1)
  const atLast = yield* scrapeUntil(apiPage, (page) =>
    page.total(Metrics.databaseUp.name) === 1 && page.total(Metrics.streamsDeaf.name) === 1 && page.families.has(Metrics.queueTasks.name))
  yield* second.end("SIGTERM")
  yield* api.end("SIGTERM")
  const story: Story = { apiAtFirst, workerAtFirst, queued, asking, asked, frozen, recovered, api: atLast, worker, lonely }
  return { story, exported: collector.metrics, ada }
})

describe("the metrics of an installation", () => {
  it.live("are all of the registry, each moved by what it tells, at /metrics and by OTLP", () =>
    Effect.gen(function*() {
      const { ada, exported, story } = yield* live
      const still = Object.entries(Metrics).filter(([key, { name }]) => !(isKey(key) && moved[key](story, name)))
      assert.deepStrictEqual(still.map(([, { name }]) => name), [], `nothing moved them\n${told(story.api)}\n${told(story.worker)}`)

      const registered = new Map(Object.values(Metrics).map((metric) => [metric.name, metric] as const))
      for (const page of [story.api, story.worker]) {
        for (const { help, name, samples, type } of page.families.values()) {
          const metric = registered.get(name)
          assert.deepStrictEqual([metric?.type, metric?.help], [type, help], name)
          for (const { labels } of samples) {
            assert.includeMembers([...metric?.labels ?? [], "le"], Object.keys(labels), name)
            for (const value of Object.values(labels)) assert.notInclude(value, ada.user_id)
          }
        }
      }
      assert.deepStrictEqual(namesBy("worker").filter((name) => story.api.families.has(name)), [], "the worker's are not the API's")
      assert.deepStrictEqual(namesBy("api").filter((name) => story.worker.families.has(name)), [], "the API's are not the worker's")

      for (const [service, page] of [["englog-api", story.api], ["englog-worker", story.worker]] as const) {
        const metrics = exported.get(service) ?? []
        const exportedNames = metrics.map(({ name }) => name)
        const missing = [...page.families.keys()].filter((name) => !clusterWide.has(name) && !exportedNames.includes(name))
        assert.deepStrictEqual(missing, [], `${service} exported ${exportedNames.length}`)
        for (const { name, points, unit } of metrics) {
          assert.strictEqual(unit, units[registered.get(name)?.unit ?? "count"], name)
          assert.isTrue(points.every(({ attributes }) => !("unit" in attributes)), name)
        }
      }
      const ended = exported.get("englog-api")?.find(({ name }) => name === Metrics.tasksEnded.name)
      const insights = ended?.points.filter(({ attributes }) => attributes["kind"] === "INSIGHT_GENERATION")
      assert.deepStrictEqual(insights, [{ attributes: { kind: "INSIGHT_GENERATION", outcome: "completed" }, value: 3 }])
      assert.strictEqual(ended?.type, "sum")
    }).pipe(Effect.scoped, Effect.provide(world())))
})

const isKey = (key: string): key is Key => key in moved
const namesBy = (by: "api" | "worker") => Object.values(Metrics).filter((metric) => metric.by === by).map(({ name }) => name)
/** Gone from the last export where the database had stopped before it. */
const clusterWide = new Set<string>(Object.values(Metrics).filter(({ of }) => of === "cluster").map(({ name }) => name))
const units = { count: "1", seconds: "s", bytes: "By", ratio: "1" }

const told = (page: MetricsPage) =>
  [...page.families.values()].flatMap(({ samples }) => samples.filter(({ name }) => !name.endsWith("_bucket")))
    .map(({ labels, name, value }) => `${name}${JSON.stringify(labels)} ${value}`).join("\n")

describe("who may read the metrics", () => {
  it.live("is this machine, or whoever has the token where one is set", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      const statusOf = (url: string, headers: Readonly<Record<string, string>> = {}) => Effect.map(ask("GET", url, { headers }), ({ status }) => status)
      assert.strictEqual(yield* statusOf(`${api.url}/metrics`), 200)
      assert.strictEqual(yield* statusOf(`${api.url}/metrics`, { "x-forwarded-for": "203.0.113.9" }), 403)
      assert.strictEqual(yield* statusOf(`${api.url}/metrics`, { forwarded: "for=203.0.113.9" }), 403)
      yield* api.end("SIGTERM")
      const guarded = yield* installation.startApi({ METRICS_TOKEN: "s3cret" })
      const worker = yield* installation.startWorker("guarded", { METRICS_TOKEN: "s3cret" })
      for (const url of [`${guarded.url}/metrics`, worker.healthUrl.replace("/health", "/metrics")]) {
        assert.strictEqual(yield* statusOf(url), 401)
        assert.strictEqual(yield* statusOf(url, { authorization: "Bearer s3cre" }), 401)
        assert.strictEqual(yield* statusOf(url, { authorization: "Bearer s3cret", "x-forwarded-for": "203.0.113.9" }), 200)
      }
    }).pipe(Effect.scoped, Effect.provide(world())))
})
