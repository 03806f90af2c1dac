/**
 * What the request's context asks for (seed 000, "Contexto Flexível"). The context is anybody's JSON: known keys are read at
 * any depth, everything else is left alone.
 */
import type { Schema } from "effect"
import type { InsightContext } from "../insights/Insight.ts"

/** What a narrator can say something about. */
export type Topic = "meetings" | "fragmentation" | "switching" | "focus" | "hours" | "skills" | "collaboration" | "value" | "rhythm"

export interface NarrationBrief {
  /** Free text of the request, where it came as a string. */
  readonly wish: string | undefined
  readonly purpose: string | undefined
  readonly careerGoal: string | undefined
  readonly currentLevel: string | undefined
  /** Names of skills or themes to look at, as written. */
  readonly focusAreas: ReadonlyArray<string>
  /** Self-assessed level by skill. */
  readonly assessment: ReadonlyMap<string, string>
  readonly problems: ReadonlyArray<string>
  readonly detail: "low" | "normal" | "high"
  readonly recommendations: boolean
  readonly deepWork: string | undefined
  readonly meetingFreeHours: ReadonlyArray<string>
  readonly mentorship: boolean
  readonly certification: boolean | undefined
  readonly topics: ReadonlySet<Topic>
}

const MAX_LISTED = 8

export const readBrief = (context: InsightContext | null): NarrationBrief => {
  const fields = typeof context === "object" && context !== null ? flatten(context) : new Map<string, Schema.Json>()
  const text = (key: string) => strings(fields.get(key))[0]
  const wish = typeof context === "string" ? context.trim() : undefined
  const assessment = new Map(entriesOf(fields.get("skill_assessment")).flatMap(([skill, level]) => typeof level === "string" ? [[skill, level]] : []))
  const focusAreas = strings(fields.get("focus_areas"))
  const problems = [
    ...strings(fields.get("problem_areas")), ...strings(fields.get("optimization_goal")), ...strings(fields.get("metrics_focus"))
  ]
  const detail = (text("detail_level") ?? "").toLowerCase()
  return {
    wish: wish === "" ? undefined : wish,
    purpose: text("purpose"),
    careerGoal: text("career_goal"),
    currentLevel: text("current_level"),
    focusAreas: [...new Set([...focusAreas, ...assessment.keys()])].slice(0, MAX_LISTED),
    assessment,
    problems: [...new Set(problems)].slice(0, MAX_LISTED),
    detail: /^(high|detailed|full|verbose)$/.test(detail) ? "high" : /^(low|brief|short|summary)$/.test(detail) ? "low" : "normal",
    recommendations: fields.get("include_recommendations") !== false,
    deepWork: text("deep_work_preference"),
    meetingFreeHours: strings(fields.get("meeting_free_hours")).slice(0, MAX_LISTED),
    mentorship: fields.get("mentorship") === true,
    certification: typeof fields.get("certification") === "boolean" ? fields.get("certification") === true : undefined,
    topics: new Set([...focusAreas, ...problems, wish ?? ""].flatMap(topicsOf))
  }
}

const TOPICS: ReadonlyArray<readonly [Topic, RegExp]> = [
  ["meetings", /meeting/],
  ["fragmentation", /fragment|interrupt/],
  ["switching", /switch|batch/],
  ["focus", /focus|flow|deep.?work|concentrat|uninterrupted/],
  ["hours", /overtime|overwork|long.?hours|burn.?out|work.?life|sustainab/],
  ["skills", /skill|learn|career|growth|grow\b|training/],
  ["collaboration", /collab|mentor|team|cross|leader/],
  ["value", /value|impact|achiev|outcome|deliver|performance.?review/],
  ["rhythm", /time.?optimi|efficien|pattern|productiv|peak|schedule/]
]

export const topicsOf = (text: string): ReadonlyArray<Topic> =>
  TOPICS.flatMap(([topic, pattern]) => pattern.test(text.toLowerCase()) ? [topic] : [])

/** "too_many_meetings" → "Too many meetings". */
export const humanized = (name: string): string => {
  const words = name.replace(/[_\s]+/g, " ").trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Every key at any depth with its value; of equal keys the outermost counts. */
const flatten = (context: { readonly [key: string]: Schema.Json }): ReadonlyMap<string, Schema.Json> => {
  const fields = new Map<string, Schema.Json>()
  let level = Object.entries(context)
  for (let depth = 0; level.length > 0 && depth < 8; depth++) {
    for (const [key, value] of level) if (!fields.has(key)) fields.set(key, value)
    level = level.flatMap(([, value]) => entriesOf(value))
  }
  return fields
}

const entriesOf = (value: Schema.Json | undefined): Array<[string, Schema.Json]> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : []

const strings = (value: Schema.Json | undefined): ReadonlyArray<string> =>
  (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === "string" && one.trim() !== "")
