/**
 * The answer to "is this insight still true?": every fact it was rendered from and every figure of its text, beside what
 * today's entries, goals, time zone and working hours say.
 */
import { Schema } from "effect"
import { FactId, FactUnit } from "../facts/Fact.ts"
import { EntryId, GoalId, InsightId } from "../Ids.ts"
import { WorkingHours } from "../users/WorkingHours.ts"
import { ENTRY_FIELDS, GOAL_FIELDS } from "./Basis.ts"

const fields = Schema.Array(Schema.Literals(ENTRY_FIELDS))

/**
 * Since the insight was stored: `added` was recorded; `entered` existed, but did not count: it lay outside the period or the
 * projects, or was running; `changed` in these fields; `redated` in its time, and maybe in more; `removed` is deleted.
 */
export const EntryChange = Schema.Struct({
  kind: Schema.Literals(["entry_added", "entry_entered", "entry_changed", "entry_redated", "entry_removed"]),
  entry_id: EntryId,
  /** Empty where it was added, entered or removed. */
  fields
}).annotate({ identifier: "EntryChange" })
export type EntryChange = typeof EntryChange.Type

export const GoalChange = Schema.Struct({
  kind: Schema.Literals(["goal_added", "goal_changed", "goal_removed"]),
  goal_id: GoalId,
  fields: Schema.Array(Schema.Literals(GOAL_FIELDS))
}).annotate({ identifier: "GoalChange" })
export type GoalChange = typeof GoalChange.Type

/** The user's own: it decides what a day is. */
export const ZoneChange = Schema.Struct({
  kind: Schema.Literal("time_zone_changed"),
  was: Schema.String,
  now: Schema.String
}).annotate({ identifier: "ZoneChange" })

/** Likewise: they decide what lies outside of them. Null: none were set. */
export const HoursChange = Schema.Struct({
  kind: Schema.Literal("working_hours_changed"),
  was: Schema.NullOr(WorkingHours),
  now: Schema.NullOr(WorkingHours)
}).annotate({ identifier: "HoursChange" })

/** What decides how records are read. */
export const SettingChange = Schema.Union([ZoneChange, HoursChange])
export type SettingChange = typeof SettingChange.Type

export const RecordChange = Schema.Union([EntryChange, GoalChange, ZoneChange, HoursChange])
export type RecordChange = typeof RecordChange.Type

const Stated = Schema.Struct({ value: Schema.Finite, text: Schema.String })

export const VerifiedFact = Schema.Struct({
  id: FactId,
  label: Schema.String,
  unit: FactUnit,
  /** `gone`: today's records do not give this fact; `new`: they give one that there was not. */
  status: Schema.Literals(["unchanged", "changed", "gone", "new"]),
  was: Schema.NullOr(Stated),
  now: Schema.NullOr(Stated),
  /** Positions in `changes`; empty where there is no difference, or none that a change of a record explains. */
  why: Schema.Array(Schema.Int)
}).annotate({ identifier: "VerifiedFact" })
export type VerifiedFact = typeof VerifiedFact.Type

export const VerifiedFigure = Schema.Struct({
  figure: Schema.String,
  /** What it stands on; `none`: neither a fact of its sentence, nor an entry that its paragraph cites, nor the request's context. */
  source: Schema.Literals(["fact", "entry", "context", "none"]),
  fact_id: Schema.NullOr(FactId),
  resolves: Schema.Boolean,
  /** What the fact says today, where that is something else. */
  now: Schema.NullOr(Schema.String)
}).annotate({ identifier: "VerifiedFigure" })
export type VerifiedFigure = typeof VerifiedFigure.Type

export const VerifiedSentence = Schema.Struct({
  sentence: Schema.String,
  /** False: it was not checked when the insight was stored, or it was and is missing from the text. */
  as_checked: Schema.Boolean,
  /** All of its figures do, and it is as it was checked. */
  resolves: Schema.Boolean,
  figures: Schema.Array(VerifiedFigure)
}).annotate({ identifier: "VerifiedSentence" })
export type VerifiedSentence = typeof VerifiedSentence.Type

/**
 * `verified`: all is as it was. `holds`: records changed, and yet every figure of the text is still true. `outdated`: a figure
 * of the text is not true any more, because records changed. `inconsistent`: the text or a fact is not what the records give
 * or gave, and no change of a record explains it.
 */
export const Verdict = Schema.Literals(["verified", "holds", "outdated", "inconsistent"])
export type Verdict = typeof Verdict.Type

export class Verification extends Schema.Class<Verification>("Verification")({
  insight_id: InsightId,
  verdict: Verdict,
  verified_at: Schema.DateTimeUtcFromString,
  facts_unchanged: Schema.Int,
  /** Changed, gone and new ones first. */
  facts: Schema.Array(VerifiedFact),
  changes: Schema.Array(RecordChange),
  /** In the order of the text. */
  sentences: Schema.Array(VerifiedSentence)
}) {}
