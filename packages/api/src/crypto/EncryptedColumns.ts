/**
 * The registry of encrypted columns: what may be sealed at all, what each value is bound to, and where the rotation of keys
 * finds it. In the database these are exactly the columns of type `encrypted_text`; a test holds the two against each other.
 */

export interface EncryptedColumn {
  readonly table: string
  readonly column: string
  /** What a value is bound to besides its row; columns between which SQL moves a value as it is share one. */
  readonly purpose: string
  /** SQL of the row's name in that binding; the table's alias is `v`. */
  readonly row: string
  /** The table's primary key, by which it is walked through. */
  readonly key: readonly [KeyColumn, ...ReadonlyArray<KeyColumn>]
  /** Values that are read at once, where the usual number of them would be too large. */
  readonly batch?: number
  /** To what a value of format v1 is bound where that was no row: see docs/decisions/0012. */
  readonly v1Context?: string
}

export interface KeyColumn {
  readonly name: string
  readonly type: "uuid" | "bigint" | "integer"
}

const uuid = [{ name: "id", type: "uuid" }] as const
const bigint = [{ name: "id", type: "bigint" }] as const
const event = [{ name: "task", type: "bigint" }, { name: "seq", type: "integer" }] as const
const uploadPart = [{ name: "upload", type: "uuid" }, { name: "place", type: "integer" }] as const
const documentKey = [{ name: "key", type: "uuid" }] as const
const taskOf = (id: string) => `(SELECT t.task_id FROM tasks t WHERE t.id = v.${id})`

const define = (
  table: string,
  column: string,
  key: EncryptedColumn["key"],
  row: string,
  more: { readonly purpose?: string; readonly v1Context?: string; readonly batch?: number } = {}
): EncryptedColumn => ({ table, column, key, row, purpose: `${table}.${column}`, ...more })

const ofTask = (table: string, column: string, key: EncryptedColumn["key"], row: string, purpose = `${table}.${column}`) =>
  define(table, column, key, row, { purpose, v1Context: "tasks.text" })

export const EncryptedColumn = {
  entryDescription: define("log_entries", "description", uuid, "v.id::text"),
  entrySourceId: define("log_entries", "source_id", uuid, "v.id::text"),
  importProblems: define("imports", "problems", uuid, "v.id::text"),
  proposalContent: define("proposals", "content", uuid, "v.id::text"),
  idempotentResponse: define("idempotency_keys", "response", uuid, "v.id::text"),
  projectDescription: define("projects", "description", uuid, "v.id::text"),
  organizationDescription: define("organizations", "description", uuid, "v.id::text"),
  invitationEmail: define("team_invitations", "email", uuid, "v.id::text"),
  changedEmail: define("email_changes", "email", [{ name: "user_id", type: "uuid" }], "v.user_id::text"),
  pdfTitle: define("pdf_exports", "title", uuid, "v.id::text"),
  pdfDocument: define("pdf_exports", "document", uuid, "v.id::text"),
  feedName: define("calendar_feeds", "name", uuid, "v.id::text"),
  feedFilter: define("calendar_feeds", "filter", uuid, "v.id::text"),
  mailAddress: define("mail_deliveries", "address", uuid, "v.id::text"),
  mailLetter: define("mail_deliveries", "letter", uuid, "v.id::text"),
  mailResponse: define("mail_deliveries", "response", uuid, "v.id::text"),
  goalTitle: define("goals", "title", uuid, "v.id::text"),
  goalDescription: define("goals", "description", uuid, "v.id::text"),
  notice: define("notifications", "notice", uuid, "v.id::text"),
  n8nAuth: define("n8n_connections", "auth", uuid, "v.id::text"),
  taskName: define("tasks", "name", bigint, "v.task_id"),
  scheduleName: define("schedules", "name", uuid, "v.id::text"),
  taskPrivateInput: ofTask("tasks", "private_input", bigint, "v.task_id"),
  taskResult: ofTask("tasks", "result", bigint, "v.task_id"),
  taskError: ofTask("tasks", "error", bigint, "v.task_id"),
  // A message moves from the queue to the record and into the history by SQL: one purpose for the three.
  taskMessage: ofTask("tasks", "message", bigint, "v.task_id"),
  queueMessage: ofTask("task_queue", "message", bigint, taskOf("id"), "tasks.message"),
  eventMessage: ofTask("task_events", "message", event, taskOf("task"), "tasks.message"),
  cancelReason: define("task_queue", "cancel_reason", bigint, taskOf("id")),
  suggestionProposal: define("entry_suggestions", "proposal", uuid, "v.id::text"),
  insightContent: define("insights", "content", uuid, "v.id::text"),
  insightTags: define("insights", "tags", uuid, "v.id::text"),
  insightFacts: define("insights", "facts", uuid, "v.id::text"),
  insightRemoved: define("insights", "removed", uuid, "v.id::text"),
  insightBasis: define("insights", "basis", uuid, "v.id::text"),
  insightDraft: define("insights", "draft", uuid, "v.id::text"),
  insightFallbackReason: define("insights", "fallback_reason", uuid, "v.id::text"),
  knowledgeSecret: define("knowledge_keys", "secret", [{ name: "organization_id", type: "uuid" }], "v.organization_id::text"),
  documentTitle: define("documents", "title", documentKey, "v.key::text"),
  documentSource: define("documents", "source", documentKey, "v.key::text"),
  uploadPart: define("document_upload_parts", "content", uploadPart, "v.upload::text || '/' || v.place::text", { batch: 8 }),
  chunkHeadings: define("document_chunks", "heading_path", uuid, "v.id::text"),
  chunkContent: define("document_chunks", "content", uuid, "v.id::text"),
  sessionAddress: define("refresh_token_families", "address", uuid, "v.id::text"),
  sessionUserAgent: define("refresh_token_families", "user_agent", uuid, "v.id::text"),
  apiTokenName: define("api_tokens", "name", uuid, "v.id::text"),
  webhookUrl: define("webhook_endpoints", "url", uuid, "v.id::text"),
  webhookDescription: define("webhook_endpoints", "description", uuid, "v.id::text"),
  webhookHeaders: define("webhook_endpoints", "headers", uuid, "v.id::text"),
  webhookSecret: define("webhook_secrets", "secret", uuid, "v.id::text"),
  deliveryTarget: define("webhook_deliveries", "target", uuid, "v.id::text"),
  deliveryBody: define("webhook_deliveries", "body", uuid, "v.id::text"),
  deliveryRecord: define("webhook_attempts", "record", uuid, "v.id::text"),
  securityEventAddress: define("security_events", "address", uuid, "v.id::text")
} as const

export const encryptedColumns: ReadonlyArray<EncryptedColumn> = Object.values(EncryptedColumn)

/** Columns that were plain once: what is left in `plain` is sealed into the encrypted column when the API starts. */
export interface PlainColumn {
  readonly plain: string
  /** SQL of the text to be sealed. */
  readonly text: string
  readonly into: EncryptedColumn
}

export const plainColumns: ReadonlyArray<PlainColumn> = [
  { plain: "plain_description", text: "v.plain_description", into: EncryptedColumn.projectDescription },
  { plain: "plain_cancel_reason", text: "v.plain_cancel_reason", into: EncryptedColumn.cancelReason },
  { plain: "plain_tags", text: "to_json(v.plain_tags)::text", into: EncryptedColumn.insightTags },
  { plain: "plain_fallback_reason", text: "v.plain_fallback_reason", into: EncryptedColumn.insightFallbackReason }
]
