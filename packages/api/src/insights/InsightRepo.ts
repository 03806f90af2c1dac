/**
 * Insights in PostgreSQL. Everything that is or may quote a user's text is encrypted.
 */
import { InsightId, type ProjectId, TaskId, type UserId } from "@englog/domain/Ids"
import { Citation, Insight, InsightDraft, InsightSummary, RemovedSentence } from "@englog/domain/insights/Insight"
import { Fact } from "@englog/domain/facts/Fact"
import { InsightBasis } from "@englog/domain/verification/InsightBasis"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import type { Cursor } from "../http/Cursor.ts"

/** An insight to be stored, with the question it answers and the draft it came from. */
export interface NewInsight extends Omit<Insight, "created_at"> {
  readonly question_digest: Uint8Array
  readonly draft: InsightDraft
  readonly basis: InsightBasis
}

export interface InsightFilter {
  readonly type: Option.Option<string>
  readonly period_start: Option.Option<string>
  readonly period_end: Option.Option<string>
  /** Limited to projects among which is this one. */
  readonly project_id: Option.Option<ProjectId>
  /** Instants; half-open, [from, to). */
  readonly created_from: Option.Option<DateTime.Utc>
  readonly created_to: Option.Option<DateTime.Utc>
  /** It has all of them, whatever their case. */
  readonly tags: ReadonlyArray<string>
}

export interface StoredAnswer {
  readonly id: InsightId
  readonly task_id: TaskId
}

/** An insight with its place in the list. */
export interface ListedInsight extends Cursor {
  readonly insight: InsightSummary
}

export class InsightRepo extends Context.Service<InsightRepo, {
  readonly insert: (insight: NewInsight) => Effect.Effect<void, SqlError>
  readonly find: (user_id: UserId, id: InsightId) => Effect.Effect<Option.Option<Insight>, SqlError>
  /** With what it rests on; null where it was stored by a version that kept nothing of that. */
  readonly findWithBasis: (
    user_id: UserId,
    id: InsightId
  ) => Effect.Effect<Option.Option<{ readonly insight: Insight; readonly basis: InsightBasis | null }>, SqlError>
  /** Answers whether there was one. */
  readonly remove: (user_id: UserId, id: InsightId) => Effect.Effect<boolean, SqlError>
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
  /** The newest insight that answers exactly this question and was not written for want of something better. */
  readonly findEqual: (user_id: UserId, question_digest: Uint8Array) => Effect.Effect<Option.Option<StoredAnswer>, SqlError>
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
            question_digest, draft, project_ids, basis)
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
            ${yield* seal(JSON.stringify(insight.draft), EncryptedColumn.insightDraft, id)},
            (SELECT array_agg(p::uuid) FROM jsonb_array_elements_text(${insight.project_ids === null ? null : JSON.stringify(insight.project_ids)}::text::jsonb) AS p),
            ${yield* seal(JSON.stringify(insight.basis), EncryptedColumn.insightBasis, id)})`
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

      const findWithBasis: InsightRepo["Service"]["findWithBasis"] = Effect.fn("InsightRepo.findWithBasis")(function*(user_id, id) {
        const insight = yield* find(user_id, id)
        if (Option.isNone(insight)) return Option.none()
        const rows = yield* sql<{ basis: string | null }>`SELECT basis FROM insights WHERE id = ${id}::uuid`
        const text = yield* Effect.orDie(openNullable(rows[0]?.basis ?? null, EncryptedColumn.insightBasis, id))
        return Option.some({ insight: insight.value, basis: text === null ? null : yield* Effect.orDie(decodeBasis(text)) })
      })

      const remove = Effect.fn("InsightRepo.remove")((user_id: UserId, id: InsightId) =>
        Effect.map(sql`DELETE FROM insights WHERE id = ${id}::uuid AND user_id = ${user_id}::uuid RETURNING id`, (rows) => rows.length > 0))

      const matching = (user_id: UserId, filter: InsightFilter) =>
        sql.and([
          Option.some(sql`user_id = ${user_id}::uuid`),
          Option.map(filter.type, (type) => sql`insight_type = ${type}`),
          Option.map(filter.period_start, (day) => sql`period_start >= ${day}::text::date`),
          Option.map(filter.period_end, (day) => sql`period_end <= ${day}::text::date`),
          Option.map(filter.project_id, (id) => sql`${id}::uuid = ANY (project_ids)`),
          Option.map(filter.created_from, (from) => sql`created_at >= ${DateTime.toDateUtc(from)}`),
          Option.map(filter.created_to, (to) => sql`created_at < ${DateTime.toDateUtc(to)}`)
        ].flatMap(Option.toArray))

      const select = (columns: Statement, where: Statement, after: Option.Option<Cursor>, limit: number) =>
        sql<{ id: InsightId; micros: string; tags: string }>`
          SELECT ${columns}, (EXTRACT(EPOCH FROM created_at) * 1000000)::bigint::text AS micros FROM insights
          WHERE ${
          sql.and([
            where,
            ...Option.toArray(Option.map(after, ({ id, micros }) =>
              sql`(created_at, id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`))
          ])
        } ORDER BY created_at DESC, id DESC LIMIT ${limit}::int`

      /** Tags are sealed, so PostgreSQL cannot look for them: they are read in portions until enough are found. */
      const tagged = Effect.fnUntraced(function*(where: Statement, tags: ReadonlyArray<string>, after: Option.Option<Cursor>, limit: number) {
        const found: Array<InsightId> = []
        let position = after
        while (true) {
          const rows = yield* select(sql`id, tags`, where, position, TAG_PORTION)
          for (const row of rows) {
            const own = yield* open(row.tags, EncryptedColumn.insightTags, row.id).pipe(Effect.flatMap(decodeTags), Effect.orDie)
            const names = new Set(own.map((tag) => tag.toLowerCase()))
            if (tags.every((tag) => names.has(tag))) found.push(row.id)
          }
          position = Option.fromUndefinedOr(rows.at(-1))
          if (found.length >= limit || rows.length < TAG_PORTION) return found.slice(0, limit)
        }
      })

      const list: InsightRepo["Service"]["list"] = Effect.fn("InsightRepo.list")(function*(user_id, filter, after, limit) {
        const where = matching(user_id, filter)
        const chosen = filter.tags.length === 0
          ? where
          : sql`id IN (SELECT i::uuid FROM jsonb_array_elements_text(${JSON.stringify(yield* tagged(where, filter.tags, after, limit))}::jsonb) AS i)`
        return yield* Effect.forEach(yield* select(summary, chosen, after, limit), (row) =>
          readSummary(row).pipe(Effect.map((insight) => ({ insight, micros: row.micros, id: row.id }))))
      })

      const findEqual = Effect.fn("InsightRepo.findEqual")(function*(user_id: UserId, question_digest: Uint8Array) {
        const rows = yield* sql`
          SELECT id, task_id FROM insights
          WHERE user_id = ${user_id}::uuid AND question_digest IN ${sql.in(digests(question_digest))} AND fallback_reason IS NULL
          ORDER BY created_at DESC LIMIT 1`
        return Option.fromUndefinedOr((yield* Effect.orDie(decodeAnswers(rows)))[0])
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

      return InsightRepo.of({ insert, find, findWithBasis, remove, list, findAnswer, findEqual, removeOld })
    })
  )
}

type Statement = ReturnType<SqlClient.SqlClient["and"]>

const PORTION = 2_000
const TAG_PORTION = 200

const SUMMARY = `id, task_id, user_id, organization_id, insight_type, period_start::text AS period_start,
  period_end::text AS period_end, project_ids::text[] AS project_ids, content, tags, confidence, model, prompt_version, source, fallback_reason, entry_count,
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
const decodeBasis = Schema.decodeUnknownEffect(json(InsightBasis))
const decodeAnswers = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: InsightId, task_id: TaskId })))
const decodeDraft = Schema.decodeUnknownEffect(json(InsightDraft))
