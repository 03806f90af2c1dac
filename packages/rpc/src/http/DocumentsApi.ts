/**
 * Documents (seed 002): text, Markdown, HTML and PDF are cut into chunks with vectors by a worker, and searched by words and
 * vectors at once.
 */
import { KnowledgeDocument } from "@englog/domain/documents/Document"
import { OrganizationId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import * as Example from "./DocumentExamples.ts"
import {
  BulkDocumentRequest, BulkDocumentsAccepted, DocumentName, DocumentPage, DocumentRequest, MAX_DOCUMENTS, SearchAnswer, SearchRequest
} from "./DocumentRequest.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, Forbidden, NotFound } from "./HttpErrors.ts"
import { Idempotent } from "./Idempotent.ts"
import { pageQuery } from "./Page.ts"
import { RequiredScope } from "./RequiredScope.ts"
import { StartsTask } from "./StartsTask.ts"
import { TaskAccepted } from "./TaskView.ts"

const organization_id = Schema.optionalKey(OrganizationId.annotate({ description: "One that you are a member of; by default your own." }))
const params = { document_id: DocumentName }
const query = Schema.Struct({ organization_id })

export const DocumentsQuery = Schema.Struct({ organization_id, ...pageQuery })
export type DocumentsQuery = typeof DocumentsQuery.Type

export class DocumentsApi extends HttpApiGroup.make("documents").add(
  HttpApiEndpoint.post("process", "/api/background/tasks/document-processing", {
    payload: DocumentRequest,
    success: TaskAccepted.pipe(HttpApiSchema.status(202)),
    error: [BadRequest, Forbidden, NotFound, Conflict]
  }).annotate(StartsTask, true).annotate(RequiredScope, "background").annotateMerge(OpenApi.annotations({
    summary: "Process a document",
    description: "A worker cuts it into chunks by headings, paragraphs and sentences, never within a character or a code fence that fits, "
      + "and makes a vector of each. Handed in again under the same document_id only chunks that changed are replaced; until that is "
      + "done the earlier ones are found.",
    transform: examples({ request: Example.request, response: Example.accepted })
  })),
  HttpApiEndpoint.post("processBulk", "/api/background/integrations/knowledge/process-bulk", {
    payload: BulkDocumentRequest,
    success: BulkDocumentsAccepted.pipe(HttpApiSchema.status(202)),
    error: [BadRequest, Forbidden, NotFound, Conflict]
  }).annotate(StartsTask, true).annotate(RequiredScope, "background").annotateMerge(OpenApi.annotations({
    summary: `Process up to ${MAX_DOCUMENTS} documents`,
    description: "Each is a task of its own; the answer's task is their parent. It completes when all of them have ended, and its result says what "
      + "became of each: one that fails takes no other one with it. All are accepted or none.",
    transform: examples({ request: Example.bulkRequest, response: Example.bulkAccepted })
  })),
  HttpApiEndpoint.post("search", "/v1/knowledge/search", { payload: SearchRequest, success: SearchAnswer, error: [BadRequest, Forbidden] })
    .annotate(RequiredScope, "read").annotateMerge(OpenApi.annotations({
      summary: "Search the documents of an organization",
      description: "By words (whole ones, any of them, rare ones first) and by vectors; the two rankings are joined by reciprocal rank "
        + "fusion. Each chunk comes with its document, headings and offsets. Where no worker answers for the model, words alone decide, "
        + "and `vector_problem` says so.",
      transform: examples({ request: Example.search, response: Example.found })
    })),
  HttpApiEndpoint.get("list", "/v1/knowledge/documents", { query: DocumentsQuery, success: DocumentPage, error: [BadRequest, Forbidden] })
    .annotateMerge(OpenApi.annotations({
      summary: "List documents, newest first",
      description: "Of your own organization, or of one that you are a member of.",
      transform: examples({ response: { items: [Example.document], next_cursor: null } })
    })),
  HttpApiEndpoint.get("get", "/v1/knowledge/documents/:document_id", { params, query, success: KnowledgeDocument, error: [Forbidden, NotFound] })
    .annotateMerge(OpenApi.annotations({
      summary: "Read what is known of a document",
      description: "`status` is that of its newest submission; what is searched meanwhile is `searched_revision`.",
      transform: examples({ response: Example.document })
    })),
  HttpApiEndpoint.delete("remove", "/v1/knowledge/documents/:document_id", {
    params,
    query,
    success: HttpApiSchema.NoContent,
    error: [Forbidden, NotFound]
  }).annotateMerge(OpenApi.annotations({
    summary: "Delete a document with all its chunks",
    description: "At once and for good. A task that still processes it completes and stores nothing."
  }))
).middleware(Idempotent).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Documents",
  description: "What an organization knows, in chunks that are searched by words and vectors."
})) {}
