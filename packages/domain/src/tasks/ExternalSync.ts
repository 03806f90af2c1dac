/** EXTERNAL_SYNC (seed 002): hands data to a workflow of an organization's n8n. The data travel sealed beside the payload. */
import { Schema } from "effect"
import { N8nConnectionId } from "../Ids.ts"
import * as TaskKind from "./TaskKind.ts"
import { backgroundPolicy } from "./TaskPolicy.ts"

/** Of a workflow's answer; what is longer is cut off. */
export const MAX_ANSWER_BYTES = 65_536

/** What the worker is to send, or why there is nothing to be sent any more. */
export const SyncInput = Schema.Union([
  Schema.TaggedStruct("Send", {
    url: Schema.String,
    headers: Schema.Record(Schema.String, Schema.String),
    body: Schema.String,
    /** Seconds. */
    timeout: Schema.Int
  }),
  Schema.TaggedStruct("Gone", { reason: Schema.String })
])
export type SyncInput = typeof SyncInput.Type

export const ExternalSync = TaskKind.make({
  kind: "EXTERNAL_SYNC",
  payload: Schema.Struct({
    connection_id: N8nConnectionId,
    /** One of them: a configured sync type, or the path of a Webhook node. */
    sync_type: Schema.NullOr(Schema.String),
    path: Schema.NullOr(Schema.String),
    test: Schema.Boolean
  }),
  result: Schema.Struct({
    status: Schema.Int,
    /** What the workflow answered: JSON where it is, else text. */
    response: Schema.Json,
    /** The answer was longer than what is kept of it. */
    cut: Schema.Boolean
  }),
  policy: backgroundPolicy,
  submittedBy: "/api/background/tasks/n8n-sync"
})
