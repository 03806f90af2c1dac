/** One running story for the examples of background tasks in the OpenAPI document. */
import * as Tasks from "./TaskExamples.ts"

const user_id = "dd72f29f-a51b-4a2d-add8-496537c8e078"
const task_id = `data_analysis_${user_id}_1754042400_01987e2f5a4c00005f21c1df3a33d005`

export const request = { name: "January", task_type: "data_analysis", priority: "normal", payload: { start_date: "2026-01-01", end_date: "2026-01-31" } }

export const accepted = { task_id, message: "Task queued successfully" }

export const bulkRequest = { tasks: [request] }

export const bulkAccepted = { items: [{ task_id, created: true }], message: "1 task queued successfully" }

export const task = {
  ...Tasks.task,
  task_id,
  kind: "DATA_ANALYSIS",
  message: "Rolling up the days",
  max_attempts: 4,
  name: request.name,
  task_type: request.task_type,
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

export const deadLetter = {
  task_id,
  name: request.name,
  task_type: request.task_type,
  kind: "DATA_ANALYSIS",
  queue: "default",
  priority: 5,
  organization_id: Tasks.task.organization_id,
  user_id,
  reason: "error",
  error: "the database is away",
  attempt: 4,
  created_at: "2025-08-01T10:00:00.000Z",
  failed_at: "2025-08-01T10:07:00.000Z",
  replayed_as: null
}

export const deadLetterDetail = {
  ...deadLetter,
  payload: request.payload,
  timeout: 300,
  retry_policy: { max_retries: 3, base_delay: 60, backoff_factor: 2, max_delay: 3600 }
}

export const queueSetting = { queue: "default", paused: false, max_running: null }

export const weight = { organization_id: Tasks.task.organization_id, weight: 3 }

export const stats = {
  queues: [{
    ...queueSetting,
    pending: 2,
    ready: 1,
    delayed: 1,
    blocked: 0,
    running: 1,
    by_priority: { critical: 0, high: 1, normal: 1, low: 0 },
    oldest_due_seconds: 0.2
  }],
  totals: { pending: 2, running: 1, dead_letters: 0 },
  recent: {
    tasks: 3,
    since: "2025-08-01T09:58:00.000Z",
    completed: 1,
    failed: 0,
    cancelled: 0,
    retries: 0,
    error_rate: 0,
    average_execution_seconds: 1.5
  },
  timestamp: "2025-08-01T10:00:15.000Z"
}

export const event = Tasks.event
