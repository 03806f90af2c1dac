/**
 * `npm run bench:pickup`: from the acknowledgement of a task to the start of its handler, with nothing else to do.
 *
 * One clock, that of this machine: the acknowledgement is when the client has the whole 202; `claimed` is the task's
 * `started` event; `handler` is its first progress report, the first thing the handler does, at the time at which the API
 * writes it down, so that it includes the way back and is never too short. Events have milliseconds, so each figure may be
 * one too small. A negative one: it had happened before the client had its answer.
 */
import { TaskAccepted } from "@englog/rpc/http/TaskView"
import { Clock, DateTime, Effect, Schema } from "effect"
import { Installation } from "@englog/e2e/Installation"
import { distribution, note, report } from "./Figures.ts"
import { type Asker, askers, submit } from "./Load.ts"
import { runBench } from "./runBench.ts"

const WARM_UP = 50
const TASKS = 300

const pickUp = Effect.fnUntraced(function*(asker: Asker) {
  const { value } = yield* submit(asker)
  const acknowledged = Number(yield* Clock.currentTimeNanos) / 1e6
  const { task_id } = yield* Schema.decodeEffect(Schema.fromJsonString(TaskAccepted))(value.text)
  // Reading the whole stream also waits for the task's end.
  const history = yield* asker.person.history(task_id)
  const at = (type: string) => {
    const step = history.find((one) => one.type === type)
    return step === undefined ? Number.NaN : DateTime.toEpochMillis(step.at) - acknowledged
  }
  return { claimed: at("started"), handler: at("progress") }
})

runBench(Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  yield* installation.startWorker("bench")
  const [asker] = yield* askers(api.url, 1)
  if (asker === undefined) return
  yield* note(`${WARM_UP} tasks to warm up, then ${TASKS}, one after the other`)
  yield* Effect.replicateEffect(pickUp(asker), WARM_UP)
  const found = yield* Effect.replicateEffect(pickUp(asker), TASKS)
  yield* report("pickup", {
    tasks: found.length,
    claimed: distribution(found.map(({ claimed }) => claimed)),
    handler: distribution(found.map(({ handler }) => handler)),
    target: { handler_p50_ms: 5 }
  })
}))
