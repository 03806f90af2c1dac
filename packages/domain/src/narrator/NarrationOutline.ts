/**
 * Which sections an insight has, in which order, by its type: the insight types of seed 000, the report types and the insight
 * categories of seed 004, and any other string by the words in it.
 */
import { figuresIn } from "../figures/Figures.ts"
import { humanized, topicsOf } from "./NarrationBrief.ts"
import type { Topic } from "./NarrationBrief.ts"
import { quote } from "./Story.ts"

export type SectionName =
  | "highlights" | "allocation" | "value" | "focus" | "rhythm" | "collaboration" | "skills" | "goals" | "questions" | "comparison" | "recommendations"

export interface Outline {
  readonly title: string
  /** The type as a tag. */
  readonly tag: string
  readonly sections: ReadonlyArray<SectionName>
  /** How many pieces of work are told at normal detail. */
  readonly highlights: number
}

const outline = (title: string, highlights: number, sections: ReadonlyArray<SectionName>): Outline => ({
  title,
  tag: title.toLowerCase().replace(/ (insight|summary|report)$/, "").replace(/[^a-z]+/g, "_"),
  highlights,
  sections
})

const REVIEW: ReadonlyArray<SectionName> = [
  "highlights", "value", "allocation", "collaboration", "skills", "goals", "focus", "comparison", "questions", "recommendations"
]
const PERIOD: ReadonlyArray<SectionName> = [
  "highlights", "allocation", "focus", "collaboration", "goals", "comparison", "questions", "recommendations"
]

const OUTLINES = new Map<string, Outline>([
  ["productivity", outline("Productivity insight", 5, ["highlights", "focus", "rhythm", "allocation", "value", "comparison", "questions", "recommendations"])],
  ["skill_development", outline("Skill development insight", 5, ["skills", "highlights", "collaboration", "comparison", "questions", "recommendations"])],
  ["time_management", outline("Time management insight", 3, ["questions", "allocation", "focus", "rhythm", "highlights", "comparison", "recommendations"])],
  ["daily", outline("Daily summary", 5, ["highlights", "allocation", "focus", "questions", "recommendations"])],
  ["weekly", outline("Weekly report", 5, PERIOD)],
  ["sprint", outline("Sprint analysis", 6, PERIOD)],
  ["monthly", outline("Monthly insights", 6, ["highlights", "allocation", "value", "focus", "rhythm", "collaboration", "goals", "comparison", "questions", "recommendations"])],
  ["quarterly", outline("Quarterly review", 8, REVIEW)],
  ["annual", outline("Annual assessment", 10, REVIEW)],
  ["performance_review", outline("Performance review", 8, REVIEW)],
  ["time_allocation", outline("Time allocation", 3, ["allocation", "comparison", "rhythm", "highlights", "questions", "recommendations"])],
  ["productivity_patterns", outline("Productivity patterns", 3, ["focus", "rhythm", "comparison", "highlights", "questions", "recommendations"])],
  ["collaboration_impact", outline("Collaboration impact", 4, ["collaboration", "highlights", "comparison", "questions", "recommendations"])],
  ["goal_progress", outline("Goal progress", 6, ["goals", "questions", "highlights", "value", "comparison", "recommendations"])],
  ["value_distribution", outline("Value distribution", 5, ["value", "highlights", "allocation", "comparison", "questions", "recommendations"])],
  ["impact_assessment", outline("Impact assessment", 6, ["value", "highlights", "collaboration", "comparison", "questions", "recommendations"])]
])

const ALIASES = new Map([
  ["day", "daily"], ["week", "weekly"], ["month", "monthly"], ["quarter", "quarterly"], ["year", "annual"], ["yearly", "annual"], ["review", "performance_review"]
])

/** A type of which nothing is known is read by its words; its name becomes the title only where it states no figure. */
export const outlineOf = (insightType: string): Outline => {
  const words = insightType.trim().toLowerCase().split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "")
  const known = OUTLINES.get(words.join("_"))
    ?? words.map((word) => OUTLINES.get(ALIASES.get(word) ?? word)).find((found) => found !== undefined)
  if (known !== undefined) return known
  const topics = new Set(words.flatMap(topicsOf))
  const lead = LEADS.filter(([topic]) => topics.has(topic)).flatMap(([, sections]) => sections)
  return outline(titleOf(insightType), 5, [...new Set([...lead, ...PERIOD])])
}

const LEADS: ReadonlyArray<readonly [Topic, ReadonlyArray<SectionName>]> = [
  ["skills", ["skills"]], ["collaboration", ["collaboration"]], ["value", ["value"]], ["meetings", ["collaboration"]],
  ["focus", ["focus", "rhythm"]], ["rhythm", ["rhythm"]], ["hours", ["rhythm"]], ["switching", ["focus"]], ["fragmentation", ["focus"]]
]

const titleOf = (insightType: string): string => {
  const name = quote(humanized(insightType))
  if (name === undefined || figuresIn(`${name} insight`).size > 0) return "Work insight"
  return /insights?$/i.test(name) ? name : `${name} insight`
}
