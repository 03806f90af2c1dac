/** The convenience functions of seed 002 for documents: hand one in and wait for what became of it; search. */
import { BatchSummary, DocumentBatch } from "@englog/domain/tasks/DocumentBatch"
import { DocumentProcessing, DocumentSummary } from "@englog/domain/tasks/DocumentProcessing"
import { Effect } from "effect"
import type { RpcClient, RpcClientError } from "effect/rpc"
import type { BulkDocumentRequest, DocumentRequest, SearchAnswer, SearchRequest } from "../http/DocumentRequest.ts"
import type { EngLogRpcs } from "../rpc/EngLogRpcs.ts"
import type { CallFailure, SubmittedTask, TypedTasks } from "./TypedTasks.ts"

export interface KnowledgeClient {
  readonly submitDocumentProcessing: (document: DocumentRequest) => Effect.Effect<SubmittedTask<DocumentSummary>, CallFailure>
  readonly submitDocuments: (bulk: BulkDocumentRequest) => Effect.Effect<SubmittedTask<BatchSummary>, CallFailure>
  readonly searchKnowledge: (search: SearchRequest) => Effect.Effect<SearchAnswer, CallFailure>
}

type Calls = Pick<RpcClient.FromGroup<typeof EngLogRpcs, RpcClientError.RpcClientError>, "ProcessDocument" | "ProcessDocuments" | "SearchKnowledge">

/** What the API makes of a worker's result is what the task shows. */
const summarized = { kind: DocumentProcessing.kind, payload: DocumentProcessing.payload, result: DocumentSummary }

export const knowledgeClient = (calls: Calls, { submitted }: Pick<TypedTasks, "submitted">): KnowledgeClient => ({
  submitDocumentProcessing: (document) => Effect.map(calls.ProcessDocument(document), ({ task_id }) => submitted(summarized, task_id)),
  submitDocuments: (bulk) => Effect.map(calls.ProcessDocuments(bulk), ({ task_id }) => submitted(DocumentBatch, task_id)),
  searchKnowledge: (search) => calls.SearchKnowledge(search)
})
