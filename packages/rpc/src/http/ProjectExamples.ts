/** One project for the examples of the OpenAPI document. */
export const request = { name: "Billing service", description: "Invoices and payments", status: "active", color: "#1f77b4", start_date: "2026-01-05" }

export const project = {
  ...request,
  id: "0f6d2c1e-55a4-4b0f-9d38-6a1f6f5b7f10",
  organization_id: "b3c08a55-4dcb-4869-8066-7c49475e379f",
  end_date: null,
  team_id: null,
  is_default: false,
  archived_at: null,
  created_by: "d8c8aa81-59cb-45ab-8eb3-6042c84498fd",
  created_at: "2026-01-05T08:00:00.000Z",
  updated_at: "2026-01-05T08:00:00.000Z",
  etag: "pK3vD9sQm1tX7wLZ0yR2hA"
}

const sums = { entries: 12, minutes: 1105, hours: 18.42 }

export const stats = {
  project_id: project.id,
  ...sums,
  contributors: 1,
  first_entry_at: "2026-01-05T09:00:00.000Z",
  last_entry_at: "2026-01-09T15:00:00.000Z",
  by_type: [{ type: "code", ...sums }],
  by_value: [{ value_rating: "high", ...sums }],
  by_impact: [{ impact_level: "product", ...sums }],
  by_week: [{ week: "2026-01-05", ...sums }]
}

export const sharing = { project_id: project.id, level: "entries", since: null, etag: "pK3vD9sQm1tX7wLZ0yR2hA" }
