/**
 * Documents that are larger than a body of JSON: uploaded as they are, stored while they arrive, and then named where a document
 * is handed in. A group of its own: its requests are not kept to be answered again.
 */
import { DocumentUpload, MAX_DOCUMENT_BYTES, MAX_OPEN_UPLOADS } from "@englog/domain/documents/DocumentUpload"
import { DocumentFormat } from "@englog/domain/documents/Document"
import { OrganizationId, UploadId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { BodyLimit } from "./BodyLimit.ts"
import * as Example from "./DocumentExamples.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, Forbidden, NotFound } from "./HttpErrors.ts"
import { RequiredScope } from "./RequiredScope.ts"

export const uploadsRoute = "/api/background/documents/uploads"

/** What each type of a body is. */
export const uploadTypes: Readonly<Record<DocumentFormat, string>> = {
  text: "text/plain",
  markdown: "text/markdown",
  html: "text/html",
  pdf: "application/pdf"
}

/** Whatever parameters follow the type. */
export const uploadFormatOf = (contentType: string): DocumentFormat | undefined => {
  const type = contentType.split(";", 1)[0]?.trim().toLowerCase()
  return DocumentFormat.literals.find((format) => uploadTypes[format] === type)
}

const query = Schema.Struct({
  organization_id: Schema.optionalKey(OrganizationId.annotate({ description: "One that you are a member of; by default your own." }))
})

export class DocumentUploadsApi extends HttpApiGroup.make("uploads").add(
  HttpApiEndpoint.post("upload", uploadsRoute, {
    query,
    payload: HttpApiSchema.StreamUint8Array({ contentType: Object.values(uploadTypes) }),
    success: DocumentUpload.pipe(HttpApiSchema.status(201)),
    error: [BadRequest, Forbidden, Conflict]
  }).annotate(RequiredScope, "background").annotate(BodyLimit, MAX_DOCUMENT_BYTES).annotateMerge(OpenApi.annotations({
    summary: "Upload a document",
    description: `Up to ${MAX_DOCUMENT_BYTES} bytes, as they are, within ten minutes; \`Content-Type\` says what they are, text in UTF-8. `
      + "Give the `upload_id` of the answer instead of `content` where you hand the document in. An upload that is cut off leaves nothing; one that "
      + `no document takes within 24 hours goes. At most ${MAX_OPEN_UPLOADS} of yours may wait for documents.`,
    transform: examples({ request: Example.request.content, response: Example.upload })
  })),
  HttpApiEndpoint.delete("removeUpload", `${uploadsRoute}/:upload_id`, {
    params: { upload_id: UploadId },
    success: HttpApiSchema.NoContent,
    error: NotFound
  }).annotate(RequiredScope, "background").annotateMerge(OpenApi.annotations({
    summary: "Delete an upload that no document has taken",
    description: "At once and for good. What a document has taken goes with the document."
  }))
).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Uploads of documents",
  description: "Documents of up to 50 MiB on their way to being handed in."
})) {}
