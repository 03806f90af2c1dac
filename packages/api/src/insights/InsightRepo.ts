/**
 * Insights in PostgreSQL. Everything that is or may quote a user's text is encrypted.
 */
import type { InsightId, UserId } from "@englog/domain/Ids"
import { Citation, Insight, InsightDraft, InsightSummary, RemovedSentence } from "@englog/domain/insights/Insight"
import { Fact } from "@englog/domain/facts/Fact"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"

/** An insight to be stored, with the question it answers and the draft it came from. */
export interface NewInsight extends Omit<Insight, "created_at"> {
  readonly question_digest: Uint8Array
  readonly draft: InsightDraft
}

export interface InsightFilter {
  readonly type: Option.Option<string>
  readonly period_start: Option.Option<string>
  readonly period_end: Option.Option<string>
}

/** An insight with its place in the list. */
export interface ListedInsight extends Cursor {
  readonly insight: InsightSummary
}

export class InsightRepo extends Context.Service<InsightRepo, {
  readonly insert: (insight: NewInsight) => Effect.Effect<void, SqlError>
  readonly find: (user_id: UserId, id: InsightId) => Effect.Effect<Option.Option<Insight>, SqlError>
  /** Newest first, at most `limit`. */
  readonly list: (
    user_id: UserId,
    filter: InsightFilter,
    after: Option.Option<Cursor>,
    limit: number
  ) => Effect.Effect<ReadonlyArray<ListedInsight>, SqlError>
  /** Removes what is older than six months (seed 004); answers how many. */
  readonly removeOld: Effect.Effect<number, SqlError>
  /** The newest answer that a language model gave to exactly this question. */
  readonly findAnswer: (user_id: UserId, question_digest: Uint8Array) => Effect.Effect<Option.Option<InsightDraft>, SqlError>
}>()("@englog/api/insights/InsightRepo") {
  static readonly layer = Layer.effect(
    InsightRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const summary = sql.literal(SUMMARY)
      const seal = cipher.encrypt
      const open = cipher.decrypt
      const digests = (question: Uint8Array) => cipher.digests(question, "insights.question_digest")
      const openNullable = (value: string | null, column: EncryptedColumn, row: string) =>
        value === null ? Effect.succeed(null) : open(value, column, row)

      const insert = Effect.fn("InsightRepo.insert")(function*(insight: NewInsight) {
        const { fallback_reason, id } = insight
        yield* sql`
          INSERT INTO insights (id, task_id, user_id, organization_id, insight_type, period_start, period_end, content, tags,
            confidence, model, prompt_version, source, fallback_reason, facts, citations, removed, entry_count,
            question_digest, draft)
          VALUES (${insight.id}::uuid, ${insight.task_id}, ${insight.user_id}::uuid, ${insight.organization_id}::uuid,
            ${insight.insight_type}, ${insight.period_start}::text::date, ${insight.period_end}::text::date,
            ${yield* seal(insight.content, EncryptedColumn.insightContent, id)},
            ${yield* seal(JSON.stringify(insight.tags), EncryptedColumn.insightTags, id)}, ${insight.confidence}::float8,
            ${insight.model}, ${insight.prompt_version}, ${insight.source},
            ${fallback_reason === null ? null : yield* seal(fallback_reason, EncryptedColumn.insightFallbackReason, id)},
            ${yield* seal(yield* Effect.orDie(encodeFacts(insight.facts)), EncryptedColumn.insightFacts, id)},
            ${JSON.stringify(insight.citations)}::jsonb,
            ${yield* seal(JSON.stringify(insight.removed), EncryptedColumn.insightRemoved, id)}, ${insight.entry_count}::int,
            ${digests(insight.question_digest)[0]}::bytea,
            ${yield* seal(JSON.stringify(insight.draft), EncryptedColumn.insightDraft, id)})`
      })

      const openSummary = Effect.fnUntraced(function*(row: typeof SummaryRow.Type) {
        return {
          ...row,
          content: yield* open(row.content, EncryptedColumn.insightContent, row.id),
          tags: yield* open(row.tags, EncryptedColumn.insightTags, row.id).pipe(Effect.flatMap(decodeTags)),
          fallback_reason: yield* openNullable(row.fallback_reason, EncryptedColumn.insightFallbackReason, row.id)
        }
      })

      const read = Effect.fnUntraced(function*(encoded: unknown) {
        const row = yield* decodeRow(encoded)
        return new Insight({
          ...(yield* openSummary(row)),
          citations: row.citations,
          facts: yield* open(row.facts, EncryptedColumn.insightFacts, row.id).pipe(Effect.flatMap(decodeFacts)),
          removed: yield* open(row.removed, EncryptedColumn.insightRemoved, row.id).pipe(Effect.flatMap(decodeRemoved))
        })
      }, Effect.orDie)

      const readSummary = Effect.fnUntraced(function*(encoded: unknown) {
        return new InsightSummary(yield* openSummary(yield* decodeSummary(encoded)))
      }, Effect.orDie)

      const find = Effect.fn("InsightRepo.find")(function*(user_id: UserId, id: InsightId) {
        const rows = yield* sql`SELECT ${summary}, facts, citations, removed FROM insights WHERE id = ${id}::uuid AND user_id = ${user_id}::uuid`
        return rows[0] === undefined ? Option.none() : Option.some(yield* read(rows[0]))
      })

      const list: InsightRepo["Service"]["list"] = Effect.fn("InsightRepo.list")(function*(user_id, filter, after, limit) {
        const optional = <A>(value: Option.Option<A>) => Option.getOrNull(value)
        const position = Option.getOrNull(after)
        const rows = yield* sql<{ id: string; micros: string }>`
          SELECT ${summary}, (EXTRACT(EPOCH FROM created_at) * 1000000)::bigint::text AS micros FROM insights
          WHERE user_id = ${user_id}::uuid
            AND (${optional(filter.type)}::text IS NULL OR insight_type = ${optional(filter.type)}::text)
            AND (${optional(filter.period_start)}::text IS NULL OR period_start >= ${optional(filter.period_start)}::text::date)
            AND (${optional(filter.period_end)}::text IS NULL OR period_end <= ${optional(filter.period_end)}::text::date)
            AND (${position?.id ?? null}::uuid IS NULL OR (created_at, id)
              < (timestamptz 'epoch' + ${position?.micros ?? null}::text::bigint * interval '1 microsecond', ${position?.id ?? null}::uuid))
          ORDER BY created_at DESC, id DESC LIMIT ${limit}::int`
        return yield* Effect.forEach(rows, (row) =>
          readSummary(row).pipe(Effect.map((insight) => ({ insight, micros: row.micros, id: row.id }))))
      })

      const findAnswer = Effect.fn("InsightRepo.findAnswer")(function*(user_id: UserId, question_digest: Uint8Array) {
        const rows = yield* sql<{ id: string; draft: string }>`
          SELECT id, draft FROM insights
          WHERE user_id = ${user_id}::uuid AND question_digest IN ${sql.in(digests(question_digest))} AND source = 'model'
          ORDER BY created_at DESC LIMIT 1`
        const row = rows[0]
        if (row === undefined) return Option.none()
        return Option.some(yield* open(row.draft, EncryptedColumn.insightDraft, row.id).pipe(Effect.flatMap(decodeDraft), Effect.orDie))
      })

      // In portions: a statement may not take long.
      const removePortion = sql`
        DELETE FROM insights WHERE id IN (SELECT id FROM insights WHERE created_at < now() - interval '6 months' LIMIT ${PORTION}::int) RETURNING id`
      const removeOld = Effect.gen(function*() {
        let removed = 0
        while (true) {
          const { length } = yield* removePortion
          removed += length
          if (length < PORTION) return removed
        }
      }).pipe(Effect.withSpan("InsightRepo.removeOld"))

      return InsightRepo.of({ insert, find, list, findAnswer, removeOld })
    })
  )
}

const PORTION = 2_000

const SUMMARY = `id, task_id, user_id, organization_id, insight_type, period_start::text AS period_start,
  period_end::text AS period_end, content, tags, confidence, model, prompt_version, source, fallback_reason, entry_count,
  created_at`

const json = <S extends Schema.Top>(schema: S) => Schema.fromJsonString(schema)

/** As stored: text is sealed. */
const SummaryRow = Schema.Struct({ ...InsightSummary.fields, tags: Schema.String, created_at: Schema.DateTimeUtcFromDate })
const decodeSummary = Schema.decodeUnknownEffect(SummaryRow)
const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  ...SummaryRow.fields,
  facts: Schema.String,
  removed: Schema.String,
  citations: Schema.Array(Citation)
}))
const decodeTags = Schema.decodeUnknownEffect(json(Schema.Array(Schema.String)))
const decodeFacts = Schema.decodeUnknownEffect(json(Schema.Array(Fact)))
const encodeFacts = Schema.encodeEffect(json(Schema.Array(Fact)))
const decodeRemoved = Schema.decodeUnknownEffect(json(Schema.Array(RemovedSentence)))
const decodeDraft = Schema.decodeUnknownEffect(json(InsightDraft))
