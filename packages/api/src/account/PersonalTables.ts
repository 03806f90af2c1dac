/**
 * Where a person's data lie, table by table: what the export reads, section by section in this order. A table that holds
 * nothing of a person, or only what another table tells as well, is named with the reason; a test holds both lists against the
 * database, so that a new table cannot be forgotten.
 */
import type { KeyColumn } from "../crypto/EncryptedColumns.ts"

export interface PersonalTable {
  readonly section: string
  readonly table: string
  readonly key: readonly [KeyColumn, ...ReadonlyArray<KeyColumn>]
  /** SQL over the row `v`; `$user` stands for the account's id. */
  readonly whose: string
  /** Columns that are secrets, or numbers that mean nothing outside. */
  readonly without?: ReadonlyArray<string>
  /** More fields: name and SQL. */
  readonly more?: Readonly<Record<string, string>>
  /** Encrypted columns whose text is JSON. */
  readonly json?: ReadonlyArray<string>
  /** Rows that are read at once, where the usual number of them would be too large. */
  readonly page?: number
}

const uuid = [{ name: "id", type: "uuid" }] as const
const bigint = [{ name: "id", type: "bigint" }] as const
const taskOf = (task: string) => `(SELECT t.task_id FROM tasks t WHERE t.id = v.${task})`
const ofOwnTask = (task: string) => `EXISTS (SELECT 1 FROM tasks t WHERE t.id = v.${task} AND t.user_id = $user)`

export const personalTables: ReadonlyArray<PersonalTable> = [
  { section: "user_profile", table: "users", key: uuid, whose: "v.id = $user", without: ["password_hash"] },
  {
    section: "organizations",
    table: "organizations",
    key: uuid,
    whose: "EXISTS (SELECT 1 FROM organization_members m WHERE m.organization_id = v.id AND m.user_id = $user)",
    more: { role: "(SELECT m.role FROM organization_members m WHERE m.organization_id = v.id AND m.user_id = $user)" }
  },
  {
    section: "log_entries",
    table: "log_entries",
    key: uuid,
    whose: "v.user_id = $user",
    without: ["word_digests", "words_key"],
    more: { tags: "ARRAY(SELECT t.name FROM log_entry_tags et JOIN tags t ON t.id = et.tag_id WHERE et.log_entry_id = v.id ORDER BY et.position)" }
  },
  { section: "imports", table: "imports", key: uuid, whose: "v.user_id = $user", without: ["feed_digest"], json: ["problems"] },
  {
    section: "proposals",
    table: "proposals",
    key: uuid,
    whose: "v.user_id = $user",
    without: ["item_digest", "content_digest", "feed_digest"],
    json: ["content"]
  },
  { section: "projects", table: "projects", key: uuid, whose: "v.created_by = $user", without: ["plain_description"] },
  {
    // What own entries and goals are linked to, and somebody else made: without these the links would lead nowhere.
    section: "team_projects",
    table: "projects",
    key: uuid,
    whose: `v.created_by IS DISTINCT FROM $user AND (EXISTS (SELECT 1 FROM log_entries e WHERE e.project_id = v.id AND e.user_id = $user)
      OR EXISTS (SELECT 1 FROM goal_projects gp JOIN goals g ON g.id = gp.goal_id WHERE gp.project_id = v.id AND g.user_id = $user)
      OR EXISTS (SELECT 1 FROM default_projects d WHERE d.project_id = v.id AND d.user_id = $user))`,
    without: ["organization_id", "created_by", "description", "plain_description"]
  },
  {
    section: "goals",
    table: "goals",
    key: uuid,
    whose: "v.user_id = $user",
    more: {
      tags: "ARRAY(SELECT t.name FROM goal_tags gt JOIN tags t ON t.id = gt.tag_id WHERE gt.goal_id = v.id ORDER BY t.name)",
      projects: "ARRAY(SELECT gp.project_id FROM goal_projects gp WHERE gp.goal_id = v.id ORDER BY gp.project_id)"
    }
  },
  {
    section: "shared_projects",
    table: "project_shares",
    key: [{ name: "project_id", type: "uuid" }, { name: "user_id", type: "uuid" }],
    whose: "v.user_id = $user"
  },
  {
    section: "sent_invitations",
    table: "team_invitations",
    key: uuid,
    whose: "v.invited_by = $user",
    without: ["email_digest", "token_hash"]
  },
  {
    section: "mail_deliveries",
    table: "mail_deliveries",
    key: uuid,
    whose: "v.user_id = $user",
    without: ["address_digest", "task", "attempt"],
    // What confirms an address is told by that address alone.
    more: { letter: "CASE WHEN v.template <> 'email_change' THEN v.letter END" },
    json: ["letter"]
  },
  {
    section: "user_metrics",
    table: "user_metrics",
    key: [{ name: "user_id", type: "uuid" }],
    whose: "v.user_id = $user",
    without: ["submitted_until"]
  },
  { section: "default_project", table: "default_projects", key: [{ name: "user_id", type: "uuid" }], whose: "v.user_id = $user" },
  { section: "tags", table: "tags", key: uuid, whose: "v.user_id = $user" },
  {
    section: "insights",
    table: "insights",
    key: uuid,
    whose: "v.user_id = $user",
    without: ["question_digest", "plain_tags", "plain_fallback_reason"],
    json: ["tags", "facts", "removed", "draft", "basis"]
  },
  { section: "notifications", table: "notifications", key: uuid, whose: "v.user_id = $user", json: ["notice"] },
  { section: "suggestions", table: "entry_suggestions", key: uuid, whose: "v.user_id = $user", json: ["proposal"] },
  {
    section: "documents",
    table: "documents",
    key: [{ name: "key", type: "uuid" }],
    whose: "v.submitted_by = $user",
    more: { personal: "EXISTS (SELECT 1 FROM organizations o WHERE o.id = v.organization_id AND o.personal_of = $user)" }
  },
  {
    section: "document_uploads",
    table: "document_uploads",
    key: uuid,
    whose: "(v.user_id = $user OR EXISTS (SELECT 1 FROM documents d WHERE d.key = v.document AND d.submitted_by = $user))"
  },
  // Base64 of bytes.
  {
    section: "document_upload_parts",
    table: "document_upload_parts",
    key: [{ name: "upload", type: "uuid" }, { name: "place", type: "integer" }],
    whose: "EXISTS (SELECT 1 FROM document_uploads u LEFT JOIN documents d ON d.key = u.document WHERE u.id = v.upload "
      + "AND (u.user_id = $user OR d.submitted_by = $user))",
    page: 8
  },
  { section: "schedules", table: "schedules", key: uuid, whose: "v.user_id = $user" },
  {
    section: "tasks",
    table: "tasks",
    key: bigint,
    whose: "v.user_id = $user",
    without: ["id", "parent"],
    // What an import read may hold tokens of other systems: a secret is told nowhere.
    more: { private_input: "CASE WHEN v.kind <> 'IMPORT' THEN v.private_input END" },
    json: ["private_input"]
  },
  { section: "webhooks", table: "webhook_endpoints", key: uuid, whose: "v.user_id = $user", without: ["circuit_probe"], json: ["headers"] },
  { section: "webhook_deliveries", table: "webhook_deliveries", key: uuid, whose: "v.user_id = $user", json: ["target"] },
  {
    section: "webhook_attempts",
    table: "webhook_attempts",
    key: uuid,
    whose: "EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.id = v.delivery_id AND d.user_id = $user)",
    json: ["record"]
  },
  {
    section: "open_tasks",
    table: "task_queue",
    key: bigint,
    whose: ofOwnTask("id"),
    without: ["id", "plain_cancel_reason"],
    more: { task_id: taskOf("id") }
  },
  {
    section: "task_events",
    table: "task_events",
    key: [{ name: "task", type: "bigint" }, { name: "seq", type: "integer" }],
    whose: ofOwnTask("task"),
    without: ["task"],
    more: { task_id: taskOf("task") }
  },
  { section: "sessions", table: "refresh_token_families", key: uuid, whose: "v.user_id = $user" },
  { section: "api_tokens", table: "api_tokens", key: uuid, whose: "v.user_id = $user", without: ["token_hash"] },
  { section: "pdf_exports", table: "pdf_exports", key: uuid, whose: "v.user_id = $user", without: ["document"] },
  {
    section: "calendar_feeds",
    table: "calendar_feeds",
    key: uuid,
    whose: "v.user_id = $user",
    without: ["secret_hash"],
    json: ["filter"]
  },
  { section: "security_events", table: "security_events", key: uuid, whose: "v.user_id = $user" },
  { section: "email_changes", table: "email_changes", key: [{ name: "user_id", type: "uuid" }], whose: "v.user_id = $user", without: ["token_hash"] },
  { section: "scheduled_deletions", table: "scheduled_deletions", key: [{ name: "user_id", type: "uuid" }], whose: "v.user_id = $user" }
]

export const notExported: Readonly<Record<string, string>> = {
  organization_members: "is the field `role` of organizations",
  log_entry_tags: "is the field `tags` of log entries",
  refresh_token_denylist: "ids of used tokens, of no meaning by themselves",
  goal_tags: "is the field `tags` of goals",
  goal_projects: "is the field `projects` of goals",
  weekly_reports: "which weeks were reported, which the tasks and insights of these reports tell as well",
  undeliverable_addresses: "digests of addresses that a mail server refused",
  day_rollups: "sums of log entries, computed from them",
  entry_marks: "which roll-ups and metrics have to be computed anew",
  notification_readers: "the number of the newest notification",
  n8n_connections: "an organization's settings, with secrets",
  n8n_sync_types: "an organization's settings",
  document_chunks: "is made of documents",
  document_places: "where chunks of documents are to stand",
  knowledge_keys: "secrets",
  idempotency_keys: "answers that were given once and are kept for a day",
  task_dependencies: "numbers of tasks",
  webhook_secrets: "secrets that are shown once, when they are made",
  dead_letters: "repeats tasks that failed",
  task_tenants: "a setting of the operator's",
  task_limits: "settings of the engine",
  queues: "settings of the operator's",
  worker_sessions: "machines",
  paused_workers: "machines",
  announced_kinds: "shapes that programs chose",
  replicas: "machines",
  jobs: "names and numbers of ours",
  englog_migrations: "names and numbers of ours"
}
