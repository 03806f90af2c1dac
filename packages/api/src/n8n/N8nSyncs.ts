/** Data for workflows of n8n: submitted by members of the organization, sent by a worker. */
import type { N8nConnectionId, OrganizationId, TaskId } from "@englog/domain/Ids"
import { ExternalSync } from "@englog/domain/tasks/ExternalSync"
import { priorityOf } from "@englog/domain/tasks/TaskPolicy"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { type Conflict, type Forbidden, NotFound, PayloadTooLarge, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import type { N8nSyncRequest, N8nTriggerRequest } from "@englog/rpc/http/N8nSyncRequest"
import { MAX_PAYLOAD_BYTES } from "@englog/rpc/http/TaskRequest"
import { Context, Effect, Layer, Option, type Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { orConflict, orTooMany } from "../tasks/SubmissionProblem.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { N8nRepo } from "./N8nRepo.ts"

type Caller = CurrentUser["Service"]
type Problem = Conflict | Forbidden | NotFound | PayloadTooLarge | TooManyRequests | SqlError

interface Sync {
  readonly organization_id: OrganizationId
  readonly payload: typeof ExternalSync.payload.Type
  readonly data: Schema.Json
  readonly priority: N8nSyncRequest["priority"]
}

export class N8nSyncs extends Context.Service<N8nSyncs, {
  /** To the workflow that takes data of this type. */
  readonly sync: (caller: Caller, request: N8nSyncRequest) => Effect.Effect<TaskId, Problem>
  /** To a workflow by its path. */
  readonly trigger: (caller: Caller, request: N8nTriggerRequest) => Effect.Effect<TaskId, Problem>
}>()("@englog/api/n8n/N8nSyncs") {
  static readonly layer = Layer.effect(
    N8nSyncs,
    Effect.gen(function*() {
      const repo = yield* N8nRepo
      const access = yield* TaskAccess
      const queue = yield* TaskQueue

      const submit = Effect.fnUntraced(function*(caller: Caller, { data, organization_id, payload, priority = "normal" }: Sync) {
        const text = JSON.stringify(data)
        if (Buffer.byteLength(text) > MAX_PAYLOAD_BYTES) {
          return yield* new PayloadTooLarge({ error: `data: must be at most ${MAX_PAYLOAD_BYTES} bytes as JSON` })
        }
        return yield* orConflict(orTooMany(queue.submit({
          kind: ExternalSync.kind,
          prefix: "external-sync",
          organization_id,
          user_id: caller.id,
          payload: JSON.stringify(payload),
          private_input: text,
          policy: { ...ExternalSync.policy, priority: priorityOf(priority) }
        })))
      })

      return N8nSyncs.of({
        sync: Effect.fn("N8nSyncs.sync")(function*(caller, { data, organization_id: named, priority, sync_type, test = false }) {
          const organization_id = yield* access.organization(caller, named)
          const connection = yield* repo.ofSyncType(organization_id, sync_type)
          if (Option.isNone(connection)) {
            return yield* new NotFound({ error: `sync_type: no connection of the organization takes ${sync_type}; an administrator can set one up at /v1/integrations/n8n/connections` })
          }
          return yield* submit(caller, { organization_id, data, priority, payload: { connection_id: connection.value, sync_type, path: null, test } })
        }),
        trigger: Effect.fn("N8nSyncs.trigger")(function*(caller, { connection_id, data, path, priority, test = false }) {
          const found = yield* repo.find(connection_id)
          if (Option.isNone(found)) return yield* missing(connection_id)
          const { organization_id } = found.value.connection
          yield* access.organization(caller, organization_id).pipe(
            Effect.catchIf((error): error is Forbidden => "error" in error, () => Effect.fail(missing(connection_id)))
          )
          return yield* submit(caller, { organization_id, data: data ?? {}, priority, payload: { connection_id, sync_type: null, path, test } })
        })
      })
    })
  )
}

const missing = (id: N8nConnectionId) => new NotFound({ error: `connection_id: you have no connection ${id}` })
