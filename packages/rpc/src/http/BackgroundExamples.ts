/** One running story for the examples of background tasks in the OpenAPI document. */
import * as Tasks from "./TaskExamples.ts"

const user_id = "dd72f29f-a51b-4a2d-add8-496537c8e078"
const task_id = `cleanup_${user_id}_1754042400_01987e2f5a4c00005f21c1df3a33d005`

export const request = { name: "Tidy up", task_type: "cleanup", priority: "normal", payload: { dry_run: true } }

export const accepted = { task_id, message: "Task queued successfully" }

export const bulkRequest = { tasks: [request] }

export const bulkAccepted = { items: [{ task_id, created: true }], message: "1 task queued successfully" }

export const task = {
  ...Tasks.task,
  task_id,
  kind: "CLEANUP",
  message: "Counting",
  max_attempts: 4,
  name: "Tidy up",
  task_type: "cleanup",
  status: "running",
  waits_for: null,
  run_at: null,
  queue: "default",
  user_id,
  parent: null,
  unique_key: null,
  result: null
}

export const logLine = {
  seq: 1,
  type: "queued",
  at: "2025-08-01T10:00:00.000Z",
  attempt: 0,
  progress: 0,
  message: null,
  worker_id: null,
  level: "info"
}
