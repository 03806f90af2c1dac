/** RPC of documents: see DocumentRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { DocumentRpcs } from "@englog/rpc/rpc/DocumentRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Documents } from "./Documents.ts"
import { DocumentUploads } from "./DocumentUploads.ts"
import { KnowledgeSearch } from "./KnowledgeSearch.ts"

export const DocumentRpcsLive = DocumentRpcs.toLayer(Effect.gen(function*() {
  const documents = yield* Documents
  const uploads = yield* DocumentUploads
  const knowledge = yield* KnowledgeSearch
  return DocumentRpcs.of({
    ProcessDocument: (document) => CurrentUser.use((user) => orRpcFailure(documents.submit(user, document))),
    ProcessDocuments: (bulk) => CurrentUser.use((user) => orRpcFailure(documents.submitAll(user, bulk))),
    SearchKnowledge: (search) => CurrentUser.use((user) => orRpcFailure(knowledge.search(user, search))),
    ListDocuments: (query) => CurrentUser.use((user) => orRpcFailure(documents.list(user, query))),
    GetDocument: (document) => CurrentUser.use((user) => orRpcFailure(documents.get(user, document))),
    DeleteDocument: (document) => CurrentUser.use((user) => orRpcFailure(documents.remove(user, document))),
    GetDocumentUpload: ({ upload_id }) => CurrentUser.use((user) => orRpcFailure(uploads.find(user, upload_id))),
    DeleteDocumentUpload: ({ upload_id }) => CurrentUser.use((user) => orRpcFailure(uploads.remove(user, upload_id)))
  })
}))
