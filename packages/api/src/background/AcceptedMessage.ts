/** What a client is told about tasks that were accepted. */
import type { TaskId } from "@englog/domain/Ids"
import type { Accepted } from "../queue/TaskQueue.ts"

export const messageOf = ({ created }: Accepted): string =>
  created ? "Task queued successfully" : "A task with this unique_key was accepted earlier; this is its id"

/** The answer of an endpoint that starts one task, whatever else there may be. */
export const accepted = (task_id: TaskId) => ({ task_id, message: messageOf({ task_id, created: true }) })

export const queuedMessage = (count: number): string => `${count} ${count === 1 ? "task" : "tasks"} queued successfully`

export const bulkMessage = (items: ReadonlyArray<Accepted>): string => {
  const created = items.filter((item) => item.created).length
  const queued = queuedMessage(created)
  return created === items.length ? queued : `${queued}; ${items.length - created} had been accepted earlier`
}
