/** What starts workflows of n8n (seed 002). */
import { N8nConnectionId, OrganizationId } from "@englog/domain/Ids"
import { PriorityName } from "@englog/domain/tasks/TaskPolicy"
import { Schema } from "effect"
import { SyncTypeName, WebhookPath } from "./N8nApi.ts"
import { StorableJson } from "./StorableJson.ts"

const test = Schema.optionalKey(Schema.Boolean.annotate({ description: "At the test URL, which listens once while somebody looks on in n8n's editor." }))

export const N8nSyncRequest = Schema.Struct({
  sync_type: SyncTypeName.annotate({ description: "One that a connection of the organization takes, such as user_registration." }),
  data: StorableJson.annotate({ description: "What the workflow gets, by the mapping of the sync type. Kept encrypted." }),
  priority: Schema.optionalKey(PriorityName),
  organization_id: Schema.optionalKey(OrganizationId.annotate({ description: "One that you are a member of; by default your own." })),
  test
}).annotate({ identifier: "N8nSyncRequest" })
export type N8nSyncRequest = typeof N8nSyncRequest.Type

export const N8nTriggerRequest = Schema.Struct({
  connection_id: N8nConnectionId,
  path: WebhookPath.annotate({ description: "Of the workflow's Webhook node." }),
  data: Schema.optionalKey(StorableJson),
  priority: Schema.optionalKey(PriorityName),
  test
}).annotate({ identifier: "N8nTriggerRequest" })
export type N8nTriggerRequest = typeof N8nTriggerRequest.Type
