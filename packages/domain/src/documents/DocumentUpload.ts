/**
 * A document that is larger than a request's body of JSON: it is uploaded as it is, and then named by whoever hands it in. Until
 * then it is its uploader's; from then on it is the document's source.
 */
import { Duration, Schema } from "effect"
import { OrganizationId, UploadId } from "../Ids.ts"
import { DocumentFormat } from "./Document.ts"

/** 50 MiB: of a document in whatever format, and of the text that is in it. */
export const MAX_DOCUMENT_BYTES = 52_428_800
/** Uploads that one person may have which no document has taken; those that still arrive count too. */
export const MAX_OPEN_UPLOADS = 5
/** Bytes of all uploads of an organization beyond which it gets no further one. */
export const MAX_UPLOADED_BYTES = 2_147_483_648
/** How long an upload waits for a document, or a resumable one for its rest. */
export const uploadLife = Duration.hours(24)

export class DocumentUpload extends Schema.Class<DocumentUpload>("DocumentUpload")({
  upload_id: UploadId,
  organization_id: OrganizationId,
  format: DocumentFormat,
  /** As many as are stored. */
  bytes: Schema.Int,
  /** False: the rest is still to come, and no document can take it yet. */
  complete: Schema.Boolean,
  created_at: Schema.DateTimeUtcFromString,
  /** When it goes if no document has taken it. */
  expires_at: Schema.DateTimeUtcFromString
}) {}
