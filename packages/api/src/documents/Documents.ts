/** Documents for people: handed in, one or many; listed, read, deleted. Whoever belongs to an organization may do all of it. */
import type { DocumentFormat, KnowledgeDocument } from "@englog/domain/documents/Document"
import type { DocumentKey, OrganizationId, TaskId, UploadId } from "@englog/domain/Ids"
import { DocumentBatch } from "@englog/domain/tasks/DocumentBatch"
import { DocumentProcessing } from "@englog/domain/tasks/DocumentProcessing"
import { Priority, priorityOf, type TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { type BulkDocumentRequest, type BulkDocumentsAccepted, type DocumentRequest, MAX_KEPT_DOCUMENTS } from "@englog/rpc/http/DocumentRequest"
import type { DocumentsQuery } from "@englog/rpc/http/DocumentsApi"
import { BadRequest, Conflict, Forbidden, NotFound, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { type Submission, TaskQueue } from "../queue/TaskQueue.ts"
import { orConflict, orTooMany } from "../tasks/SubmissionProblem.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { DocumentRepo, type Submitted } from "./DocumentRepo.ts"
import { looksLike } from "./DocumentFormats.ts"
import { type Uploader, UploadRepo } from "./UploadRepo.ts"

type Caller = CurrentUser["Service"]
type Refused = BadRequest | Forbidden | NotFound | Conflict | TooManyRequests | SqlError

interface Named {
  readonly document_id: string
  readonly organization_id?: OrganizationId
}

export class Documents extends Context.Service<Documents, {
  readonly submit: (caller: Caller, document: DocumentRequest) => Effect.Effect<{ readonly task_id: TaskId; readonly message: string }, Refused>
  /** All of them or none. */
  readonly submitAll: (caller: Caller, bulk: BulkDocumentRequest) => Effect.Effect<typeof BulkDocumentsAccepted.Type, Refused>
  readonly list: (caller: Caller, query: DocumentsQuery) => Effect.Effect<
    { readonly items: ReadonlyArray<KnowledgeDocument>; readonly next_cursor: string | null },
    BadRequest | Forbidden | SqlError
  >
  readonly get: (caller: Caller, document: Named) => Effect.Effect<KnowledgeDocument, Forbidden | NotFound | SqlError>
  readonly remove: (caller: Caller, document: Named) => Effect.Effect<void, Forbidden | NotFound | SqlError>
}>()("@englog/api/documents/Documents") {
  static readonly layer = Layer.effect(
    Documents,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* DocumentRepo
      const uploads = yield* UploadRepo
      const access = yield* TaskAccess
      const queue = yield* TaskQueue

      /** Inside a transaction: the document as it is to be, and the task that will process it. */
      const record = Effect.fnUntraced(function*(caller: Caller, organization_id: OrganizationId, document: BulkDocumentRequest["documents"][number], policy: TaskPolicy, field: string) {
        const uploaded = document.upload_id === undefined ? undefined : yield* formatOf(caller, organization_id, document.upload_id, field)
        const submitted = yield* submittedOf(caller, organization_id, document, uploaded, field)
        const recorded = yield* repo.submit(submitted)
        if (Option.isNone(recorded)) {
          return yield* new NotFound({ error: `${field}document_id: there is no document ${document.document_id}; give its content or upload_id` })
        }
        const { key, revision } = recorded.value
        if (submitted.source !== undefined) yield* uploads.give(document.upload_id, key)
        return { key, submission: { ...processingOf(key, revision, { organization_id, user_id: caller.id }), policy } }
      })

      const formatOf = Effect.fnUntraced(function*(caller: Caller, organization_id: OrganizationId, upload: UploadId, field: string) {
        const found = yield* uploads.lock(upload, { organization_id, user_id: caller.id })
        return Option.isSome(found) ? found.value : yield* new NotFound({
          error: `${field}upload_id: you have no upload ${upload} in this organization that is whole and waits for a document`
        })
      })

      const checkRoom = Effect.fnUntraced(function*(organization_id: OrganizationId, documents: ReadonlyArray<{ readonly document_id: string }>) {
        if ((yield* repo.countWith(organization_id, documents.map(({ document_id }) => document_id))) > MAX_KEPT_DOCUMENTS) {
          return yield* new Conflict({ error: `an organization has at most ${MAX_KEPT_DOCUMENTS} documents; delete some first` })
        }
      })

      const submit: Documents["Service"]["submit"] = Effect.fn("Documents.submit")(function*(caller, { organization_id, priority, ...document }) {
        const organization = yield* access.organization(caller, organization_id)
        yield* checkRoom(organization, [document])
        return yield* sql.withTransaction(Effect.gen(function*() {
          const { key, submission } = yield* record(caller, organization, document, prioritized(DocumentProcessing.policy, priority), "")
          const { task_id } = yield* orConflict(orTooMany(queue.enlist(submission)))
          yield* repo.processedBy(key, task_id)
          return { task_id, message: "Task queued successfully" }
        }))
      })

      const submitAll: Documents["Service"]["submitAll"] = Effect.fn("Documents.submitAll")(function*(caller, { documents, organization_id, priority }) {
        const organization = yield* access.organization(caller, organization_id)
        yield* checkRoom(organization, documents)
        return yield* sql.withTransaction(Effect.gen(function*() {
          const policy = prioritized(DocumentProcessing.policy, priority)
          // In one order everywhere, so that two of these never wait for each other.
          const order = documents.map((document, index) => ({ document, index })).sort((a, b) => a.document.document_id < b.document.document_id ? -1 : 1)
          const recorded = new Map<number, Effect.Success<ReturnType<typeof record>>>()
          for (const { document, index } of order) recorded.set(index, yield* record(caller, organization, document, policy, `documents[${index}].`))
          const inOrder = documents.flatMap((_, index) => recorded.get(index) ?? [])
          const family = yield* orConflict(orTooMany(queue.enlistFamily({
            kind: DocumentBatch.kind,
            prefix: "document-batch",
            organization_id: organization,
            user_id: caller.id,
            payload: JSON.stringify({ documents: documents.length }),
            private_input: null,
            policy: prioritized(DocumentBatch.policy, priority)
          }, inOrder.map(({ submission }) => submission))))
          const items: Array<{ readonly document_id: string; readonly task_id: TaskId }> = []
          for (const [index, task_id] of family.children.entries()) {
            const [key, document_id] = [inOrder[index]?.key, documents[index]?.document_id]
            if (key === undefined || document_id === undefined) continue
            yield* repo.processedBy(key, task_id)
            items.push({ document_id, task_id })
          }
          const message = `${items.length} ${items.length === 1 ? "document" : "documents"} queued successfully`
          return { task_id: family.parent, items, message }
        }))
      })

      return Documents.of({
        submit,
        submitAll,
        list: Effect.fn("Documents.list")(function*(caller, { cursor, limit = defaultPageSize, organization_id }) {
          const organization = yield* access.organization(caller, organization_id)
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* repo.list(organization, after, limit + 1), limit)
          return { items: rows.map(({ document }) => document), next_cursor }
        }),
        get: Effect.fn("Documents.get")(function*(caller, { document_id, organization_id }) {
          const found = yield* repo.find(yield* access.organization(caller, organization_id), document_id)
          return Option.isSome(found) ? found.value : yield* missing(document_id)
        }),
        remove: Effect.fn("Documents.remove")(function*(caller, { document_id, organization_id }) {
          if (!(yield* repo.remove(yield* access.organization(caller, organization_id), document_id))) return yield* missing(document_id)
        })
      })
    })
  )
}

/** The task that makes a document's revision found. */
export const processingOf = (document: DocumentKey, revision: number, by: Uploader): Submission => ({
  kind: DocumentProcessing.kind,
  prefix: "document-processing",
  ...by,
  payload: JSON.stringify({ document, revision }),
  private_input: null,
  policy: DocumentProcessing.policy
})

const missing = (document_id: string) => new NotFound({ error: `there is no document ${document_id}` })

const prioritized = (policy: TaskPolicy, wanted: DocumentRequest["priority"]): TaskPolicy =>
  wanted === undefined ? policy : { ...policy, priority: typeof wanted === "string" ? priorityOf(wanted) : Priority.make(wanted) }

const submittedOf = Effect.fnUntraced(function*(
  caller: Caller,
  organization_id: OrganizationId,
  { chunk_size, content, content_base64, document_id, format, overlap, title }: BulkDocumentRequest["documents"][number],
  uploaded: DocumentFormat | undefined,
  field: string
): Effect.fn.Return<Submitted, BadRequest> {
  const given = content ?? content_base64
  const base = { organization_id, submitted_by: caller.id, document_id, title, chunk_size, overlap }
  if (uploaded !== undefined) return { ...base, source: { content: null, encoded: true, format: uploaded } }
  if (given === undefined) return { ...base, source: undefined }
  const encoded = content === undefined
  const found = format ?? looksLike(given, encoded)
  if (content?.trim() === "") return yield* new BadRequest({ error: `${field}content: must hold more than white space` })
  return { ...base, source: { content: given, encoded, format: found } }
})
