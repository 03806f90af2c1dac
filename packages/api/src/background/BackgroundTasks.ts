/** Background tasks for people: what they are doing, their history, and an end to them. */
import type { TaskId } from "@englog/domain/Ids"
import type { Task, TaskEventType } from "@englog/domain/tasks/Task"
import { publicName } from "@englog/domain/tasks/TaskKind"
import { isTerminal, toPublicState } from "@englog/domain/tasks/TaskState"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BackgroundTaskView, TaskLogLine } from "@englog/rpc/http/BackgroundView"
import { Conflict, type NotFound } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, Effect, Layer, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { EventFeed } from "../queue/EventFeed.ts"
import { TaskOutcomes } from "../queue/TaskOutcomes.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { toView } from "../tasks/TaskInspection.ts"

type Caller = CurrentUser["Service"]

export interface LogsPage {
  readonly items: ReadonlyArray<TaskLogLine>
  readonly next_cursor: string | null
}

export class BackgroundTasks extends Context.Service<BackgroundTasks, {
  readonly view: (caller: Caller, id: TaskId) => Effect.Effect<BackgroundTaskView, NotFound | SqlError>
  /** Lines after number `cursor`. */
  readonly logs: (
    caller: Caller,
    id: TaskId,
    page: { readonly limit?: number; readonly cursor?: number }
  ) => Effect.Effect<LogsPage, NotFound | SqlError>
  /** Conflict: it has already ended. */
  readonly cancel: (caller: Caller, id: TaskId) => Effect.Effect<BackgroundTaskView, NotFound | Conflict | SqlError>
}>()("@englog/api/background/BackgroundTasks") {
  static readonly layer = Layer.effect(
    BackgroundTasks,
    Effect.gen(function*() {
      const { find } = yield* TaskAccess
      const feed = yield* EventFeed
      const outcomes = yield* TaskOutcomes

      return BackgroundTasks.of({
        view: Effect.fn("BackgroundTasks.view")((caller, id) => Effect.flatMap(find(caller, id), toBackgroundView)),
        logs: Effect.fn("BackgroundTasks.logs")(function*(caller, id, { cursor = 0, limit = defaultPageSize }) {
          yield* find(caller, id)
          const found = yield* feed.after(id, cursor)
          const events = found.slice(0, limit)
          return {
            items: events.map((event) => new TaskLogLine({ ...event, level: levelOf(event.type) })),
            next_cursor: found.length > limit ? String(events.at(-1)?.seq ?? cursor) : null
          }
        }),
        cancel: Effect.fn("BackgroundTasks.cancel")(function*(caller, id) {
          const task = yield* find(caller, id)
          const answer = yield* outcomes.cancel(id, "cancelled by its owner")
          if (answer === "already_ended" || answer === "not_found" || isTerminal(task.state)) {
            const { state } = yield* find(caller, id)
            return yield* new Conflict({ error: `the task has already ended: it is ${toPublicState(state)}` })
          }
          return yield* Effect.flatMap(find(caller, id), toBackgroundView)
        })
      })
    })
  )
}

export const toBackgroundView = Effect.fnUntraced(function*(task: Task) {
  const view = toView(task)
  return new BackgroundTaskView({
    ...view,
    name: task.name,
    task_type: publicName(task.kind),
    status: view.state,
    waits_for: task.waits_for,
    run_at: task.run_at,
    queue: task.queue,
    user_id: task.user_id,
    parent: task.parent,
    unique_key: task.unique_key,
    result: task.result === null ? null : yield* Effect.orDie(decodeJson(task.result))
  })
})

const decodeJson = Schema.decodeEffect(Schema.fromJsonString(Schema.Json))

const levelOf = (type: TaskEventType): TaskLogLine["level"] =>
  type === "failed" || type === "expired" ? "error" : type === "retrying" || type === "rescued" ? "warning" : "info"
