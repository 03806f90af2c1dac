/**
 * Tasks for people: look, watch, cancel. A task of another organization does not exist for the caller.
 */
import type { TaskId } from "@englog/domain/Ids"
import type { Task, TaskEventRecord } from "@englog/domain/tasks/Task"
import { toPublicState } from "@englog/domain/tasks/TaskState"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import type { NotFound } from "@englog/rpc/http/HttpErrors"
import { TaskResultView, TaskStep, TaskView } from "@englog/rpc/http/TaskView"
import { Context, Effect, Layer, Stream } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { OpenStreams, type StreamCut } from "../http/OpenStreams.ts"
import { EventFeed } from "../queue/EventFeed.ts"
import { TaskOutcomes } from "../queue/TaskOutcomes.ts"
import { TaskAccess } from "./TaskAccess.ts"

type Caller = CurrentUser["Service"]

export class TaskInspection extends Context.Service<TaskInspection, {
  readonly view: (caller: Caller, id: TaskId) => Effect.Effect<TaskView, NotFound | SqlError>
  readonly result: (caller: Caller, id: TaskId) => Effect.Effect<TaskResultView, NotFound | SqlError>
  /** Steps after `seq`, until the task has ended or the stream is cut. The effect fails where there is no such task. */
  readonly watch: (
    caller: Caller,
    id: TaskId,
    seq: number
  ) => Effect.Effect<Stream.Stream<TaskStep, SqlError | StreamCut>, NotFound | SqlError>
  /** What the task is after the request to cancel it: ended, or running until its worker has stopped. */
  readonly cancel: (caller: Caller, id: TaskId) => Effect.Effect<TaskView, NotFound | SqlError>
}>()("@englog/api/tasks/TaskInspection") {
  static readonly layer = Layer.effect(
    TaskInspection,
    Effect.gen(function*() {
      const outcomes = yield* TaskOutcomes
      const feed = yield* EventFeed
      const streams = yield* OpenStreams

      const { find } = yield* TaskAccess

      return TaskInspection.of({
        view: Effect.fn("TaskInspection.view")((caller, id) => Effect.map(find(caller, id), toView)),
        result: Effect.fn("TaskInspection.result")((caller, id) => Effect.map(find(caller, id), toResult)),
        watch: Effect.fn("TaskInspection.watch")((caller, id, seq) =>
          Effect.as(find(caller, id), streams.keep(Stream.map(feed.follow(id, seq), toStep)))),
        cancel: Effect.fn("TaskInspection.cancel")(function*(caller, id) {
          yield* find(caller, id)
          yield* outcomes.cancel(id, "cancelled by its owner")
          return toView(yield* find(caller, id))
        })
      })
    })
  )
}

export const toView = (task: Task): TaskView =>
  new TaskView({
    task_id: task.task_id,
    kind: task.kind,
    state: toPublicState(task.state),
    progress: task.progress,
    message: task.cancel_requested ? "cancellation requested" : task.message,
    attempt: task.attempt,
    max_attempts: task.max_attempts,
    priority: task.priority,
    organization_id: task.organization_id,
    created_at: task.created_at,
    started_at: task.started_at,
    completed_at: task.completed_at,
    deadline: task.deadline,
    worker_id: task.worker_id,
    error: task.error,
    reason: task.reason
  })

const wireStatus = {
  queued: "TASK_STATUS_PENDING",
  running: "TASK_STATUS_PROCESSING",
  completed: "TASK_STATUS_COMPLETED",
  failed: "TASK_STATUS_FAILED",
  expired: "TASK_STATUS_FAILED",
  cancelled: "TASK_STATUS_CANCELLED"
} as const

const toResult = (task: Task): TaskResultView =>
  new TaskResultView({
    task_id: task.task_id,
    worker_id: task.worker_id ?? "",
    status: wireStatus[task.state],
    result: task.result ?? "",
    error: task.error ?? "",
    started_at: task.started_at,
    completed_at: task.completed_at
  })

export const toStep = (event: TaskEventRecord): TaskStep => new TaskStep({ ...event })
