/**
 * `npm run bench:flood`: sixty seconds (FLOOD_SECONDS) of requests from 100 connections, without pause and most of them bad:
 * broken JSON, wrong fields, forged tokens, unknown routes, bodies too large; with valid reads and submissions between them.
 * Meanwhile an honest person on a connection of their own reads ten times and submits once a second.
 *
 * `memory`: the API's resident memory, before, at its highest, and ten seconds after. The flood is one process on the same
 * machine and takes what it can get of the processor, so latencies are the worst case. Linux only.
 */
import { Clock, Config, Effect, Fiber, Ref } from "effect"
import { Agent, request } from "node:http"
import { Installation } from "@englog/e2e/Installation"
import { distribution, note, report, rounded } from "./Figures.ts"
import { askers } from "./Load.ts"
import { peakMiB, residentMiB } from "@englog/e2e/Resident"
import { runBench } from "./runBench.ts"

const CONNECTIONS = 100

interface Shot {
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly token?: string
}

/** 0: there was no answer, the connection was closed. */
const send = (url: string, agent: Agent, { body, method, path, token }: Shot) =>
  Effect.callback<number>((resume) => {
    const { hostname, port } = new URL(url)
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
    }
    const call = request({ hostname, port, method, path, headers, agent }, (response) => {
      response.resume()
      response.once("close", () => resume(Effect.succeed(response.statusCode ?? 0)))
    })
    call.once("error", () => resume(Effect.succeed(0)))
    call.end(body)
  })

const connection = Effect.acquireRelease(
  Effect.sync(() => new Agent({ keepAlive: true, maxSockets: 1 })),
  (agent) => Effect.sync(() => agent.destroy())
)

/** In turn; every fifth is valid. */
const ammunition = (token: string, valid: string): ReadonlyArray<Shot> => [
  { method: "POST", path: "/v1/tasks/insights", body: valid, token },
  { method: "POST", path: "/v1/logs", body: "{\"title\": \"unfinished", token },
  { method: "POST", path: "/v1/logs", body: "[".repeat(50_000), token },
  { method: "GET", path: "/v1/logs", token: `${token.slice(0, -8)}AAAAAAAA` },
  { method: "GET", path: "/v1/nothing/here" },
  { method: "GET", path: "/v1/logs?limit=50", token },
  { method: "POST", path: "/v1/tasks/insights", body: "{\"user_id\":1,\"entry_ids\":[],\"what\":null}", token },
  { method: "POST", path: "/v1/auth/login", body: "{\"email\":\"nobody@example.com\",\"password\":\"guess guess guess\"}" },
  { method: "DELETE", path: "/v1/auth/login" },
  { method: "POST", path: "/v1/logs", body: `{"title":"${"x".repeat(1_100_000)}"}`, token }
]

const millis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

runBench(Effect.gen(function*() {
  const seconds = yield* Config.withDefault(Config.Int("FLOOD_SECONDS"), 60)
  const installation = yield* Installation
  const api = yield* installation.startApi()
  yield* installation.startWorker("bench")
  const [flooder, honest] = yield* askers(api.url, 2)
  if (flooder === undefined || honest === undefined) return
  const bodyOf = ({ person }: typeof flooder, entry: string) =>
    JSON.stringify({ user_id: person.user_id, entry_ids: [entry], insight_type: "productivity" })
  const shots = ammunition(flooder.person.token, bodyOf(flooder, yield* flooder.person.addEntry({})))
  const own = bodyOf(honest, yield* honest.person.addEntry({}))
  const before = yield* residentMiB(api.pid)
  const over = yield* Ref.make(false)
  const untilOver = Effect.repeat({ until: () => Ref.get(over) })

  const statuses = new Map<number, number>()
  const shooter = Effect.fnUntraced(function*(number: number) {
    const agent = yield* connection
    let turn = number
    yield* Effect.suspend(() => send(api.url, agent, shots[turn++ % shots.length] ?? { method: "GET", path: "/" })).pipe(
      Effect.tap((status) => Effect.sync(() => statuses.set(status, (statuses.get(status) ?? 0) + 1))),
      untilOver
    )
  }, Effect.scoped)

  const reads: Array<number> = []
  const submissions: Array<number> = []
  const refused: Array<number> = []
  const agent = yield* connection
  const person = Effect.fnUntraced(function*(times: Array<number>, pause: "100 millis" | "1 second", shot: Shot) {
    yield* Effect.gen(function*() {
      const began = yield* millis
      const status = yield* send(api.url, agent, { ...shot, token: honest.person.token })
      if (status >= 200 && status < 300) times.push((yield* millis) - began)
      else refused.push(status)
      yield* Effect.sleep(pause)
    }).pipe(untilOver)
  })

  yield* note(`${CONNECTIONS} connections for ${seconds} s`)
  const flood = yield* Effect.forkScoped(Effect.forEach(Array.from({ length: CONNECTIONS }, (_, index) => index), shooter, {
    concurrency: CONNECTIONS,
    discard: true
  }))
  const life = yield* Effect.forkScoped(Effect.all([
    person(reads, "100 millis", { method: "GET", path: "/v1/logs?limit=20" }),
    person(submissions, "1 second", { method: "POST", path: "/v1/tasks/insights", body: own })
  ], { concurrency: 2, discard: true }))
  yield* Effect.sleep(`${seconds} seconds`)
  yield* Ref.set(over, true)
  yield* Fiber.join(flood)
  yield* Fiber.join(life)
  const most = yield* peakMiB(api.pid)
  yield* Effect.sleep("10 seconds")
  const total = [...statuses.values()].reduce((sum, count) => sum + count, 0)
  yield* report("flood", {
    connections: CONNECTIONS,
    seconds,
    requests: total,
    per_second: rounded(total / seconds),
    statuses: Object.fromEntries([...statuses].toSorted(([one], [other]) => one - other)),
    honest: { reads: reads.length, read: distribution(reads), submitted: submissions.length, submit: distribution(submissions), refused },
    memory: { before_mib: before, peak_mib: most, after_mib: yield* residentMiB(api.pid) }
  })
}))
