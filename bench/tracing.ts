/**
 * `npm run bench:tracing`: what tracing costs the acceptance of insights: without an endpoint, with one and 10 % of the traces
 * sampled, and with all of them. Three API processes on databases of their own, asked in turns, round by round; the ratios of
 * each round are what counts. The collector takes everything at once and is a process of its own.
 */
import { Effect, Layer } from "effect"
import { HttpClient } from "effect/http"
import * as path from "node:path"
import { Installation, type Env } from "@englog/e2e/Installation"
import { scrape } from "@englog/e2e/MetricsPage"
import { runProgram } from "@englog/e2e/RunningProgram"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { distribution, note, percentile, report, rounded, timed } from "./Figures.ts"
import { type Asker, askers, submit } from "./Load.ts"
import { runBench } from "./runBench.ts"

const CLIENTS = 20
const REQUESTS = 15
const ROUNDS = 12

const names = ["off", "sampled_10", "all"] as const
type Subject = typeof names[number]

interface Round {
  readonly times: ReadonlyArray<number>
  readonly p50_ms: number
  readonly per_second: number
  /** Of the API process, for one request: what other load on the machine changes least. */
  readonly cpu_ms: number
}
const nothing: Round = { times: [], p50_ms: Number.NaN, per_second: Number.NaN, cpu_ms: Number.NaN }

interface Target {
  readonly url: string
  readonly people: ReadonlyArray<Asker>
}

const cpuSeconds = (url: string) => Effect.map(scrape(`${url}/metrics`), (page) => page.total(Metrics.cpu.name))

const round = Effect.fnUntraced(function*({ people, url }: Target) {
  const clients = Array.from({ length: CLIENTS }, (_, client) => people[client % people.length]).filter((asker) => asker !== undefined)
  const before = yield* cpuSeconds(url)
  const { value, ms } = yield* timed(Effect.forEach(clients, (asker) => Effect.replicateEffect(submit(asker), REQUESTS), { concurrency: CLIENTS }))
  const times = value.flat().map((answer) => answer.ms)
  const found: Round = {
    times,
    p50_ms: percentile(times, 0.5),
    per_second: times.length / (ms / 1_000),
    cpu_ms: ((yield* cpuSeconds(url)) - before) * 1_000 / times.length
  }
  return found
  // A client that sends a trace of its own decides on sampling; here the server shall.
}, Effect.provideService(HttpClient.TracerPropagationEnabled, false))

/** An API with an installation of its own. */
const subject = Effect.fnUntraced(function*(env: Env) {
  const { startApi } = yield* Effect.service(Installation)
  const api = yield* startApi(env)
  const target: Target = { url: api.url, people: yield* askers(api.url, 5) }
  yield* round(target)
  return target
})

runBench(Effect.gen(function*() {
  const collector = yield* runProgram({ name: "collector", main: { file: path.join(import.meta.dirname, "tracingCollector.ts") }, env: {} })
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: yield* collector.said(/listening on (\S+)/) }
  const installed = (env: Env) => Layer.build(Layer.fresh(Installation.layer())).pipe(Effect.flatMap((context) => Effect.provide(subject(env), context)))
  const subjects = {
    off: yield* installed({}),
    sampled_10: yield* installed({ ...endpoint, OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" }),
    all: yield* installed(endpoint)
  }
  const rounds = yield* Effect.forEach(Array.from({ length: ROUNDS }, (_, number) => number), (number) =>
    Effect.gen(function*() {
      // Each in turn is first.
      const order = names.map((_, index): Subject => names[(index + number) % names.length] ?? "off")
      const inOrder = new Map<string, Round>()
      for (const name of order) inOrder.set(name, yield* round(subjects[name]))
      const of = (name: Subject): Round => inOrder.get(name) ?? nothing
      const found = { off: of("off"), sampled_10: of("sampled_10"), all: of("all") }
      yield* note(`round ${number + 1}: ${order.map((name) => `${name} ${rounded(found[name].p50_ms)} ms (${rounded(found[name].cpu_ms)} of the processor)`).join(", ")}`)
      return found
    }))
  const figures = (name: Subject) => ({
    ...distribution(rounds.flatMap((one) => one[name].times)),
    per_second: rounded(percentile(rounds.map((one) => one[name].per_second), 0.5)),
    p50_ratio: rounded(percentile(rounds.map((one) => one[name].p50_ms / one.off.p50_ms), 0.5)),
    cpu_ms: rounded(percentile(rounds.map((one) => one[name].cpu_ms), 0.5)),
    cpu_ratio: rounded(percentile(rounds.map((one) => one[name].cpu_ms / one.off.cpu_ms), 0.5)),
    per_second_ratio: rounded(percentile(rounds.map((one) => one[name].per_second / one.off.per_second), 0.5))
  })
  yield* report("tracing", { clients: CLIENTS, requests: CLIENTS * REQUESTS * ROUNDS, off: figures("off"), sampled_10: figures("sampled_10"), all: figures("all") })
}))
