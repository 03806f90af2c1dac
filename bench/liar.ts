/**
 * `npm run bench:liar`: insights one after the other on one honest worker, 20 s without and 60 s with a worker that floods
 * the API with lies over gRPC; what the lies were answered, and the API's resident memory. Linux only. The liar is this very
 * process: on few cores it takes the processor from the honest ones, so that the ratio is an upper bound.
 */
import { Clock, Duration, Effect } from "effect"
import { Installation } from "@englog/e2e/Installation"
import { faultsOf, flood, totalOf } from "@englog/e2e/Liar"
import { register } from "@englog/e2e/Person"
import { peakMiB, residentMiB } from "@englog/e2e/Resident"
import { distribution, note, report, rounded, timed } from "./Figures.ts"
import { runBench } from "./runBench.ts"

const QUIET = Duration.seconds(20)
const FLOOD = Duration.seconds(60)

runBench(Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  yield* installation.startWorker("honest")
  const person = yield* register(api.url, "bench@example.com")
  const entry = yield* person.addEntry({})
  const target = yield* person.submit([entry])
  const insight = timed(Effect.flatMap(person.submit([entry]), person.result))

  const insightsFor = Effect.fnUntraced(function*(time: Duration.Duration) {
    const end = (yield* Clock.currentTimeMillis) + Duration.toMillis(time)
    const taken: Array<number> = []
    while ((yield* Clock.currentTimeMillis) < end) taken.push((yield* insight).ms)
    return { insights: taken.length, ...distribution(taken) }
  })

  yield* note(`quiet for ${Duration.format(QUIET)}`)
  const quiet = yield* insightsFor(QUIET)
  const before = yield* residentMiB(api.pid)
  yield* note(`flooded for ${Duration.format(FLOOD)}`)
  const { result: flooded, statuses } = yield* Effect.gen(function*() {
    const statuses = yield* flood(api.grpc, target)
    return { result: yield* insightsFor(FLOOD), statuses }
  }).pipe(Effect.scoped)
  yield* report("liar", {
    quiet,
    flooded,
    p99_ratio: rounded(flooded.p99_ms / quiet.p99_ms),
    lies: totalOf(statuses),
    lies_per_second: Math.round(totalOf(statuses) / Duration.toSeconds(FLOOD)),
    statuses: Object.fromEntries(statuses),
    faults: faultsOf(statuses),
    api_mib: { before, peak: yield* peakMiB(api.pid), after: yield* residentMiB(api.pid) }
  })
}))
