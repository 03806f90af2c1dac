/** Open tasks by what they are: for people who look for some of many. Names are encrypted, so they are compared here. */
import { type OrganizationId, TaskId } from "@englog/domain/Ids"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { TaskText } from "./TaskText.ts"

export interface OpenTaskFilter {
  readonly organization_id: OrganizationId
  readonly kind?: string
  readonly queue?: string
  readonly state?: "queued" | "running"
  readonly name?: string
}

export interface OpenTaskPage {
  readonly task_ids: ReadonlyArray<TaskId>
  /** The number after which to look further, in decimal; null where this was all. */
  readonly next: string | null
}

export class OpenTaskRepo extends Context.Service<OpenTaskRepo, {
  /** After a number and up to another one, the oldest first. */
  readonly find: (filter: OpenTaskFilter, after: string, upTo: bigint, limit: number) => Effect.Effect<OpenTaskPage, SqlError>
}>()("@englog/api/queue/OpenTaskRepo") {
  static readonly layer = Layer.effect(
    OpenTaskRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const text = yield* TaskText
      return OpenTaskRepo.of({
        find: Effect.fn("OpenTaskRepo.find")(function*({ kind, name, organization_id, queue, state }, after, upTo, limit) {
          const rows = yield* sql`
            SELECT q.id::text AS number, t.task_id, t.name FROM task_queue q JOIN tasks t ON t.id = q.id
            WHERE q.organization_id = ${organization_id}::uuid AND q.id > ${after}::text::int8 AND q.id <= ${upTo}::int8
              AND q.cancel_requested_at IS NULL
              AND (${kind ?? null}::text IS NULL OR q.kind = ${kind ?? null}::text)
              AND (${queue ?? null}::text IS NULL OR q.queue = ${queue ?? null}::text)
              AND (${state ?? null}::text IS NULL OR q.state = ${state ?? null}::text)
              AND (${name ?? null}::text IS NULL OR t.name IS NOT NULL)
            ORDER BY q.id LIMIT ${limit}::int`
          const found = yield* Effect.orDie(decodeRows(rows))
          const named = name === undefined ? found : yield* Effect.filter(found, (row) =>
            Effect.map(text.open(row.name, EncryptedColumn.taskName, row.task_id), (opened) => opened === name))
          return { task_ids: named.map(({ task_id }) => task_id), next: found.length < limit ? null : found.at(-1)?.number ?? null }
        })
      })
    })
  )
}

const decodeRows = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ number: Schema.String, task_id: TaskId, name: Schema.NullOr(Schema.String) }))
)
