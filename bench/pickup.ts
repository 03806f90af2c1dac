/**
 * `npm run bench:pickup`: from the acknowledgement of a task to the start of its handler, with nothing else to do.
 *
 * One clock, that of this machine: the acknowledgement is when the client has the whole 202; `claimed` is the task's
 * `started` event; `handler` is the time of the worker's own log line that it starts the task. Both have milliseconds, so a
 * figure may be one too small. A negative one: it had happened before the client had its answer.
 */
import { TaskAccepted } from "@englog/rpc/http/TaskView"
import { Clock, DateTime, Effect, Option, Schema } from "effect"
import { Installation } from "@englog/e2e/Installation"
import type { RunningProgram } from "@englog/e2e/RunningProgram"
import { distribution, note, report } from "./Figures.ts"
import { type Asker, askers, submit } from "./Load.ts"
import { runBench } from "./runBench.ts"

const WARM_UP = 50
const TASKS = 300

const StartLine = Schema.fromJsonString(Schema.Struct({
  operation: Schema.Literal("task_started"),
  task_id: Schema.String,
  timestamp: Schema.DateTimeUtcFromString
}))
const decodeLine = Schema.decodeUnknownOption(StartLine)

/** When the worker said that it starts the task, in milliseconds since the epoch. */
const handlerStart = (worker: RunningProgram, task_id: string): number => {
  const line = worker.lines.findLast((text) => text.includes(task_id) && text.includes("task_started"))
  return Option.match(decodeLine(line), { onNone: () => Number.NaN, onSome: ({ timestamp }) => DateTime.toEpochMillis(timestamp) })
}

const pickUp = Effect.fnUntraced(function*(asker: Asker, worker: RunningProgram) {
  const { value } = yield* submit(asker)
  const acknowledged = Number(yield* Clock.currentTimeNanos) / 1e6
  const { task_id } = yield* Schema.decodeEffect(Schema.fromJsonString(TaskAccepted))(value.text)
  // Reading the whole stream also waits for the task's end.
  const history = yield* asker.person.history(task_id)
  const claimed = history.find((one) => one.type === "started")
  return {
    claimed: claimed === undefined ? Number.NaN : DateTime.toEpochMillis(claimed.at) - acknowledged,
    handler: handlerStart(worker, task_id) - acknowledged
  }
})

runBench(Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  const worker = yield* installation.startWorker("bench", { LOG_LEVEL: "debug" })
  const [asker] = yield* askers(api.url, 1)
  if (asker === undefined) return
  yield* note(`${WARM_UP} tasks to warm up, then ${TASKS}, one after the other`)
  yield* Effect.replicateEffect(pickUp(asker, worker), WARM_UP)
  const found = yield* Effect.replicateEffect(pickUp(asker, worker), TASKS)
  yield* report("pickup", {
    tasks: found.length,
    claimed: distribution(found.map(({ claimed }) => claimed)),
    handler: distribution(found.map(({ handler }) => handler)),
    target: { handler_p50_ms: 5 }
  })
}))
