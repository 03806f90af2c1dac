/**
 * An insight: what a narrator (a language model or the built-in one) wrote about facts, after the figure check.
 */
import { Schema } from "effect"
import { Fact, FactEntry, FactId, FactSheet } from "../facts/Fact.ts"
import { EntryId, InsightId, OrganizationId, ProjectId, TaskId, UserId } from "../Ids.ts"
import { InsightCategory } from "./InsightCategory.ts"

/**
 * What a worker hands in. Only `content`, `tags` and `confidence` are demanded (seed 000). In `content`, `{{fact.id}}`
 * stands for the fact's figure and `[[entry-id]]` cites an entry; paragraphs are separated by blank lines (Markdown).
 */
export const InsightDraft = Schema.Struct({
  content: Schema.String.pipe(Schema.check(Schema.isMinLength(1), Schema.isMaxLength(100_000))),
  tags: Schema.Array(Schema.String.pipe(Schema.check(Schema.isMaxLength(100)))).pipe(Schema.check(Schema.isMaxLength(50))),
  confidence: Schema.Finite.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  /** Name of the model that wrote it; `builtin` for the built-in narrator. */
  model: Schema.optionalKey(Schema.String),
  prompt_version: Schema.optionalKey(Schema.String),
  /** Where it comes from: the model just now, an earlier answer to the same question, or the built-in narrator. */
  source: Schema.optionalKey(Schema.Literals(["model", "cache", "builtin"])),
  /** Why the source is not the model, in a sentence, where one was configured. */
  fallback_reason: Schema.optionalKey(Schema.String)
})
export type InsightDraft = typeof InsightDraft.Type

/** Paragraph number (0-based) in the checked content and the entries it cites. */
export const Citation = Schema.Struct({ paragraph: Schema.Int, entry_ids: Schema.Array(EntryId) })
export type Citation = typeof Citation.Type

export const RemovedSentence = Schema.Struct({ sentence: Schema.String, reason: Schema.String })
export type RemovedSentence = typeof RemovedSentence.Type

/** A sentence that was kept, with the facts whose figures it states; they are in the order of the text. */
export const Statement = Schema.Struct({ paragraph: Schema.Int, text: Schema.String, facts: Schema.Array(FactId) })
export type Statement = typeof Statement.Type

/** An insight's text after the figure check: figures rendered, unresolved sentences gone, confidence scaled. */
export const CheckedInsight = Schema.Struct({
  content: Schema.String,
  tags: Schema.Array(Schema.String),
  confidence: Schema.Finite,
  citations: Schema.Array(Citation),
  removed: Schema.Array(RemovedSentence),
  statements: Schema.Array(Statement),
  sentences_kept: Schema.Int,
  sentences_total: Schema.Int
})
export type CheckedInsight = typeof CheckedInsight.Type

/** Free text, or any JSON object (seed 000, "Contexto Flexível"). */
export const InsightContext = Schema.Union([Schema.String, Schema.Record(Schema.String, Schema.Json)])
export type InsightContext = typeof InsightContext.Type

/**
 * What a narrator works from, and the only thing a worker sees of a user's data. `entries` is capped (most telling first);
 * `entry_count` counts all.
 */
export class NarrationInput extends Schema.Class<NarrationInput>("NarrationInput")({
  /** `insight_type` of seed 000 ("productivity", any string) or a report type of seed 004 ("weekly" …). */
  insight_type: Schema.String,
  context: Schema.NullOr(InsightContext),
  /** A section for each; left out: the sections of the type. */
  focus_areas: Schema.optionalKey(Schema.Array(InsightCategory)),
  sheet: FactSheet,
  entries: Schema.Array(FactEntry),
  entry_count: Schema.Int,
  /** An earlier answer of a language model to exactly this question, where there is one. */
  cached: Schema.NullOr(InsightDraft)
}) {}

const summary = {
  id: InsightId,
  task_id: TaskId,
  user_id: UserId,
  organization_id: OrganizationId,
  insight_type: Schema.String,
  /** First and last local day covered, YYYY-MM-DD. */
  period_start: Schema.String,
  period_end: Schema.String,
  /** The projects whose entries it is about; null: of any project or none. */
  project_ids: Schema.NullOr(Schema.Array(ProjectId)),
  content: Schema.String,
  tags: Schema.Array(Schema.String),
  confidence: Schema.Finite,
  model: Schema.String,
  prompt_version: Schema.String,
  source: Schema.Literals(["model", "cache", "builtin"]),
  fallback_reason: Schema.NullOr(Schema.String),
  entry_count: Schema.Int,
  created_at: Schema.DateTimeUtcFromString
}

/** A stored insight as lists show it: without what it stands on. */
export class InsightSummary extends Schema.Class<InsightSummary>("InsightSummary")(summary) {}

/** A stored insight with everything that lets somebody check it. */
export class Insight extends Schema.Class<Insight>("Insight")({
  ...summary,
  citations: Schema.Array(Citation),
  facts: Schema.Array(Fact),
  removed: Schema.Array(RemovedSentence)
}) {}
