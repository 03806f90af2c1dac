/**
 * The kinds of the tasks that this replica has handed out: a report names its task only, and what has to be checked depends on
 * the kind. What is not in the book (handed out by another replica, or long ago) is looked up under the task's lock.
 */
import type { TaskId } from "@englog/domain/Ids"
import { Context, Layer } from "effect"

export class LeaseBook extends Context.Service<LeaseBook, {
  readonly handedOut: (task_id: TaskId, kind: string) => void
  readonly kindOf: (task_id: TaskId) => string | undefined
  readonly ended: (task_id: TaskId) => void
}>()("@englog/api/queue/LeaseBook") {
  static readonly layer = Layer.sync(LeaseBook, () => {
    const kinds = new Map<TaskId, string>()
    return LeaseBook.of({
      handedOut: (task_id, kind) => {
        kinds.set(task_id, kind)
        if (kinds.size <= MAX_ENTRIES) return
        const [oldest] = kinds.keys()
        if (oldest !== undefined) kinds.delete(oldest)
      },
      kindOf: (task_id) => kinds.get(task_id),
      ended: (task_id) => void kinds.delete(task_id)
    })
  })
}

/** More than all workers of one replica run at once. */
const MAX_ENTRIES = 50_000
