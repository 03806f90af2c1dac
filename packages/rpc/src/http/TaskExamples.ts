/** One running story for the examples of tasks, insights and workers in the OpenAPI document (ids as in seed 000). */
const user_id = "dd72f29f-a51b-4a2d-add8-496537c8e078"
const entry_ids = ["550e8400-e29b-41d4-a716-446655440001", "550e8400-e29b-41d4-a716-446655440002"] as const
const task_id = `insight_${user_id}_1754042400_5f21c1df3a33d005`
const insight_id = "7b3c1f52-6a0e-4d4f-9c39-0c2f8a1d7e11"
const content = "On 1 July 2025, 1 h 45 min of work were recorded in 2 entries."
const citations = [{ paragraph: 0, entry_ids }]

export const insightRequest = {
  user_id,
  entry_ids,
  insight_type: "productivity",
  context: "Weekly productivity analysis for performance review"
}

export const reportRequest = { user_id, start_date: "2025-07-01", end_date: "2025-07-31" }

export const accepted = { task_id, message: "Insight generation task queued successfully" }

export const task = {
  task_id,
  kind: "INSIGHT_GENERATION",
  state: "running",
  progress: 25,
  message: "Starting AI insight generation",
  attempt: 1,
  max_attempts: 1,
  priority: 5,
  organization_id: "b0d4313b-9ad5-4c68-8dae-2f40cc505458",
  created_at: "2025-08-01T10:00:00.000Z",
  started_at: "2025-08-01T10:00:00.010Z",
  completed_at: null,
  deadline: "2025-08-01T10:05:00.000Z",
  worker_id: "worker-1",
  error: null,
  reason: null
}

export const taskResult = {
  task_id,
  worker_id: "worker-1",
  status: "TASK_STATUS_COMPLETED",
  result: JSON.stringify({
    content,
    tags: ["productivity"],
    confidence: 0.85,
    insight_id,
    model: "llama3.2:3b",
    prompt_version: "1",
    source: "model",
    fallback_reason: null,
    citations
  }),
  error: "",
  started_at: "2025-08-01T10:00:00.010Z",
  completed_at: "2025-08-01T10:00:12.500Z"
}

export const insightSummary = {
  id: insight_id,
  task_id,
  user_id,
  organization_id: task.organization_id,
  insight_type: "productivity",
  period_start: "2025-07-01",
  period_end: "2025-07-01",
  project_ids: null,
  content,
  tags: ["productivity"],
  confidence: 0.85,
  model: "llama3.2:3b",
  prompt_version: "1",
  source: "model",
  fallback_reason: null,
  entry_count: 2,
  created_at: "2025-08-01T10:00:12.500Z"
}

export const insight = {
  ...insightSummary,
  citations,
  facts: [{ id: "total.time", label: "Time recorded", value: 105, unit: "minutes", text: "1 h 45 min", entry_ids }],
  removed: []
}

export const generateRequest = {
  report_type: "weekly",
  period_start: "2025-06-30",
  period_end: "2025-07-06",
  include_projects: [],
  focus_areas: ["time_allocation", "goal_progress"]
}

export const generated = {
  task_id: `report_${user_id}_1754042400_5f21c1df3a33d005`,
  message: "Insight generation task queued successfully",
  cached: false,
  insight_id: null
}

export const generatedBefore = {
  ...generated,
  message: "An insight answers this question already; nothing that it rests on has changed",
  cached: true,
  insight_id
}

export const verification = {
  insight_id,
  verdict: "outdated",
  verified_at: "2025-08-02T08:00:00.000Z",
  facts_unchanged: 0,
  facts: [{
    id: "total.time",
    label: "Time recorded",
    unit: "minutes",
    status: "changed",
    was: { value: 105, text: "1 h 45 min" },
    now: { value: 135, text: "2 h 15 min" },
    why: [0]
  }],
  changes: [{ kind: "entry_redated", entry_id: entry_ids[0], fields: ["end_time"] }],
  sentences: [{
    sentence: "1 h 45 min of work were recorded.",
    as_checked: true,
    resolves: false,
    figures: [{ figure: "1 h 45 min", source: "fact", fact_id: "total.time", resolves: false, now: "2 h 15 min" }]
  }]
}

export const worker = {
  worker_id: "worker-1",
  worker_name: "EngLog Worker",
  version: "0.1.0",
  status: "idle",
  paused: false,
  kinds: ["INSIGHT_GENERATION", "WEEKLY_REPORT"],
  queues: ["default"],
  max_concurrent_tasks: 5,
  protocol: 2,
  active_tasks: 0,
  completed_tasks: 12,
  failed_tasks: 0,
  cpu_usage: 0.03,
  memory_usage: 128.5,
  registered_at: "2025-08-01T09:00:00.000Z",
  last_heartbeat_at: "2025-08-01T10:00:15.000Z"
}

export const workersScaling = {
  queues: [{ queue: "default", depth: 12, not_ready: 0, in_flight: 5, oldest_due_seconds: 3.2, suggested_workers: 4 }],
  slots_per_worker: 5,
  suggested_workers: 4,
  timestamp: "2025-08-01T10:00:15.000Z"
}

export const workersHealth = {
  status: "healthy",
  total_workers: 1,
  healthy_workers: 1,
  capacity: 5,
  active_tasks: 1,
  queued_tasks: 0,
  timestamp: "2025-08-01T10:00:15.000Z"
}

const step = { seq: 3, type: "completed", at: "2025-08-01T12:00:01.000Z", attempt: 1, progress: 100, message: null, worker_id: "worker-1" }

/** One of a stream's. */
export const event = { id: String(step.seq), event: step.type, data: JSON.stringify(step) }
