/** Examples of connections to n8n in the OpenAPI document. */
export const request = {
  name: "Production",
  base_url: "https://n8n.example.com",
  auth: { type: "header", name: "X-EngLog-Key", value: "a-long-random-value" },
  sync_types: [{ sync_type: "user_registration", path: "user-registration", mapping: { email: "user.email", name: "user.name" } }],
  timeout: 30
}

export const connection = {
  ...request,
  auth: { type: "header", name: "X-EngLog-Key" },
  id: "0b9a6f5e-3d0c-4b7e-9a44-1f2d3c4b5a60",
  organization_id: "5f0c0e5e-6d53-4f0e-9d3a-0b9d3c4e9a10",
  last_success_at: null,
  last_failure_at: null,
  last_task_id: null,
  created_at: "2026-01-05T08:00:00.000Z",
  updated_at: "2026-01-05T08:00:00.000Z"
}

export const sync = { sync_type: "user_registration", data: { user: { email: "ada@example.com", name: "Ada" } }, priority: "high" }

export const trigger = {
  connection_id: connection.id,
  path: "nightly-report",
  data: { day: "2026-01-05" },
  test: false
}

const user_id = "dd72f29f-a51b-4a2d-add8-496537c8e078"
export const accepted = { task_id: `external-sync_${user_id}_1754042400_01987e2f5a4c00005f21c1df3a33d005`, message: "Task queued successfully" }
