/** One schedule for the examples of the OpenAPI document. */
const user_id = "dd72f29f-a51b-4a2d-add8-496537c8e078"
const task_id = `scheduled_${user_id}_1754287200_01987e2f5a4c00005f21c1df3a33d005`

export const request = { name: "Mondays", task_type: "data_analysis", payload: {}, cron: "0 9 * * MON", timezone: "Europe/Berlin", catch_up: "last" }

export const schedule = {
  id: "7a3c5d0e-1b5f-4f0e-9c44-2f5a8f0f6a11",
  organization_id: "b3c08a55-4dcb-4869-8066-7c49475e379f",
  user_id,
  name: request.name,
  task_type: request.task_type,
  payload: request.payload,
  priority: 5,
  queue: "default",
  timeout: 300,
  deadline: 86400,
  retry_policy: { max_retries: 3, base_delay: 60, backoff_factor: 2, max_delay: 3600 },
  cron: "0 9 * * MON",
  timezone: "Europe/Berlin",
  catch_up: "last",
  catch_up_limit: 100,
  paused: false,
  next_run_at: "2025-08-11T07:00:00.000Z",
  last_run_at: "2025-08-04T07:00:00.000Z",
  last_task_id: task_id,
  created_at: "2025-08-01T10:00:00.000Z",
  updated_at: "2025-08-01T10:00:00.000Z"
}

export const accepted = { task_id, message: "Task queued successfully" }
