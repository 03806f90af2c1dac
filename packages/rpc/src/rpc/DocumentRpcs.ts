/** Documents over RPC; see DocumentsApi. Bytes are uploaded over HTTP: see `uploadDocument` of the client. */
import { KnowledgeDocument } from "@englog/domain/documents/Document"
import { DocumentUpload } from "@englog/domain/documents/DocumentUpload"
import { OrganizationId, UploadId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { BulkDocumentRequest, BulkDocumentsAccepted, DocumentName, DocumentPage, DocumentRequest, SearchAnswer, SearchRequest } from "../http/DocumentRequest.ts"
import { DocumentsQuery } from "../http/DocumentsApi.ts"
import { RequiredScope } from "../http/RequiredScope.ts"
import { StartsTask } from "../http/StartsTask.ts"
import { TaskAccepted } from "../http/TaskView.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const document = { document_id: DocumentName, organization_id: Schema.optionalKey(OrganizationId) }

export class DocumentRpcs extends RpcGroup.make(
  Rpc.make("ProcessDocument", { payload: DocumentRequest, success: TaskAccepted, error }).annotate(StartsTask, true).annotate(RequiredScope, "background"),
  Rpc.make("ProcessDocuments", { payload: BulkDocumentRequest, success: BulkDocumentsAccepted, error })
    .annotate(StartsTask, true).annotate(RequiredScope, "background"),
  Rpc.make("SearchKnowledge", { payload: SearchRequest, success: SearchAnswer, error }).annotate(RequiredScope, "read"),
  Rpc.make("ListDocuments", { payload: DocumentsQuery, success: DocumentPage, error }),
  Rpc.make("GetDocument", { payload: document, success: KnowledgeDocument, error }),
  Rpc.make("DeleteDocument", { payload: document, error }),
  Rpc.make("GetDocumentUpload", { payload: { upload_id: UploadId }, success: DocumentUpload, error }).annotate(RequiredScope, "background"),
  Rpc.make("DeleteDocumentUpload", { payload: { upload_id: UploadId }, error }).annotate(RequiredScope, "background")
).middleware(RpcAuthorization) {}
