/**
 * Identifiers. Each is branded, so that one can never stand where another belongs.
 *
 * UUIDs are lower-case RFC 9562 text. Task ids are readable: `insight_{user}_{unix seconds}_{suffix}` (seed 000), where
 * the suffix is unguessable and keeps two submissions within one second apart.
 */
import { Schema } from "effect"

const Uuid = Schema.String.pipe(Schema.check(Schema.isUUID()))

export const UserId = Uuid.pipe(Schema.brand("UserId"))
export type UserId = typeof UserId.Type

export const OrganizationId = Uuid.pipe(Schema.brand("OrganizationId"))
export type OrganizationId = typeof OrganizationId.Type

export const EntryId = Uuid.pipe(Schema.brand("EntryId"))
export type EntryId = typeof EntryId.Type

export const ProjectId = Uuid.pipe(Schema.brand("ProjectId"))
export type ProjectId = typeof ProjectId.Type

export const TagId = Uuid.pipe(Schema.brand("TagId"))
export type TagId = typeof TagId.Type

export const GoalId = Uuid.pipe(Schema.brand("GoalId"))
export type GoalId = typeof GoalId.Type

export const InvitationId = Uuid.pipe(Schema.brand("InvitationId"))
export type InvitationId = typeof InvitationId.Type

export const InsightId = Uuid.pipe(Schema.brand("InsightId"))
export type InsightId = typeof InsightId.Type

/** Of an address to which no e-mail is sent. */
export const SuppressionId = Uuid.pipe(Schema.brand("SuppressionId"))
export type SuppressionId = typeof SuppressionId.Type

export const DeliveryId = Uuid.pipe(Schema.brand("DeliveryId"))
export type DeliveryId = typeof DeliveryId.Type

export const ImportId = Uuid.pipe(Schema.brand("ImportId"))
export type ImportId = typeof ImportId.Type

export const ProposalId = Uuid.pipe(Schema.brand("ProposalId"))
export type ProposalId = typeof ProposalId.Type

export const SuggestionId = Uuid.pipe(Schema.brand("SuggestionId"))
export type SuggestionId = typeof SuggestionId.Type

export const ScheduleId = Uuid.pipe(Schema.brand("ScheduleId"))
export type ScheduleId = typeof ScheduleId.Type

export const NotificationId = Uuid.pipe(Schema.brand("NotificationId"))
export type NotificationId = typeof NotificationId.Type

export const N8nConnectionId = Uuid.pipe(Schema.brand("N8nConnectionId"))
export type N8nConnectionId = typeof N8nConnectionId.Type
/** An endpoint that is told of events. */
export const WebhookId = Uuid.pipe(Schema.brand("WebhookId"))
export type WebhookId = typeof WebhookId.Type

/** One message to one URL, however often it is tried. */
export const WebhookDeliveryId = Uuid.pipe(Schema.brand("WebhookDeliveryId"))
export type WebhookDeliveryId = typeof WebhookDeliveryId.Type

/** Of a document, by us; its submitter's own name for it is `document_id`. */
export const DocumentKey = Uuid.pipe(Schema.brand("DocumentKey"))
export type DocumentKey = typeof DocumentKey.Type

export const UploadId = Uuid.pipe(Schema.brand("UploadId"))
export type UploadId = typeof UploadId.Type

export const ChunkId = Uuid.pipe(Schema.brand("ChunkId"))
export type ChunkId = typeof ChunkId.Type

/** A login session of a person: everything that descends from one login by rotation of its refresh token. */
export const FamilyId = Uuid.pipe(Schema.brand("FamilyId"))
export type FamilyId = typeof FamilyId.Type

export const ApiTokenId = Uuid.pipe(Schema.brand("ApiTokenId"))
export type ApiTokenId = typeof ApiTokenId.Type

export const FeedId = Uuid.pipe(Schema.brand("FeedId"))
export type FeedId = typeof FeedId.Type

export const PdfId = Uuid.pipe(Schema.brand("PdfId"))
export type PdfId = typeof PdfId.Type

export const SessionId = Uuid.pipe(Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type

export const TaskId = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[a-z][a-z0-9-]{0,30}_[A-Za-z0-9_-]{8,120}$/u)),
  Schema.brand("TaskId")
)
export type TaskId = typeof TaskId.Type

/** Chosen by the worker; `host-pid-random` where it has no wish of its own. */
export const WorkerId = Schema.String.pipe(
  Schema.check(Schema.isMinLength(1), Schema.isMaxLength(200)),
  Schema.brand("WorkerId")
)
export type WorkerId = typeof WorkerId.Type
