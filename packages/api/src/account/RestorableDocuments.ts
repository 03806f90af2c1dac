/** Which documents of an account come back: those of one's own knowledge of which all is there. */
import type { DocumentKey } from "@englog/domain/Ids"
import type { ExportedDocument, ExportedUpload, ExportedUploadPart } from "@englog/rpc/http/AccountDocument"

type Document = typeof ExportedDocument.Type
type Upload = typeof ExportedUpload.Type

/** Its bytes stay where the account's document has them until they are written. */
export interface ReadPart extends Pick<typeof ExportedUploadPart.Type, "upload" | "place"> {
  readonly bytes: number
  /** Base64. */
  readonly content: () => string
}

export interface ReadDocuments {
  readonly documents: ReadonlyArray<Document>
  readonly document_uploads: ReadonlyArray<Upload>
  readonly document_upload_parts: ReadonlyArray<ReadPart>
}

export interface RestorableDocument {
  readonly document: Document
  /** Undefined: its text stands in it. */
  readonly upload: { readonly record: Upload; readonly parts: ReadonlyArray<ReadPart> } | undefined
}

export interface LeftOutDocuments {
  readonly section: "documents" | "document_uploads" | "document_upload_parts"
  readonly count: number
  readonly reason: string
}

export const restorableDocuments = (read: ReadDocuments): ReadonlyArray<RestorableDocument> => {
  const uploads = uploadsOf(read)
  return read.documents.filter(({ personal }) => personal).flatMap((document): ReadonlyArray<RestorableDocument> => {
    if (document.source !== null) return [{ document, upload: undefined }]
    const upload = uploads.get(document.key)
    return upload === undefined ? [] : [{ document, upload }]
  })
}

export const leftOutDocuments = (read: ReadDocuments, restored: ReadonlyArray<RestorableDocument>): ReadonlyArray<LeftOutDocuments> => {
  const ofTeams = read.documents.filter(({ personal }) => !personal).length
  const uploads = restored.flatMap(({ upload }) => upload ?? [])
  const parts = uploads.reduce((sum, { parts }) => sum + parts.length, 0)
  const left: ReadonlyArray<LeftOutDocuments> = [
    { section: "documents", count: ofTeams, reason: "were handed in to teams, where they stay" },
    { section: "documents", count: read.documents.length - ofTeams - restored.length, reason: "were uploaded, and their parts are not all in the file; submit them again" },
    { section: "document_uploads", count: read.document_uploads.length - uploads.length, reason: "belong to no document that comes back" },
    { section: "document_upload_parts", count: read.document_upload_parts.length - parts, reason: "belong to no document that comes back" }
  ]
  return left.filter(({ count }) => count > 0)
}

/** Those that are whole, by their documents. */
const uploadsOf = ({ document_upload_parts, document_uploads }: ReadDocuments): ReadonlyMap<DocumentKey, NonNullable<RestorableDocument["upload"]>> => {
  const parts = Map.groupBy(document_upload_parts, ({ upload }) => upload)
  return new Map(document_uploads.flatMap((record) => {
    const own = (parts.get(record.id) ?? []).toSorted((a, b) => a.place - b.place)
    const bytes = own.reduce((sum, part) => sum + part.bytes, 0)
    const whole = record.completed_at !== null && record.parts > 0 && own.length === record.parts && own.every(({ place }, index) => place === index) && bytes === record.bytes
    return record.document === null || !whole ? [] : [[record.document, { record, parts: own }] as const]
  }))
}
