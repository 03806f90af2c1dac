/** A performance review of facts: which of them it shows, and in which words. It computes no figure of its own. */
import { DateTime } from "effect"
import { progressOf } from "../goals/Progress.ts"
import { localDayOf } from "../users/LocalDays.ts"
import { weeksWithin } from "../users/LocalWeeks.ts"
import { rankEntries } from "../entries/EntryRank.ts"
import type { Fact, FactEntry, FactSheet } from "../facts/Fact.ts"
import { factText } from "../facts/FactText.ts"
import { goalFacts, type GoalWork } from "../facts/GoalFacts.ts"
import { isoDate, type LocalClock, makeLocalClock, placeEntries, type PlacedEntry } from "../facts/LocalTime.ts"
import type { EntryId } from "../Ids.ts"
import type { Citation } from "../insights/Insight.ts"
import {
  MAX_CITED, MAX_DESCRIPTION, MAX_GOALS, type PerformanceReview, type ReviewEntry, type ReviewFigure, type ReviewGoal, type ReviewGoalState, type ReviewShare
} from "./PerformanceReview.ts"

/** What is known of an insight that a review quotes. */
export interface QuotedInsight {
  readonly insight_type: string
  readonly period_start: string
  readonly period_end: string
  readonly model: string
  readonly confidence: number
  readonly content: string
  readonly citations: ReadonlyArray<Citation>
}

export interface ReviewSources {
  readonly title: string
  readonly person: string
  /** ISO 8601. */
  readonly generated_at: string
  readonly sheet: FactSheet
  /** Those of the period. */
  readonly entries: ReadonlyArray<FactEntry>
  /** Those whose own period has a day of the review's. */
  readonly goals: ReadonlyArray<GoalWork>
  readonly insight: QuotedInsight | null
  /** Those that the insight cites and that still exist. */
  readonly cited: ReadonlyArray<FactEntry>
}

const SUMMARY = [
  "total.time", "total.entries", "total.days", "total.projects", "metric.average_daily_hours", "metric.high_value_percentage",
  "metric.company_impact_ratio", "metric.focus_time_percentage"
]
const HIGHLIGHTS = 12
const COMPARED = 3

export const reviewOf = ({ cited, entries, generated_at, goals, insight, person, sheet, title }: ReviewSources): PerformanceReview => {
  const facts = new Map<string, Fact>(sheet.facts.map((fact) => [fact.id, fact]))
  const clock = makeLocalClock(sheet.timezone)
  const shown = (entry: FactEntry) => entryOf(entry, isoDate(clock.at(millisOf(entry)).day))
  const { missing, order } = notesOf(insight?.citations ?? [], cited)
  const shownGoals = [...goals].sort((a, b) => compare(b.end_date, a.end_date) || compare(b.start_date, a.start_date)).slice(0, MAX_GOALS)
  const known = new Map(cited.map((entry) => [entry.id, entry]))
  return {
    title,
    person,
    period_start: sheet.period_start,
    period_end: sheet.period_end,
    timezone: sheet.timezone,
    generated_at,
    summary: SUMMARY.flatMap((id) => figureOf(facts.get(id))),
    metrics: sheet.facts.filter(({ id }) => /^(metric|outside_hours)\./.test(id)).flatMap(figureOf),
    comparison: sheet.facts.filter(({ id }) => id.startsWith("change.")).slice(0, COMPARED).flatMap(figureOf),
    weeks: weeksOf(placeEntries(entries, clock), sheet),
    by_type: sharesOf(facts, "type"),
    by_project: sharesOf(facts, "project"),
    by_value: sharesOf(facts, "value"),
    by_impact: sharesOf(facts, "impact"),
    goals: shownGoals.map((goal) => goalOf(goal, sheet, localDayOf(DateTime.makeUnsafe(generated_at), sheet.timezone), clock)),
    highlights: rankEntries(entries).slice(0, HIGHLIGHTS).map(shown),
    insight: insight === null ? null : quoted(insight, order),
    cited: [...order.keys()].flatMap((id) => known.get(id) ?? []).map(shown),
    uncited: missing,
    goals_left_out: goals.length - shownGoals.length
  }
}

const millisOf = (entry: FactEntry): number => entry.start_time.epochMilliseconds

const figureOf = (fact: Fact | undefined): ReadonlyArray<ReviewFigure> => fact === undefined ? [] : [{ label: fact.label, text: fact.text }]

const NAMES = { type: /^Time in (.*)$/, project: /^Time (?:in project )?(.*)$/, value: /^Time in work of (.*) value$/, impact: /^Time in work with impact on (.*) level$/ } as const

/** Largest first, as the facts are. */
const sharesOf = (facts: ReadonlyMap<string, Fact>, group: keyof typeof NAMES): ReadonlyArray<ReviewShare> =>
  [...facts.values()].flatMap((time) => {
    const [, key] = new RegExp(`^${group}\\.(.+)\\.time$`).exec(time.id) ?? []
    const share = facts.get(`${group}.${key}.share`)
    return key === undefined || share === undefined ? [] : [{ name: NAMES[group].exec(time.label)?.[1] ?? key, minutes: time.value, time: time.text, share: share.text }]
  })

const weeksOf = (placed: ReadonlyArray<PlacedEntry>, { period_end, period_start }: FactSheet): PerformanceReview["weeks"] => {
  const minutes = new Map<string, number>()
  for (const { entry, local } of placed) {
    const day = isoDate(local.day)
    minutes.set(day, (minutes.get(day) ?? 0) + entry.duration_minutes)
  }
  const days = [...minutes]
  return period_start === "" ? [] : weeksWithin({ start_date: period_start, end_date: period_end }).map(({ end_date, start_date }) => {
    const total = days.reduce((sum, [day, minutes]) => day >= start_date && day <= end_date ? sum + minutes : sum, 0)
    return { start_date, end_date, minutes: total, time: factText(total, "minutes") }
  })
}

const compare = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0

const goalOf = (goal: GoalWork, { period_end, period_start }: FactSheet, today: string, clock: LocalClock): ReviewGoal => {
  const facts = new Map(goalFacts([goal], { start: period_start, end: period_end }, clock).map((fact) => [fact.id.split(".")[2], fact]))
  const textOf = (what: string) => facts.get(what)?.text ?? ""
  const amountOf = (what: string) => goal.measure === "hours" ? textOf(what) : `${textOf(what)} ${facts.get(what)?.value === 1 ? "entry" : "entries"}`
  return {
    title: goal.title,
    start_date: goal.start_date,
    end_date: goal.end_date,
    state: stateOf(goal, period_end, today),
    target: amountOf("target"),
    reached: amountOf("reached"),
    within: amountOf("within"),
    percent: textOf("percent"),
    part: Math.min(1, (facts.get("percent")?.value ?? 0) / 100)
  }
}

/** A goal that ends with the period or before is over on the day after. */
const stateOf = (goal: GoalWork, last: string, today: string): ReviewGoalState => {
  const measured = { entries: goal.entries.length, minutes: goal.entries.reduce((sum, { duration_minutes }) => sum + duration_minutes, 0) }
  const { on_track, status } = progressOf(goal, measured, today < last ? today : last)
  return status !== "active" ? status : goal.end_date <= last && goal.end_date < today ? "missed" : on_track ? "on track" : "behind"
}

const entryOf = (entry: FactEntry, date: string): ReviewEntry => ({
  date,
  title: entry.title,
  description: entry.description === null || entry.description.trim() === "" ? null : shortened(entry.description),
  type: entry.type,
  project: entry.project_name,
  tags: entry.tags,
  time: factText(entry.duration_minutes, "minutes"),
  value_rating: entry.value_rating,
  impact_level: entry.impact_level
})

const shortened = (text: string): string => {
  const characters = [...text.trim()]
  return characters.length <= MAX_DESCRIPTION ? characters.join("") : `${characters.slice(0, MAX_DESCRIPTION).join("").trimEnd()} …`
}

/** A number for each cited entry that is shown, in the order in which the text cites them. */
const notesOf = (citations: ReadonlyArray<Citation>, cited: ReadonlyArray<FactEntry>) => {
  const there = new Set(cited.map(({ id }) => id))
  const all = [...new Set([...citations].sort((a, b) => a.paragraph - b.paragraph).flatMap(({ entry_ids }) => entry_ids))]
  const shown = all.filter((id) => there.has(id)).slice(0, MAX_CITED)
  return { order: new Map(shown.map((id, index) => [id, index + 1])), missing: all.length - shown.length }
}

const quoted = ({ citations, content, ...about }: QuotedInsight, order: ReadonlyMap<EntryId, number>) => ({
  insight_type: about.insight_type,
  period_start: about.period_start,
  period_end: about.period_end,
  model: about.model,
  confidence: about.confidence,
  paragraphs: content.split(/\n{2,}/).map((text, paragraph) => ({
    text,
    notes: citations.filter((citation) => citation.paragraph === paragraph).flatMap(({ entry_ids }) => entry_ids).flatMap((id) => order.get(id) ?? []).sort((a, b) => a - b)
  }))
})
