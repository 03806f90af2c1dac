/** Examples of AccountApi in the OpenAPI document. */
const office = [{ start: "09:00", end: "12:30" }, { start: "13:15", end: "17:30" }]

export const settings = {
  locale: "de-DE",
  week_start: "monday",
  email_report_ready: false,
  weekly_report: true,
  team_notifications: true,
  email_team_notifications: true,
  working_hours: { monday: office, tuesday: office, wednesday: office, thursday: office, friday: [{ start: "09:00", end: "13:00" }], saturday: [], sunday: [] }
}

export const preferencesRequest = { timezone: "Europe/Berlin", ...settings }

export const preferences = { ...preferencesRequest, etag: "Zc4mT8rVb2nY6qWs1xK0dQ" }

export const profileRequest = { first_name: "Ada", last_name: "Lovelace", timezone: "Europe/Berlin", preferences: settings }

export const profile = {
  ...profileRequest,
  id: "d8c8aa81-59cb-45ab-8eb3-6042c84498fd",
  email: "ada@example.com",
  organization_id: "b3c08a55-4dcb-4869-8066-7c49475e379f",
  is_admin: false,
  last_login_at: "2026-01-05T08:00:00.000Z",
  created_at: "2026-01-02T08:00:00.000Z",
  updated_at: "2026-01-02T08:00:00.000Z",
  etag: "pK3vD9sQm1tX7wLZ0yR2hA"
}

export const emailRequest = { email: "ada.lovelace@example.com", password: "correct horse battery" }

export const emailChange = {
  email: emailRequest.email,
  requested_at: "2026-01-05T08:00:00.000Z",
  expires_at: "2026-01-06T08:00:00.000Z"
}

export const emailToken = { token: "mZ0zq3l0bV8dQmK1u2o0Yw…" }

export const session = {
  id: "6c0b5f39-9a35-4c6e-8d0e-0e3f0c6f5a11",
  current: true,
  created_at: "2026-01-05T08:00:00.000Z",
  last_used_at: "2026-01-05T09:15:00.000Z",
  expires_at: "2026-02-04T09:15:00.000Z",
  address: "192.0.2.17",
  user_agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/141.0"
}

export const tokenRequest = { name: "Nightly import", scopes: ["read", "write"], expires_in_days: 90 }

export const token = {
  id: "a4f0c1de-3a52-4a9a-8d0d-6d7d3a0f7c12",
  name: tokenRequest.name,
  scopes: tokenRequest.scopes,
  created_at: "2026-01-05T08:00:00.000Z",
  expires_at: "2026-04-05T08:00:00.000Z",
  last_used_at: null
}

export const newToken = { ...token, token: "englog_Vn3…" }

const password = "correct horse battery"

export const passwordChange = { current_password: password, new_password: "a longer horse battery" }

export const proof = { password }

export const deletion = { requested_at: "2026-01-05T08:00:00.000Z", delete_after: "2026-02-01T00:00:00.000Z" }

export const deletionRequest = { password, delete_after: "2026-02-01T00:00:00Z" }

export const job = {
  name: "scheduled-deletions",
  description: "accounts whose deletion was due",
  runs_at: "03:50 UTC",
  state: "completed",
  started_at: "2026-01-05T03:50:00.000Z",
  ended_at: "2026-01-05T03:50:00.120Z",
  started_by: "schedule",
  removed: 1
}
