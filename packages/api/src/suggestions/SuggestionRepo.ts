/** Suggestions in PostgreSQL, what they propose encrypted. Every method joins a transaction that is open. */
import { ActivityType } from "@englog/domain/entries/LogEntry"
import { EntryId, SuggestionId, TaskId, type UserId } from "@englog/domain/Ids"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"

const Proposed = Schema.Struct({
  type: Schema.NullOr(ActivityType),
  tags: Schema.Array(Schema.String),
  /** Of the entry that it is for. */
  etag: Schema.String
})

export interface NewSuggestion {
  readonly entry_id: EntryId
  readonly proposed: typeof Proposed.Type
}

/** With its place in lists. */
export interface StoredSuggestion extends NewSuggestion, Cursor {
  readonly id: SuggestionId
  readonly task_id: TaskId
  readonly model: string
  readonly created_at: (typeof Row.Type)["created_at"]
}

export class SuggestionRepo extends Context.Service<SuggestionRepo, {
  /** Instead of those that these entries had. */
  readonly replace: (
    user: UserId,
    origin: { readonly task_id: TaskId; readonly model: string },
    suggestions: ReadonlyArray<NewSuggestion>
  ) => Effect.Effect<void, SqlError>
  /** Newest first, at most `limit`. */
  readonly list: (user: UserId, after: Option.Option<Cursor>, limit: number) => Effect.Effect<ReadonlyArray<StoredSuggestion>, SqlError>
  /** Those of the ids that are the user's, as they are until the transaction ends. */
  readonly lock: (user: UserId, ids: ReadonlyArray<SuggestionId>) => Effect.Effect<ReadonlyArray<StoredSuggestion>, SqlError>
  readonly remove: (user: UserId, ids: ReadonlyArray<SuggestionId>) => Effect.Effect<void, SqlError>
  /** The newest entries that have neither a tag nor a suggestion. */
  readonly uncategorized: (user: UserId, limit: number) => Effect.Effect<ReadonlyArray<EntryId>, SqlError>
}>()("@englog/api/suggestions/SuggestionRepo") {
  static readonly layer: Layer.Layer<SuggestionRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    SuggestionRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const read = Effect.fnUntraced(function*(raw: unknown) {
        const { proposal, ...row } = yield* decodeRow(raw)
        const text = yield* cipher.decrypt(proposal, EncryptedColumn.suggestionProposal, row.id)
        return { ...row, proposed: yield* decodeProposed(text) }
      }, Effect.orDie)
      const select = (where: ReturnType<typeof sql.and>, more = sql``) =>
        Effect.flatMap(
          sql`SELECT id, entry_id, task_id, proposal, model, created_at, (EXTRACT(EPOCH FROM created_at) * 1000000)::bigint::text AS micros
            FROM entry_suggestions WHERE ${where} ${more}`,
          Effect.forEach(read)
        )
      const byIds = (user: UserId, ids: ReadonlyArray<SuggestionId>) =>
        sql.and([sql`user_id = ${user}::uuid`, sql`id IN (SELECT i::uuid FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb) AS i)`])

      return SuggestionRepo.of({
        replace: Effect.fn("SuggestionRepo.replace")(function*(user, { model, task_id }, suggestions) {
          const rows = yield* Effect.forEach(suggestions, ({ entry_id, proposed }) => {
            const id = randomUUID()
            return Effect.map(cipher.encrypt(JSON.stringify(proposed), EncryptedColumn.suggestionProposal, id), (proposal) => ({ id, entry_id, proposal }))
          })
          yield* sql`
            INSERT INTO entry_suggestions (id, user_id, entry_id, task_id, proposal, model)
            SELECT r.id, ${user}::uuid, r.entry_id, ${task_id}, r.proposal, ${model}
            FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r (id uuid, entry_id uuid, proposal text) ORDER BY r.entry_id
            ON CONFLICT (entry_id) DO UPDATE SET id = excluded.id, task_id = excluded.task_id, proposal = excluded.proposal,
              model = excluded.model, created_at = now()`
        }),
        list: Effect.fn("SuggestionRepo.list")((user, after, limit) =>
          select(
            sql.and([
              sql`user_id = ${user}::uuid`,
              ...Option.toArray(Option.map(after, ({ id, micros }) =>
                sql`(created_at, id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`))
            ]),
            sql`ORDER BY created_at DESC, id DESC LIMIT ${limit}::int`
          )
        ),
        lock: Effect.fn("SuggestionRepo.lock")((user, ids) => select(byIds(user, ids), sql`ORDER BY id FOR UPDATE`)),
        remove: Effect.fn("SuggestionRepo.remove")((user, ids) => Effect.asVoid(sql`DELETE FROM entry_suggestions WHERE ${byIds(user, ids)}`)),
        uncategorized: Effect.fn("SuggestionRepo.uncategorized")(function*(user, limit) {
          const rows = yield* sql`
            SELECT e.id FROM log_entries e WHERE e.user_id = ${user}::uuid
              AND NOT EXISTS (SELECT 1 FROM log_entry_tags t WHERE t.log_entry_id = e.id)
              AND NOT EXISTS (SELECT 1 FROM entry_suggestions s WHERE s.entry_id = e.id)
            ORDER BY e.start_time DESC, e.id DESC LIMIT ${limit}::int`
          return (yield* Effect.orDie(decodeIds(rows))).map(({ id }) => id)
        })
      })
    })
  )
}

const Row = Schema.Struct({
  id: SuggestionId,
  entry_id: EntryId,
  task_id: TaskId,
  proposal: Schema.String,
  model: Schema.String,
  created_at: Schema.DateTimeUtcFromDate,
  micros: Schema.String
})
const decodeRow = Schema.decodeUnknownEffect(Row)
const decodeProposed = Schema.decodeUnknownEffect(Schema.fromJsonString(Proposed))
const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: EntryId })))
