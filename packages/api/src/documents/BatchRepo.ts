/** What became of the documents of a batch. */
import { TaskId } from "@englog/domain/Ids"
import type { BatchSummary } from "@englog/domain/tasks/DocumentBatch"
import { DocumentProcessing } from "@englog/domain/tasks/DocumentProcessing"
import { TaskState, toPublicState } from "@englog/domain/tasks/TaskState"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"

export class BatchRepo extends Context.Service<BatchRepo, {
  readonly summary: (batch: TaskId) => Effect.Effect<BatchSummary, SqlError>
}>()("@englog/api/documents/BatchRepo") {
  static readonly layer: Layer.Layer<BatchRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    BatchRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const outcomeOf = Effect.fnUntraced(function*({ document_id, error, message, outcome, task_id }: typeof Child.Type) {
        const said = error !== null
          ? yield* cipher.decrypt(error, EncryptedColumn.taskError, task_id)
          : message !== null
          ? yield* cipher.decrypt(message, EncryptedColumn.taskMessage, task_id)
          : null
        return { document_id, task_id, status: toPublicState(outcome), error: outcome === "completed" ? null : shortened(said ?? outcome) }
      }, Effect.orDie)

      return BatchRepo.of({
        summary: Effect.fn("BatchRepo.summary")(function*(batch) {
          const rows = yield* sql`
            SELECT t.task_id, t.outcome, t.error, t.message, d.document_id, coalesce(d.chunks, 0) AS chunks, coalesce(d.words, 0) AS words
            FROM tasks t LEFT JOIN documents d ON d.key = (t.payload ->> 'document')::uuid
            WHERE t.parent = (SELECT p.id FROM tasks p WHERE p.task_id = ${batch}) AND t.kind = ${DocumentProcessing.kind} AND t.outcome IS NOT NULL
            ORDER BY t.id`
          const children = yield* Effect.orDie(decodeChildren(rows))
          const done = children.filter(({ outcome }) => outcome === "completed")
          const sum = (count: (child: typeof Child.Type) => number) => done.reduce((all, child) => all + count(child), 0)
          return {
            documents: children.length,
            succeeded: done.length,
            failed: children.length - done.length,
            chunks: sum(({ chunks }) => chunks),
            words: sum(({ words }) => words),
            items: yield* Effect.forEach(children, outcomeOf)
          }
        })
      })
    })
  )
}

/** A hundred of them have to fit into a result. */
const ERROR = 500
const shortened = (text: string): string => text.length <= ERROR ? text : `${text.slice(0, ERROR - 1).toWellFormed()}…`

const Child = Schema.Struct({
  task_id: TaskId,
  outcome: TaskState,
  error: Schema.NullOr(Schema.String),
  message: Schema.NullOr(Schema.String),
  document_id: Schema.NullOr(Schema.String),
  chunks: Schema.Int,
  words: Schema.Int
})
const decodeChildren = Schema.decodeUnknownEffect(Schema.Array(Child))
