/**
 * Submission: a noun hands in a kind and a payload; a task is accepted once its transaction has committed.
 */
import { type OrganizationId, TaskId, type UserId } from "@englog/domain/Ids"
import { NewTask } from "@englog/domain/tasks/Task"
import type { TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Clock, Context, Effect, Layer, Option } from "effect"
import { HttpTraceContext } from "effect/http"
import type { SqlError } from "effect/sql/SqlError"
import { randomBytes } from "node:crypto"
import { outageOf } from "../db/Outage.ts"
import * as Batcher from "./Batcher.ts"
import { TaskRepo, type TracedTask } from "./TaskRepo.ts"
import { Wakeups } from "./Wakeups.ts"

export interface Submission {
  readonly kind: string
  /** First part of the readable task id, e.g. `insight`. */
  readonly prefix: string
  readonly organization_id: OrganizationId
  readonly user_id: UserId
  /** JSON text of the kind's payload. */
  readonly payload: string
  /** See NewTask. */
  readonly private_input: string | null
  readonly policy: TaskPolicy
}

export class TaskQueue extends Context.Service<TaskQueue, {
  /** Accepts a task: answered once it is committed. Submissions that arrive together share a commit. */
  readonly submit: (submission: Submission) => Effect.Effect<TaskId, SqlError>
}>()("@englog/api/queue/TaskQueue") {
  static readonly layer = Layer.effect(
    TaskQueue,
    Effect.gen(function*() {
      const repo = yield* TaskRepo
      const wakeups = yield* Wakeups
      const insert = yield* Batcher.make({
        inFlight: 2,
        maxSize: 256,
        run: (tasks: ReadonlyArray<TracedTask>) => Effect.as(repo.insert(tasks), tasks),
        concernsAll: (error) => outageOf(error) !== undefined
      })

      const submit = Effect.fn("TaskQueue.submit")(function*(submission: Submission) {
        const task_id = yield* newTaskId(submission.prefix, submission.user_id)
        yield* Effect.annotateCurrentSpan({ [Attribute.taskId]: task_id, [Attribute.taskKind]: submission.kind })
        const task = new NewTask({
          task_id,
          kind: submission.kind,
          queue: submission.policy.queue,
          priority: submission.policy.priority,
          organization_id: submission.organization_id,
          user_id: submission.user_id,
          payload: submission.payload,
          private_input: submission.private_input,
          attempt_timeout: submission.policy.attempt_timeout,
          deadline: submission.policy.deadline,
          retry: submission.policy.retry
        })
        const span = yield* Effect.option(Effect.currentSpan)
        const traceparent = Option.match(span, {
          onNone: () => "",
          onSome: (span) => HttpTraceContext.toHeaders(span).traceparent ?? ""
        })
        yield* insert({ task, traceparent })
        yield* wakeups.wake("tasks")
        yield* Metrics.tasksAccepted.add({ kind: submission.kind })
        return task_id
      })

      return TaskQueue.of({ submit })
    })
  )
}

/** `insight_{user}_{unix seconds}_{suffix}`: readable as in seed 000, and unguessable by 64 random bits. */
const newTaskId = Effect.fnUntraced(function*(prefix: string, user_id: UserId) {
  const seconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  return TaskId.make(`${prefix}_${user_id}_${seconds}_${randomBytes(8).toString("hex")}`)
})
