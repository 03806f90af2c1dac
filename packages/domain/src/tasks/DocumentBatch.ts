/**
 * DOCUMENT_BATCH (seed 002, knowledge/process-bulk): the parent of many DOCUMENT_PROCESSING tasks. It runs when all of them have
 * ended, however each did, and completes with what became of each: a document that fails takes no other one with it, and what
 * is a failure of all is for whoever reads the counts to say.
 */
import { Schema } from "effect"
import { TaskId } from "../Ids.ts"
import * as TaskKind from "./TaskKind.ts"
import { backgroundPolicy } from "./TaskPolicy.ts"
import { PublicTaskState } from "./TaskState.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const DocumentOutcome = Schema.Struct({
  /** Null where it has been deleted. */
  document_id: Schema.NullOr(Schema.String),
  task_id: TaskId,
  status: PublicTaskState,
  /** Why it failed or was cancelled, at most 500 characters; null where it completed. */
  error: Schema.NullOr(Schema.String)
})

export const BatchSummary = Schema.Struct({
  documents: Count,
  /** How many of them completed, and how many did not. */
  succeeded: Count,
  failed: Count,
  /** Of those that completed. */
  chunks: Count,
  words: Count,
  /** In the order of the request. */
  items: Schema.Array(DocumentOutcome)
}).annotate({ identifier: "BatchSummary" })
export type BatchSummary = typeof BatchSummary.Type

export const DocumentBatch = TaskKind.make({
  kind: "DOCUMENT_BATCH",
  payload: Schema.Struct({ documents: Count }),
  result: BatchSummary,
  policy: backgroundPolicy,
  submittedBy: "/api/background/integrations/knowledge/process-bulk"
})
