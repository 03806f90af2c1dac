/**
 * `npm run bench:accept`: how long POST /v1/tasks/insights takes to be accepted, at 50 clients that each send the next
 * request when the last is answered. The clients are one process (this one), the API, its PostgreSQL and the worker others;
 * connections are kept alive; every task that is accepted is committed, and with a worker also worked on meanwhile.
 */
import { Effect } from "effect"
import { Installation } from "@englog/e2e/Installation"
import { distribution, note, report, rounded, timed } from "./Figures.ts"
import { type Asker, askers, idle, submit } from "./Load.ts"
import { runBench } from "./runBench.ts"

const CLIENTS = 50
const PEOPLE = 10
const WARM_UP = 10
const REQUESTS = 60

const round = Effect.fnUntraced(function*(people: ReadonlyArray<Asker>, perClient: number) {
  const clients = Array.from({ length: CLIENTS }, (_, client) => people[client % people.length])
  const { value, ms } = yield* timed(Effect.forEach(clients, (asker) =>
    asker === undefined ? Effect.succeed([]) : Effect.replicateEffect(submit(asker), perClient), { concurrency: CLIENTS }))
  const answers = value.flat()
  const refused = answers.filter((answer) => answer.value.status !== 202)
  if (refused[0] !== undefined) yield* note(`refused: ${refused[0].value.status} ${refused[0].value.text}`)
  return {
    requests: answers.length,
    refused: refused.length,
    per_second: rounded(answers.length / (ms / 1_000)),
    ...distribution(answers.map((answer) => answer.ms))
  }
})

runBench(Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  const people = yield* askers(api.url, PEOPLE)
  const [first] = people
  if (first === undefined) return
  const worker = yield* installation.startWorker("bench")
  yield* note(`warming up with ${CLIENTS * WARM_UP} requests`)
  yield* round(people, WARM_UP)
  yield* idle(api.url, first)
  yield* note(`${CLIENTS * REQUESTS} requests while a worker works on them`)
  const with_worker = yield* round(people, REQUESTS)
  yield* idle(api.url, first)
  yield* worker.end("SIGTERM")
  yield* note(`${CLIENTS * REQUESTS} requests that wait in the queue`)
  const without_worker = yield* round(people, REQUESTS)
  yield* report("accept", { clients: CLIENTS, with_worker, without_worker, target: { p95_ms: 100, aim_p95_ms: 25 } })
}))
