/** One team for the examples of the OpenAPI document. */
export const request = { name: "Payments", description: "Everything about money" }

export const team = {
  ...request,
  id: "c1a6a5b2-8a44-4d43-9e0f-6b1a3f1d2c33",
  role: "admin",
  member_count: 2,
  created_at: "2026-01-05T08:00:00.000Z",
  updated_at: "2026-01-05T08:00:00.000Z",
  etag: "pK3vD9sQm1tX7wLZ0yR2hA"
}

export const member = {
  user_id: "d8c8aa81-59cb-45ab-8eb3-6042c84498fd",
  first_name: "Ada",
  last_name: "Lovelace",
  email: "ada@example.com",
  role: "lead",
  joined_at: "2026-01-06T08:00:00.000Z",
  etag: "pK3vD9sQm1tX7wLZ0yR2hA"
}

export const invitation = {
  id: "9a6f2b1c-4f0b-4c62-8f55-0a8c0f2f7d44",
  team_id: team.id,
  email: member.email,
  role: "member",
  invited_by: "1c0f7f3a-6a55-4a37-8a0e-3c1f2b9d5e66",
  created_at: "2026-01-05T08:00:00.000Z",
  expires_at: "2026-01-12T08:00:00.000Z"
}

export const newInvitation = { ...invitation, token: "mZ0zq3l0bV8dQmK1u2o0Yw…", accept_path: "/v1/invitations/accept" }

export const entry = {
  id: "3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11",
  user_id: member.user_id,
  project_id: "0f6d2c1e-55a4-4b0f-9d38-6a1f6f5b7f10",
  title: "Fix the login race",
  type: "debug",
  tags: ["backend"],
  start_time: "2026-01-05T09:00:00.000Z",
  end_time: "2026-01-05T10:30:00.000Z",
  duration_minutes: 90,
  value_rating: "high",
  impact_level: "product"
}

const sums = { entries: 1, minutes: 90, hours: 1.5 }

export const stats = {
  team_id: team.id,
  ...sums,
  by_member: [{ user_id: member.user_id, ...sums }],
  by_project: [{ project_id: entry.project_id, ...sums }],
  by_type: [{ type: "debug", ...sums }]
}
