/**
 * Documents that are larger than a body of JSON: uploaded as they are or in a form, in one request or in several that go on where the
 * one before was cut off, stored while they arrive, and then named where a document is handed in. Offsets and completeness are told in
 * the headers of draft-ietf-httpbis-resumable-upload. A group of its own: its requests are not kept to be answered again.
 */
import { DocumentUpload, MAX_DOCUMENT_BYTES, MAX_OPEN_UPLOADS } from "@englog/domain/documents/DocumentUpload"
import { DocumentFormat } from "@englog/domain/documents/Document"
import { OrganizationId, UploadId } from "@englog/domain/Ids"
import { Schema, SchemaTransformation } from "effect"
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

/** One file in a form (RFC 7578). */
export const formType = "multipart/form-data"
/** What follows after the bytes that are stored. */
export const partialType = "application/partial-upload"

/** Whatever parameters follow the type. */
export const uploadFormatOf = (contentType: string): DocumentFormat | undefined => {
  const type = contentType.split(";", 1)[0]?.trim().toLowerCase()
  return DocumentFormat.literals.find((format) => uploadTypes[format] === type)
}

const query = Schema.Struct({
  organization_id: Schema.optionalKey(OrganizationId.annotate({ description: "One that you are a member of; by default your own." }))
})

const params = { upload_id: UploadId }

/** A boolean of structured fields (RFC 9651). */
const Complete = Schema.Literals(["?0", "?1"]).annotate({ description: "`?1`: nothing follows.", examples: ["?1"] }).pipe(
  Schema.decodeTo(Schema.Boolean, SchemaTransformation.transform({ decode: (text) => text === "?1", encode: (is) => is ? "?1" as const : "?0" as const }))
)

/** As many digits as the largest document has bytes. */
const Offset = Schema.String.check(Schema.isPattern(/^\d{1,8}$/u, { expected: "a number of bytes" })).annotate({
  description: "How many bytes are stored.",
  examples: ["0"]
}).pipe(Schema.decodeTo(Schema.Int, SchemaTransformation.transform({ decode: Number, encode: String })))

const progress = { "upload-offset": Offset, "upload-complete": Complete }

/** With what is known of it in the headers, where HEAD has it, too. */
const told = HttpApiSchema.WithHeaders(DocumentUpload, progress)

export class DocumentUploadsApi extends HttpApiGroup.make("uploads").add(
  HttpApiEndpoint.post("upload", uploadsRoute, {
    query,
    headers: {
      "upload-complete": Schema.optionalKey(Complete.annotate({
        description: "`?0`: more of it follows by PATCH, and what is cut off then stays. By default all of it comes at once."
      }))
    },
    payload: HttpApiSchema.StreamUint8Array({ contentType: [...Object.values(uploadTypes), formType] }),
    success: HttpApiSchema.WithHeaders(DocumentUpload.pipe(HttpApiSchema.status(201)), { location: Schema.String, ...progress }),
    error: [BadRequest, Forbidden, Conflict]
  }).annotate(RequiredScope, "background").annotate(BodyLimit, MAX_DOCUMENT_BYTES).annotateMerge(OpenApi.annotations({
    summary: "Upload a document",
    description: `Up to ${MAX_DOCUMENT_BYTES} bytes, as they are, within ten minutes; \`Content-Type\` says what they are, text in UTF-8. Or a form `
      + `(\`${formType}\`) with this one file and nothing else; its own \`Content-Type\`, or the end of its name, says what it is. `
      + "Give the `upload_id` of the answer instead of `content` where you hand the document in. An upload that is cut off leaves nothing, unless "
      + `\`Upload-Complete: ?0\` announced that it will be resumed; one that no document takes within 24 hours goes. At most ${MAX_OPEN_UPLOADS} of yours `
      + "may wait for documents or for their rest.",
    transform: examples({ request: Example.request.content, response: Example.upload })
  })),
  HttpApiEndpoint.get("uploadStatus", `${uploadsRoute}/:upload_id`, { params, success: told, error: NotFound })
    .annotate(RequiredScope, "background").annotateMerge(OpenApi.annotations({
      summary: "How much of an upload has arrived",
      description: "Also by HEAD: `Upload-Offset` says how many bytes are stored, `Upload-Complete` whether that is all. What a document has taken is no upload any more.",
      transform: examples({ response: Example.upload })
    })),
  HttpApiEndpoint.patch("resumeUpload", `${uploadsRoute}/:upload_id`, {
    params,
    headers: progress,
    payload: HttpApiSchema.StreamUint8Array({ contentType: [partialType] }),
    success: told,
    error: [BadRequest, NotFound, Conflict]
  }).annotate(RequiredScope, "background").annotate(BodyLimit, MAX_DOCUMENT_BYTES).annotateMerge(OpenApi.annotations({
    summary: "Go on with an upload",
    description: "The bytes that follow after `Upload-Offset` stored ones; it must be what HEAD says, else 409. `Upload-Complete: ?1` where nothing follows "
      + `after these, \`?0\` where more does. If the connection is lost, what has arrived stays: ask by HEAD how much that is, and go on. At most ${MAX_DOCUMENT_BYTES} `
      + "bytes in all, ten minutes for each request, 24 hours for all of them.",
    transform: examples({ request: Example.request.content, response: Example.upload })
  })),
  HttpApiEndpoint.delete("removeUpload", `${uploadsRoute}/:upload_id`, {
    params,
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
