/** What a client says of a document it hands in, and of what it searches for; by REST and RPC alike. */
import { DocumentFormat, FoundChunk, KnowledgeDocument } from "@englog/domain/documents/Document"
import { OrganizationId, TaskId, UploadId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { Page } from "./Page.ts"
import { TrimmedText, unstorable } from "./PlainText.ts"
import { ignored } from "./ReadOnlyFields.ts"
import { TaskPriority } from "./TaskRequest.ts"

/** Documents of one bulk request. */
export const MAX_DOCUMENTS = 100
/** Documents that one organization has. */
export const MAX_KEPT_DOCUMENTS = 10_000

export const DocumentName = Schema.String.check(
  Schema.isBetweenLength(1, 200, { expected: "1 to 200 characters" }),
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9_.:@-]*$/, { expected: "a name of letters, digits and _ . : @ -" })
).annotate({ description: "Your name for the document, unique in its organization. It is kept as it is: an id rather than a title." })

/** As long as a request's body may be. */
export const DocumentContent = Schema.String.check(
  Schema.makeFilter<string>((text) => text === "" ? "must not be empty" : unstorable(text), {
    expected: "text",
    toJsonSchema: () => [{ minLength: 1 }, true]
  })
)

const Base64 = Schema.String.check(
  Schema.makeFilter<string>((text) =>
    isBase64(text) ? undefined : "must be Base64 (RFC 4648, section 4)", {
    expected: "Base64",
    toJsonSchema: () => [{ contentEncoding: "base64", minLength: 1 }, true]
  }),
  Schema.isMinLength(1, { expected: "must not be empty" })
)

export const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)

/** A part of what was uploaded: up to 1 MiB. */
export const UploadedBytes = Base64.check(Schema.isMaxLength(1_398_104, { expected: "at most 1 MiB" }))

const wholeNumber = (minimum: number, maximum: number) =>
  Schema.Int.check(Schema.isBetween({ minimum, maximum }, { expected: `a whole number from ${minimum} to ${maximum}` }))

export const ChunkSize = wholeNumber(100, 8_000)
export const Overlap = wholeNumber(0, 4_000)

const document = {
  document_id: DocumentName,
  title: Schema.optionalKey(TrimmedText({ min: 1, max: 500 }).annotate({ description: "By default what the document itself says." })),
  content: Schema.optionalKey(DocumentContent.annotate({
    description: "Its text. Left out, as are content_base64 and upload_id: what was handed in before is processed anew, as after a change of the "
      + "embedding model."
  })),
  content_base64: Schema.optionalKey(Base64.annotate({ description: "Its bytes instead of its text: a PDF." })),
  upload_id: Schema.optionalKey(UploadId.annotate({
    description: "What you uploaded for it, in the same organization: up to 50 MiB. It is the document's from then on."
  })),
  format: Schema.optionalKey(DocumentFormat.annotate({ description: "By default what the content looks like." })),
  chunk_size: Schema.optionalKey(ChunkSize.annotate({ description: "The most characters (UTF-16 units) of a chunk; default 1000." })),
  overlap: Schema.optionalKey(Overlap.annotate({
    description: "How many of them a chunk repeats of the one before it, at most half of chunk_size; default a tenth of it, at most 200."
  }))
}

interface Given {
  readonly content?: string
  readonly content_base64?: string
  readonly upload_id?: string
  readonly format?: string
  readonly chunk_size?: number
  readonly overlap?: number
}

const consistent = Schema.makeFilter(({ chunk_size = 1_000, content, content_base64, format, overlap = 0, upload_id }: Given) => {
  if (content !== undefined && content_base64 !== undefined) return { path: ["content_base64"], issue: "must not be given together with content" }
  if (upload_id !== undefined && (content !== undefined || content_base64 !== undefined)) {
    return { path: ["upload_id"], issue: `must not be given together with ${content === undefined ? "content_base64" : "content"}` }
  }
  if (upload_id !== undefined && format !== undefined) return { path: ["format"], issue: "must not be given with upload_id: the upload's Content-Type says it" }
  if (format === "pdf" && content !== undefined) return { path: ["content"], issue: "must be left out for a pdf; give content_base64" }
  if (format !== undefined && content === undefined && content_base64 === undefined) return { path: ["format"], issue: "must not be given without content" }
  return overlap * 2 > chunk_size ? { path: ["overlap"], issue: "must be at most half of chunk_size" } : undefined
}, { toJsonSchema: () => [{}, true] })

const place = {
  priority: Schema.optionalKey(TaskPriority),
  organization_id: Schema.optionalKey(OrganizationId.annotate({ description: "One that you are a member of; by default your own." }))
}

export const DocumentRequest = Schema.Struct({ ...document, ...place, user_id: ignored }).check(consistent).annotate({ identifier: "DocumentRequest" })
export type DocumentRequest = typeof DocumentRequest.Type

const OneOfMany = Schema.Struct(document).check(consistent).annotate({ identifier: "BulkDocument" })

export const BulkDocumentRequest = Schema.Struct({
  documents: Schema.Array(OneOfMany).check(
    Schema.makeFilter<ReadonlyArray<{ readonly document_id: string }>>((documents) =>
      documents.length === 0
        ? "must name at least one document"
        : documents.length > MAX_DOCUMENTS
        ? `must name at most ${MAX_DOCUMENTS} documents`
        : new Set(documents.map(({ document_id }) => document_id)).size < documents.length
        ? "must not name one document twice"
        : undefined, { expected: `1 to ${MAX_DOCUMENTS} documents`, toJsonSchema: () => ({ minItems: 1, maxItems: MAX_DOCUMENTS }) })
  ),
  ...place
}).annotate({ identifier: "BulkDocumentRequest" })
export type BulkDocumentRequest = typeof BulkDocumentRequest.Type

export const BulkDocumentsAccepted = Schema.Struct({
  /** Of the parent: it completes when all of them have ended. */
  task_id: TaskId,
  /** In the order of the request. */
  items: Schema.Array(Schema.Struct({ document_id: Schema.String, task_id: TaskId })),
  message: Schema.String
}).annotate({ identifier: "BulkDocumentsAccepted" })

export const SearchRequest = Schema.Struct({
  query: TrimmedText({ min: 1, max: 2_000 }),
  limit: Schema.optionalKey(wholeNumber(1, 50).annotate({ description: "How many chunks at most; default 10." })),
  document_ids: Schema.optionalKey(
    Schema.Array(DocumentName).check(Schema.isBetweenLength(1, MAX_DOCUMENTS, { expected: `1 to ${MAX_DOCUMENTS} documents` }))
      .annotate({ description: "Only in these." })
  ),
  organization_id: place.organization_id
}).annotate({ identifier: "SearchRequest" })
export type SearchRequest = typeof SearchRequest.Type

export const SearchAnswer = Schema.Struct({
  items: Schema.Array(FoundChunk),
  /** The models whose vectors were compared; empty where only words were. */
  models: Schema.Array(Schema.String),
  /** Why vectors that there are were not compared; null where all were. */
  vector_problem: Schema.NullOr(Schema.String)
}).annotate({ identifier: "SearchAnswer" })
export type SearchAnswer = typeof SearchAnswer.Type

export const DocumentPage = Page(KnowledgeDocument).annotate({ identifier: "KnowledgeDocumentPage" })
