/** One running story for the examples of webhooks in the OpenAPI document. */
const organization_id = "8a0f3e0e-9c55-4a53-9c13-6b6f0e6f1a10"
const user_id = "dd72f29f-a51b-4a2d-add8-496537c8e078"
const delivery_id = "3a1c8e54-8a9e-4f5b-9a53-0d7c1b7f2a44"
const webhook_id = "msg_3a1c8e548a9e4f5b9a530d7c1b7f2a44"
const task_id = `webhook-delivery_${user_id}_1754042400_01987e2f5a4c00005f21c1df3a33d005`

export const deliveryRequest = {
  webhook_url: "https://example.com/webhook",
  data: { user_registered: "ada" },
  headers: {},
  sign_payload: false,
  priority: "high"
}

export const accepted = { task_id, delivery_id, webhook_id, message: "Task queued successfully" }

export const request = {
  url: "https://example.com/englog",
  description: "Our chat",
  events: ["task.failed", "insight.created"],
  headers: { authorization: "Bearer t0k3n" },
  max_retries: 5,
  rate_limit: { max_running: 5, per_second: 20 }
}

export const endpoint = {
  ...request,
  id: "7d9b1b0e-54d5-4a2b-8d3f-52a7a6d1c1aa",
  organization_id,
  user_id,
  enabled: true,
  disabled_reason: null,
  circuit: { state: "closed", failures: 0, retry_at: null },
  created_at: "2025-08-01T10:00:00.000Z",
  updated_at: "2025-08-01T10:00:00.000Z"
}

/** The example secret of the specification. */
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

export const created = { ...endpoint, secret }

export const newSecret = { secret, previous_valid_until: "2025-08-02T10:00:00.000Z" }

export const delivery = {
  id: delivery_id,
  webhook_id,
  organization_id,
  endpoint_id: endpoint.id,
  event_type: "task.failed",
  status: "delivered",
  signed: true,
  task_id,
  attempts: 1,
  last_status_code: 200,
  created_at: "2025-08-01T10:00:00.000Z",
  ended_at: "2025-08-01T10:00:01.000Z"
}

export const detail = {
  ...delivery,
  url: request.url,
  body: "{\"type\":\"task.failed\",\"timestamp\":\"2025-08-01T10:00:00.000Z\",\"data\":{}}",
  log: [{
    at: "2025-08-01T10:00:01.000Z",
    task_id,
    attempt: 1,
    state: "answered",
    duration_ms: 84,
    status_code: 200,
    error: null,
    request_headers: { "content-type": "application/json", "webhook-id": webhook_id, "webhook-timestamp": "1754042401" },
    response_headers: { "content-type": "text/plain" },
    response_body: "ok"
  }]
}

export const redelivered = { items: [{ delivery_id, task_id }], more: false }
