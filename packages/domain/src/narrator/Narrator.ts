/**
 * The built-in narrator: writes the insight a model would write, from the same facts, without a model. Every figure is a
 * reference to a fact and every paragraph cites entries, so the figure check has nothing to remove.
 */
import type { FactSheet } from "../facts/Fact.ts"
import type { InsightDraft, NarrationInput } from "../insights/Insight.ts"
import type { InsightCategory } from "../insights/InsightCategory.ts"
import { CATEGORY_HEADINGS, writeCategory } from "./CategorySections.ts"
import { goals } from "./GoalSection.ts"
import { outlineOf } from "./NarrationOutline.ts"
import type { Outline, SectionName } from "./NarrationOutline.ts"
import { questions } from "./QuestionSection.ts"
import { recommendations } from "./Recommendations.ts"
import { skills } from "./SkillSection.ts"
import { makeStory, quote } from "./Story.ts"
import type { Story } from "./Story.ts"
import { collaboration, comparison, focus, rhythm } from "./TimeSections.ts"
import { allocation, highlights, opening, value } from "./WorkSections.ts"

export const BUILTIN_MODEL = "builtin"
export const BUILTIN_PROMPT_VERSION = "builtin-2"

export const narrate = (input: NarrationInput): InsightDraft => {
  const outline = outlineOf(input.insight_type)
  const story = makeStory(input)
  return {
    content: input.sheet.metrics === null ? nothingRecorded(outline) : compose(story, outline, input.focus_areas),
    tags: tagsOf(input, story),
    confidence: confidenceOf(input.sheet),
    model: BUILTIN_MODEL,
    prompt_version: BUILTIN_PROMPT_VERSION,
    source: "builtin"
  }
}

/**
 * How much data the insight stands on, not how sure its arithmetic is (that is exact): 0 without entries, else
 * 0.4 + 0.25 · min(1, entries/20) + 0.2 · min(1, days/5) + 0.1 · (share of entries with a description), at most 0.95.
 */
export const confidenceOf = (sheet: FactSheet): number => {
  const value = (id: string) => sheet.facts.find((fact) => fact.id === id)?.value ?? 0
  if (value("total.entries") === 0) return 0
  const data = 0.25 * Math.min(1, value("total.entries") / 20)
    + 0.2 * Math.min(1, value("total.days") / 5)
    + 0.1 * value("described.share") / 100
  return Math.round((0.4 + data) * 100) / 100
}

const nothingRecorded = (outline: Outline): string =>
  `# ${outline.title}\n\nNo entries were recorded in this period, so there is nothing to report or to conclude from. `
  + "Record what was done, with its time, value and impact, and ask again."

const HEADINGS = {
  highlights: "What mattered most",
  allocation: "Where the time went",
  value: "Value and impact",
  focus: "Focus",
  rhythm: "Rhythm of the work",
  collaboration: "Collaboration",
  skills: "Skills",
  goals: "Goals",
  questions: "What was asked about",
  comparison: "Compared with the preceding period",
  recommendations: "Recommendations"
} as const

/** A brief insight keeps to its first sections, and always to its answers and advice. */
const BRIEF_SECTIONS = 2

const compose = (story: Story, outline: Outline, areas: ReadonlyArray<InsightCategory> | undefined): string => {
  const parts = areas === undefined ? byOutline(story, outline) : byAreas(story, outline, areas)
  const sections = parts.flatMap(({ heading, paragraphs }) => {
    const written = paragraphs.filter((text) => text !== "")
    return written.length === 0 ? [] : [`## ${heading}`, ...written]
  })
  return [`# ${outline.title}`, ...requested(story), opening(story), ...sections].join("\n\n")
}

interface Section {
  readonly heading: string
  readonly paragraphs: ReadonlyArray<string>
}

const byOutline = (story: Story, outline: Outline): ReadonlyArray<Section> => {
  const names = sectionsFor(story, outline)
  return names.map((name) => ({ heading: HEADINGS[name], paragraphs: write(name, story, outline, !names.includes("skills")) }))
}

/** The work that mattered, what was asked for, and what belongs to every report. */
const byAreas = (story: Story, outline: Outline, areas: ReadonlyArray<InsightCategory>): ReadonlyArray<Section> => {
  const of = (name: SectionName) => ({ heading: HEADINGS[name], paragraphs: write(name, story, outline, !areas.includes("skill_development")) })
  const asked = areas.map((area) => ({ heading: CATEGORY_HEADINGS[area], paragraphs: writeCategory(area, story) }))
  return [of("highlights"), ...asked, of("comparison"), of("questions"), ...(story.brief.recommendations ? [of("recommendations")] : [])]
}

/** What the request is about, beside what its type has anyway. */
const sectionsFor = (story: Story, { sections }: Outline): ReadonlyArray<SectionName> => {
  const { topics } = story.brief
  const added: ReadonlyArray<SectionName> = [
    ...(topics.has("value") || /review|promotion/i.test(story.brief.purpose ?? "") ? ["value" as const] : []),
    ...(topics.has("collaboration") ? ["collaboration" as const] : []),
    ...(topics.has("focus") ? ["focus" as const] : []),
    ...(topics.has("rhythm") ? ["rhythm" as const] : []),
    ...(story.brief.careerGoal !== undefined || story.brief.assessment.size > 0 ? ["skills" as const] : [])
  ]
  const closing: ReadonlyArray<SectionName> = ["comparison", "questions", "recommendations"]
  const all = [...new Set([...sections.filter((name) => name !== "recommendations"), ...added, "recommendations" as const])]
  if (story.brief.detail !== "low") return all
  return all.filter((name, i) => i < BRIEF_SECTIONS || closing.includes(name))
}

/** `themes`: no other section answers the focus areas of the context. */
const write = (name: SectionName, story: Story, outline: Outline, themes: boolean): ReadonlyArray<string> => {
  switch (name) {
    case "highlights": return highlights(story, highlightsFor(story, outline))
    case "allocation": return allocation(story)
    case "value": return value(story)
    case "focus": return focus(story)
    case "rhythm": return rhythm(story)
    case "collaboration": return collaboration(story)
    case "skills": return skills(story)
    case "goals": return goals(story)
    case "questions": return questions(story, themes)
    case "comparison": return comparison(story)
    case "recommendations": return recommendations(story)
  }
}

const highlightsFor = (story: Story, outline: Outline): number =>
  story.brief.detail === "high" ? outline.highlights + 3 : story.brief.detail === "low" ? 3 : outline.highlights

const MAX_WISH = 160

/** The request in its own words, where they are few. */
const requested = (story: Story): ReadonlyArray<string> => {
  const { purpose, wish } = story.brief
  const asked = wish === undefined ? undefined : quote(wish, wish, MAX_WISH)
  const end = purpose === undefined ? undefined : quote(purpose.replace(/_/g, " "), purpose, MAX_WISH)
  return asked !== undefined ? [`*Asked for:* “${asked}”`] : end !== undefined ? [`*Prepared for:* ${end}`] : []
}

const MAX_TAGS = 8
const PLAIN_TAG = /^[\p{L}\p{N}](?:[\p{L}\p{N} ._+#/-]{0,98}[\p{L}\p{N}+#])?$/u

/** The type asked for, then the kinds of work and tags that took most time. */
const tagsOf = (input: NarrationInput, story: Story): ReadonlyArray<string> => {
  const most = (prefix: string) =>
    input.sheet.facts
      .filter((fact) => fact.id.startsWith(prefix) && fact.id.endsWith(".time"))
      .sort((a, b) => b.value - a.value)
      .slice(0, 3)
  const types = most("type.").map((fact) => fact.id.slice("type.".length, -".time".length))
  const tags = most("tag.").flatMap((fact) => {
    const shared = story.behind(fact.id)[0]?.tags.filter((tag) => story.behind(fact.id).every(({ tags: own }) => own.includes(tag)))
    return shared?.find((tag) => fact.label.endsWith(` ${tag}`)) ?? []
  })
  return [...new Set([outlineOf(input.insight_type).tag, ...types, ...tags])].filter((tag) => PLAIN_TAG.test(tag)).slice(0, MAX_TAGS)
}
