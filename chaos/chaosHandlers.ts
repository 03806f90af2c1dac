/** The handlers of chaosWorker. Their result names the attempt that made it, so that a stale one can be told in the record. */
import { InsightGeneration } from "@englog/domain/tasks/InsightGeneration"
import * as TaskHandler from "@englog/worker/handlers/TaskHandler"
import { Effect } from "effect"
import { type Behaviour, ofTask } from "./Behaviour.ts"
import { ChaosKind } from "./ChaosKind.ts"
import { HandlerLine, monotonic } from "./HandlerLog.ts"
import * as Journal from "./Journal.ts"
import { attemptTag } from "./ResultStamp.ts"

const worker = process.env["WORKER_ID"] ?? ""
const log = Journal.open(process.env["CHAOS_LOG"] ?? "chaos-worker.jsonl", HandlerLine)

interface Attempt {
  readonly task_id: string
  readonly attempt: number
}

const say = ({ task_id, attempt }: Attempt, what: HandlerLine["what"]) =>
  Effect.sync(() => log.write({ worker, pid: process.pid, task: task_id, attempt, what, mono: monotonic() }))

const behave = (attempt: Attempt, behaviour: Behaviour, context: TaskHandler.TaskContext) =>
  Effect.gen(function*() {
    yield* say(attempt, "start")
    for (let step = 1; step <= behaviour.steps; step++) {
      yield* Effect.sleep(behaviour.ms / (behaviour.steps + 1))
      yield* context.progress(Math.floor(100 * step / (behaviour.steps + 1)), `step ${step}`)
    }
    yield* Effect.sleep(behaviour.ms / (behaviour.steps + 1))
    if (attempt.attempt <= behaviour.failures) {
      yield* say(attempt, "fail")
      return yield* new TaskHandler.TaskFailure({ message: `attempt ${attempt.attempt} was to fail` })
    }
    yield* say(attempt, "finish")
  }).pipe(Effect.onInterrupt(() => say(attempt, "interrupt")))

/** Takes the place of the narrator: the API's own kind, with its outcome effect. */
const insight = TaskHandler.make(InsightGeneration, (_, context, task) =>
  Effect.as(behave(task, ofTask(task.task_id), context), {
    content: "This was written by a worker that lives dangerously.",
    tags: [attemptTag(task.attempt)],
    confidence: 0.5,
    source: "builtin" as const,
    model: "chaos"
  }))

const ours = TaskHandler.make(ChaosKind, (behaviour, context, task) => Effect.as(behave(task, behaviour, context), { attempt: task.attempt }))

export const handlers = [insight, ours]
