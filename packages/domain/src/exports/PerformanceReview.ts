/**
 * What a performance review shows (seed 004, `/v1/export/pdf`): a period's figures, charts and tables, and the insight that was chosen
 * with the entries it cites. Every figure comes as the text that a fact states; `minutes` are for the lengths of bars.
 */
import { Schema } from "effect"
import { ActivityType, ImpactLevel, ValueRating } from "../entries/LogEntry.ts"

/** A figure as a fact states it. */
export const ReviewFigure = Schema.Struct({ label: Schema.String, text: Schema.String })
export type ReviewFigure = typeof ReviewFigure.Type

/** A part of the period's time. */
export const ReviewShare = Schema.Struct({
  name: Schema.String,
  minutes: Schema.Finite,
  time: Schema.String,
  share: Schema.String
})
export type ReviewShare = typeof ReviewShare.Type

/** What was done within the days: an ISO week, cut off where the period begins and ends. */
export const ReviewWeek = Schema.Struct({ start_date: Schema.String, end_date: Schema.String, minutes: Schema.Finite, time: Schema.String })
export type ReviewWeek = typeof ReviewWeek.Type

/**
 * `missed`: its own period is over and the target was not reached. Of one that goes on, `on track` or `behind` the even pace that its
 * target asks for. As it was when the review's period ended, or is when the review is made before that.
 */
export const ReviewGoalState = Schema.Literals(["upcoming", "on track", "behind", "achieved", "missed"])
export type ReviewGoalState = typeof ReviewGoalState.Type

export const ReviewGoal = Schema.Struct({
  title: Schema.String,
  /** Its own period, both days inclusive. */
  start_date: Schema.String,
  end_date: Schema.String,
  state: ReviewGoalState,
  target: Schema.String,
  /** By the end of the review's period, and of it within the period. */
  reached: Schema.String,
  within: Schema.String,
  percent: Schema.String,
  /** Of the target, 0..1; for the length of a bar. */
  part: Schema.Finite
})
export type ReviewGoal = typeof ReviewGoal.Type

export const ReviewEntry = Schema.Struct({
  /** Its local day. */
  date: Schema.String,
  title: Schema.String,
  description: Schema.NullOr(Schema.String),
  type: ActivityType,
  project: Schema.NullOr(Schema.String),
  tags: Schema.Array(Schema.String),
  time: Schema.String,
  value_rating: ValueRating,
  impact_level: ImpactLevel
})
export type ReviewEntry = typeof ReviewEntry.Type

export const ReviewParagraph = Schema.Struct({
  /** Markdown. */
  text: Schema.String,
  /** Places in the list of cited entries, from 1. */
  notes: Schema.Array(Schema.Int)
})

export const ReviewInsight = Schema.Struct({
  insight_type: Schema.String,
  period_start: Schema.String,
  period_end: Schema.String,
  /** Who wrote it: a model's name, or `builtin`. */
  model: Schema.String,
  /** 0..1. */
  confidence: Schema.Finite,
  paragraphs: Schema.Array(ReviewParagraph)
})

/** Goals that a review shows at most: those that end last. */
export const MAX_GOALS = 50
/** Entries that a review shows in full at most, of those that its insight cites. */
export const MAX_CITED = 200
/** Characters of a description; what is longer is cut off, visibly. */
export const MAX_DESCRIPTION = 600

export const PerformanceReview = Schema.Struct({
  title: Schema.String,
  person: Schema.String,
  period_start: Schema.String,
  period_end: Schema.String,
  timezone: Schema.String,
  generated_at: Schema.String,
  summary: Schema.Array(ReviewFigure),
  metrics: Schema.Array(ReviewFigure),
  comparison: Schema.Array(ReviewFigure),
  weeks: Schema.Array(ReviewWeek),
  by_type: Schema.Array(ReviewShare),
  by_project: Schema.Array(ReviewShare),
  by_value: Schema.Array(ReviewShare),
  by_impact: Schema.Array(ReviewShare),
  goals: Schema.Array(ReviewGoal),
  highlights: Schema.Array(ReviewEntry),
  insight: Schema.NullOr(ReviewInsight),
  /** In the order of their notes. */
  cited: Schema.Array(ReviewEntry),
  /** Cited entries that are not shown, because there are too many or they were deleted. */
  uncited: Schema.Int,
  /** Goals of the period that are not shown, because there are too many. */
  goals_left_out: Schema.Int
})
export type PerformanceReview = typeof PerformanceReview.Type
