/**
 * The metrics of real processes, as a scraper and a collector see them. Every metric of the registry is moved by something
 * that happens here; a metric that nothing moves has no place in it.
 */
import { assert, describe, it } from "@effect/vitest"
import { ProcessTable } from "@englog/api/db/embedded/ProcessTable"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Effect, Layer, Schedule } from "effect"
import { FetchHttpClient } from "effect/http"
import { FakeCollector } from "../src/FakeCollector.ts"
import { FakeOllama, held, insight } from "../src/FakeOllama.ts"
import { Installation } from "../src/Installation.ts"
import { type MetricsPage, scrape } from "../src/MetricsPage.ts"
import { ask, register } from "../src/Person.ts"
import { waitUntil } from "../src/WaitUntil.ts"

const world = Layer.mergeAll(Installation.layer(), FakeOllama.layer, FakeCollector.layer, FetchHttpClient.layer)

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
  tasksAccepted: ({ api, apiAtFirst }, name) => apiAtFirst.total(name) === 0 && api.total(name, { kind: "INSIGHT_GENERATION" }) === 2,
  tasksEnded: ({ api }, name) => api.total(name, { kind: "INSIGHT_GENERATION", outcome: "completed" }) === 2,
  tasksRequeued: ({ api }, name) => api.total(name, { cause: "handed-back" }) === 1,
  taskDuration: ({ api }, name) => api.total(name, { outcome: "completed" }) === 2,
  queueTasks: ({ api, asking, queued }, name) =>
    queued.total(name, { queue: "default", state: "due" }) === 1 && asking.total(name, { state: "running" }) === 1 && api.total(name) === 0,
  queueOldestDue: ({ api, queued }, name) => queued.total(name, { queue: "default" }) > 0 && api.total(name) === 0,
  workerSessions: ({ apiAtFirst, asking, queued }, name) =>
    apiAtFirst.total(name, { status: "idle" }) === 1 && queued.total(name) === 0 && asking.total(name, { status: "busy" }) === 1,
  workerCapacity: ({ apiAtFirst, queued }, name) => apiAtFirst.total(name) === 5 && queued.total(name) === 0,
  rpcServed: ({ api }, name) => api.total(name, { method: "ReportTaskResult", code: "OK" }) >= 2,
  entriesCreated: ({ api, apiAtFirst }, name) => apiAtFirst.total(name) === 0 && api.total(name) === 2,
  usersActive: ({ api, apiAtFirst }, name) => apiAtFirst.total(name) === 0 && api.total(name) === 1,
  insightsStored: ({ api }, name) => api.total(name, { kind: "INSIGHT_GENERATION", source: "model" }) === 1,
  insightConfidence: ({ api }, name) => api.total(name, { source: "model" }) === 1,
  figureSentences: ({ api }, name) => api.total(name, { verdict: "removed" }) === 1 && api.total(name, { verdict: "kept" }) > 0,
  databaseUp: ({ api, apiAtFirst, frozen }, name) => apiAtFirst.total(name) === 1 && frozen.total(name) === 0 && api.total(name) === 1,
  databasePing: ({ api }, name) => api.total(name) > 0,
  databaseConnections: ({ api, frozen }, name) => api.total(name, { state: "active" }) >= 1 && frozen.total(name) === 0,
  databaseErrors: ({ apiAtFirst, recovered }, name) => apiAtFirst.total(name) === 0 && recovered.total(name, { reason: "ConnectionError" }) > 0,
  workerActive: ({ asked, asking, worker }, name) => asking.total(name) === 0 && asked.total(name) === 1 && worker.total(name) === 0,
  workerTasks: ({ worker }, name) => worker.total(name, { kind: "INSIGHT_GENERATION", outcome: "completed" }) === 2,
  workerTaskDuration: ({ worker }, name) => worker.total(name, { outcome: "completed" }) === 2,
  workerConnected: ({ lonely, worker }, name) => worker.total(name) === 1 && lonely.total(name) === 0,
  workerReconnections: ({ lonely, workerAtFirst }, name) => workerAtFirst.total(name) === 0 && lonely.total(name) > 0,
  rpcCalled: ({ worker }, name) => worker.total(name, { method: "GetTaskData", code: "OK" }) >= 2,
  breakerState: ({ worker, workerAtFirst }, name) =>
    workerAtFirst.total(name, { breaker: "llm", state: "closed" }) === 1 && worker.total(name, { breaker: "llm", state: "open" }) === 1,
  generation: ({ worker }, name) => worker.total(name, { source: "model" }) === 1 && worker.total(name, { source: "builtin" }) === 1,
  narratorFallbacks: ({ worker }, name) => worker.total(name, { source: "builtin" }) === 1,
  modelCalls: ({ worker }, name) =>
    worker.total(name, { provider: "ollama", model: "llama3.2:3b", outcome: "ok" }) === 1 && worker.total(name, { outcome: "ServerError" }) >= 5,
  modelTokens: ({ worker }, name) => worker.total(name, { type: "input" }) === 120 && worker.total(name, { type: "output" }) === 40,
  modelLoading: ({ worker }, name) => worker.total(name, { model: "llama3.2:3b" }) === 1,
  modelAvailable: ({ lonely, worker }, name) => worker.total(name, { provider: "ollama" }) === 1 && lonely.families.has(name) && lonely.total(name) === 0,
  buildInfo: ({ api, worker }, name) => api.total(name, { service: "englog-api" }) === 1 && worker.total(name, { service: "englog-worker" }) === 1,
  cpu: ({ api, apiAtFirst }, name) => api.total(name) > apiAtFirst.total(name),
  memory: ({ api, worker }, name) => api.total(name) > 5e7 && worker.total(name) > 5e7,
  startTime: ({ api, worker }, name) => worker.total(name) > api.total(name),
  heap: ({ api }, name) => api.total(name) > 1e7,
  eventLoopDelay: ({ api }, name) => api.total(name, { quantile: "1" }) > 0 && api.total(name, { quantile: "0.5" }) >= 0,
  gc: ({ api, worker }, name) => api.total(name, { kind: "minor" }) > 0 && worker.total(name) > 0
}
