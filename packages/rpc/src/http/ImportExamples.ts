/** Examples of imports and their inbox in the OpenAPI document. */

export const calendarRequest = {
  calendar_data: [{
    title: "Sprint planning",
    description: "Scope of sprint 12",
    start_time: "2026-01-05T09:00:00Z",
    end_time: "2026-01-05T10:00:00Z"
  }],
  timezone: "Europe/Berlin"
}

const import_id = "5d0c5a54-2a51-4f0e-9d8e-0a6c2f8d1b11"
const task_id = "import_d8c8aa81-59cb-45ab-8eb3-6042c84498fd_1767603662_6f1f2c7b9a3e4d5c"
const proposal = "7be3a6b1-6f52-4c1d-8a5f-0f6f1c2d3e44"

export const accepted = { task_id, import_id, message: "Calendar import queued successfully" }

export const csvRequest = {
  csv: "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags\r\n"
    + "Ada,ada@example.com,,Billing service,,Fix the login race,No,2026-01-05,09:00:00,2026-01-05,10:30:00,01:30:00,backend\r\n",
  timezone: "Europe/Berlin"
}

export const csvAccepted = { task_id, import_id, message: "CSV import queued successfully" }

export const gitRequest = { path: "/srv/repositories/billing", author_emails: ["ada@example.com"], from: "2026-01-01", to: "2026-01-31" }

export const gitAccepted = { task_id, import_id, message: "Git import queued successfully" }

export const githubRequest = {
  repositories: ["analytical/engine"],
  token: "ghp_0123456789",
  base_url: "https://github.example.com/api/v3",
  from: "2026-01-01",
  to: "2026-01-31"
}

export const githubAccepted = { task_id, import_id, message: "GitHub import queued successfully" }

export const jiraRequest = {
  base_url: "https://jira.example.com",
  email: "ada@example.com",
  token: "ATATT0123456789",
  from: "2026-01-01",
  to: "2026-01-31"
}

export const jiraAccepted = { task_id, import_id, message: "Jira import queued successfully" }

export const slackRequest = { token: "xoxp-0123456789", base_url: "https://slack.example.com/api", timezone: "Europe/Berlin" }

export const slackAccepted = { task_id, import_id, message: "Slack import queued successfully" }

const accountTimes = { created_at: "2026-01-05T08:00:00.114208+00:00", updated_at: "2026-01-05T08:00:00.114208+00:00" }
const exportedProject = "5b1c7a52-3c0e-4d4b-8a7e-2f7a1d0c9e11"

export const accountRequest = {
  version: 1,
  exported_at: "2026-01-31T18:00:00.000Z",
  user_profile: [{
    id: "d8c8aa81-59cb-45ab-8eb3-6042c84498fd",
    first_name: "Ada",
    last_name: "Lovelace",
    timezone: "Europe/Berlin",
    preferences: { locale: "en", week_start: "monday" }
  }],
  tags: [],
  projects: [{
    id: exportedProject,
    name: "Billing service",
    description: null,
    status: "active",
    color: "#1f77b4",
    start_date: null,
    end_date: null,
    archived_at: null,
    ...accountTimes
  }],
  team_projects: [],
  default_project: [{ project_id: exportedProject }],
  goals: [],
  log_entries: [{
    id: "3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11",
    project_id: exportedProject,
    title: "Fix the login race",
    description: null,
    type: "code",
    tags: ["backend"],
    start_time: "2026-01-05T09:00:00+00:00",
    end_time: "2026-01-05T10:30:00+00:00",
    value_rating: "high",
    impact_level: "team",
    source: null,
    source_id: null,
    ...accountTimes
  }],
  insights: [],
  sessions: [{ id: "0c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f" }]
}

export const accountRestored = {
  restored: {
    user_profile: 1, tags: 0, projects: 1, team_projects: 0, default_project: 1, goals: 0, log_entries: 1, insights: 0,
    imports: 0, proposals: 0, documents: 0, document_uploads: 0, document_upload_parts: 0
  },
  left_out: [{ section: "sessions", count: 1, reason: "a login is good for the account that it was made for" }]
}

export const record = {
  id: import_id,
  source: "calendar_data",
  task_id,
  state: "completed",
  part: 1,
  outcome: "completed",
  error: null,
  period_from: null,
  period_to: null,
  created: 1,
  updated: 0,
  corrections: 0,
  removed: 0,
  unchanged: 0,
  skipped: 0,
  problem_count: 1,
  problems: [{ index: 1, row: null, field: "start_time", item: "Retro", error: "must be an RFC 3339 time with its zone" }],
  created_at: "2026-01-05T10:31:02.114Z",
  completed_at: "2026-01-05T10:31:03.020Z"
}

export const day = {
  date: "2026-01-05",
  proposals: [{
    id: proposal,
    import_id,
    source: "calendar",
    source_id: "sprint-12@example.com",
    entry_id: null,
    removed: false,
    title: "Sprint planning",
    description: "Scope of sprint 12",
    type: "planning",
    impact_level: "team",
    tags: [],
    project: null,
    project_id: null,
    start_time: "2026-01-05T09:00:00Z",
    end_time: "2026-01-05T10:00:00Z",
    duration_minutes: 60,
    all_day: false,
    needs_times: false,
    overlaps: [{ proposal_id: null, entry_id: "3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11", minutes: 15 }],
    updated_at: "2026-01-05T10:31:03.020Z"
  }],
  entries: [{
    id: "3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11",
    title: "Fix the login race",
    start_time: "2026-01-05T09:45:00Z",
    end_time: "2026-01-05T10:30:00Z"
  }],
  gaps: [],
  more: false
}

export const decisions = {
  decisions: [
    { id: proposal, action: "accept", entry: { type: "planning", tags: ["sprint-12"] } },
    { id: "0c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f", action: "dismiss" }
  ],
  atomic: false
}

export const decided = {
  items: [
    {
      index: 0,
      id: proposal,
      status: 404,
      entry: null,
      error: `you have no proposal ${proposal}`,
      code: "not_found",
      details: []
    },
    { index: 1, id: "0c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f", status: 200, entry: null, error: null, code: null, details: [] }
  ],
  succeeded: 1,
  failed: 1,
  failed_index: null
}
