/**
 * `npm run bench:hostile`: requests that no server should take, generated from the OpenAPI document that the API itself
 * serves (`npm run bench:hostile -- 20000` for so many), and how each was answered. The clients are one process (this one).
 * A hang is a request without an answer for ten seconds; a complaint is any answer but a 4xx with `{"error", "code", "details"}` that names
 * what is wrong.
 */
import { Effect } from "effect"
import * as fc from "fast-check"
import { baselines } from "@englog/e2e/hostile/Baseline"
import { exchange } from "@englog/e2e/hostile/Exchange"
import { complaint, describe, errorOf } from "@englog/e2e/hostile/HostileRequest"
import { attacksOn } from "@englog/e2e/hostile/HostileRequests"
import { Installation } from "@englog/e2e/Installation"
import { distribution, note, report, rounded, timed } from "./Figures.ts"
import { runBench } from "./runBench.ts"

const CONCURRENCY = 4
const count = Number(process.argv[2] ?? 5_000)
const seed = Math.trunc(Math.random() * 2 ** 31)

runBench(Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  yield* installation.startWorker("bench")
  const { hostname: host, port } = new URL(api.url)
  const { baselines: valid } = yield* baselines(api.url, installation)
  const attacks = valid.flatMap(attacksOn)
  const perAttack = Math.ceil(count / attacks.length)
  yield* note(`${perAttack} of each of ${attacks.length} attacks on ${valid.length} operations; seed ${seed}`)
  const answers = yield* Effect.forEach(attacks, ({ requests }, attack) =>
    Effect.forEach(fc.sample(requests, { seed: seed + attack, numRuns: perAttack }), (request) =>
      Effect.gen(function*() {
        const { ms, value: outcome } = yield* timed(exchange({ host, port: Number(port) }, request))
        const wrong = complaint(request, outcome)
        if (wrong !== undefined) yield* note(`${describe(request)}\n  ${wrong}`)
        const status = outcome._tag === "Answered" ? String(outcome.status) : outcome._tag.toLowerCase()
        return { ms, what: `${request.operation}: ${request.attack}`, status, unexplained: request.method !== "HEAD" && errorOf(outcome) === undefined, wrong: wrong !== undefined }
      })), { concurrency: CONCURRENCY })
  const all = answers.flat()
  const statuses = Object.fromEntries([...Map.groupBy(all, ({ status }) => status)].map(([status, some]) => [status, some.length]).sort())
  yield* report("hostile", {
    requests: all.length,
    statuses,
    without_error: all.filter(({ unexplained }) => unexplained).length,
    server_errors: all.filter(({ status }) => status.startsWith("5")).length,
    hangs: statuses["hung"] ?? 0,
    complaints: all.filter(({ wrong }) => wrong).length,
    ...distribution(all.map(({ ms }) => ms)),
    slowest: all.toSorted((a, b) => b.ms - a.ms).slice(0, 3).map(({ ms, what }) => `${what}, ${rounded(ms)} ms`),
    seed
  })
}))
