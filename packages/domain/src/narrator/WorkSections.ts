/**
 * What was done: the opening, the work that mattered most, where the time went, and what it was worth.
 */
import type { FactEntry } from "../facts/Fact.ts"
import { MAX_HIGHLIGHTS } from "../facts/HighlightFacts.ts"
import { factSlug } from "../facts/FactSlug.ts"
import { valueImpact } from "../metrics/ValueImpact.ts"
import { counted, figure, list, outcome, paragraph, quote, titleOf } from "./Story.ts"
import type { Story } from "./Story.ts"

/** How each kind of work is spoken of. */
export const TYPE_NOUN = {
  meeting: "meetings", code: "coding", debug: "debugging", docs: "documentation", mentoring: "mentoring", review: "reviews",
  planning: "planning", learning: "learning", ops: "operations", admin: "administration"
} as const

const TYPES = ["meeting", "code", "debug", "docs", "mentoring", "review", "planning", "learning", "ops", "admin"] as const

/** What the whole comes to, and how much of it was the work one is paid for. */
export const opening = (story: Story): string => {
  const single = story.value("period.start") === story.value("period.end")
  const when = single ? `On ${figure("period.start")}` : `From ${figure("period.start")} to ${figure("period.end")}`
  const over = single ? "" : ` on ${counted(story, "total.days", "day", "days")}`
  const projects = story.value("total.projects") > 1 ? `, across ${figure("total.projects")} projects` : ""
  const total = `${when}, ${figure("total.time")} of work were recorded in ${counted(story, "total.entries", "entry", "entries")}${over}${projects}.`
  const worth = story.value("outcome.time") > 0
    ? ` ${figure("outcome.share")} of that time (${figure("outcome.time")}) went into work of high value with impact on the product or the company.`
    : " None of it was rated both of high value and of product or company impact."
  const behind = story.value("outcome.time") > 0 ? story.behind("outcome.time") : story.entries
  return paragraph(total + worth + changeSinceBefore(story), behind, 3)
}

const changeSinceBefore = (story: Story): string =>
  !story.has("change.total.time") ? "" : Math.abs(story.value("change.total.time")) < 0.05
    ? " The recorded time equals that of the preceding period."
    : ` Against the preceding period the recorded time changed by ${figure("change.total.time")}.`

const TYPE_NAME = {
  meeting: "Meeting", code: "Coding", debug: "Debugging", docs: "Documentation", mentoring: "Mentoring", review: "Review",
  planning: "Planning", learning: "Learning", ops: "Operations", admin: "Administration"
} as const

const VALUE_WORDS = { low: "low value", medium: "medium value", high: "high value" } as const
const IMPACT_WORDS = {
  personal: "for personal growth", team: "for the team", product: "for the product", company: "for the whole company"
} as const

/** The pieces of work as facts rank them; those of low value stay out while there are better ones. */
export const highlights = (story: Story, most: number): ReadonlyArray<string> => {
  const told = Array.from({ length: MAX_HIGHLIGHTS }, (_, rank) => `highlight.${rank + 1}`)
    .map((prefix) => ({ prefix, behind: story.behind(`${prefix}.time`) }))
    .filter(({ behind }) => behind.length > 0)
  const telling = told.filter(({ behind: [first] }) => first !== undefined && valueImpact(first) >= 4)
  const items = (telling.length > 0 ? telling : told.slice(0, 3)).slice(0, most)
  const lead = telling.length > 0 ? [] : ["No entry combines more than a low value with an impact beyond the engineer; these tell most:"]
  return [...lead, items.map(({ behind, prefix }) => `- ${highlight(story, prefix, behind)}`).join("\n")]
}

const highlight = (story: Story, prefix: string, behind: ReadonlyArray<FactEntry>): string => {
  const [first] = behind
  if (first === undefined) return ""
  const sittings = story.value(`${prefix}.entries`) > 1 ? ` over ${figure(`${prefix}.entries`)} entries` : ""
  const project = first.project_name === null ? undefined : quote(first.project_name)
  const where = project === undefined ? "" : `, project “${project}”`
  const facts = `${TYPE_NAME[first.type]}${where}, ${figure(`${prefix}.time`)}${sittings}; ${VALUE_WORDS[first.value_rating]} ${IMPACT_WORDS[first.impact_level]}.`
  const result = outcome(behind)
  return paragraph(`**${titleOf(first)}** — ${result.text === "" ? "" : `${result.text} `}${facts}`, [first, ...result.from, ...behind], 3)
}

export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** Types by time, then projects by time. Details name every type; otherwise those that make up most of the whole. */
export const allocation = (story: Story): ReadonlyArray<string> => {
  const types = TYPES.filter((type) => story.has(`type.${type}.time`))
    .sort((a, b) => story.value(`type.${b}.time`) - story.value(`type.${a}.time`))
  const [first, ...others] = types
  if (first === undefined) return []
  const shown = others.slice(0, story.brief.detail === "high" ? others.length : 3)
  const rest = shown.map((type) => `${TYPE_NOUN[type]} with ${figure(`type.${type}.share`)} (${figure(`type.${type}.time`)})`)
  const leads = `${capitalized(TYPE_NOUN[first])} took most of the time: ${figure(`type.${first}.share`)}, which is ${figure(`type.${first}.time`)} in ${counted(story, `type.${first}.entries`, "entry", "entries")}`
  const text = others.length === 0
    ? `All of the recorded time, ${figure(`type.${first}.time`)}, went into ${TYPE_NOUN[first]}.`
    : `${leads}, followed by ${list(rest)}.`
  const cited = types.slice(0, 4).flatMap((type) => story.behind(`type.${type}.time`).slice(0, 1))
  return [paragraph(text, cited), ...projects(story)]
}

const projects = (story: Story): ReadonlyArray<string> => {
  const named = [...new Set(story.entries.flatMap(({ project_name }) => project_name === null ? [] : [project_name]))]
    .flatMap((name) => {
      const id = `project.${factSlug(name)}`
      const shown = story.behind(`${id}.time`).filter(({ project_name }) => project_name === name)
      const quoted = quote(name)
      return shown.length === 0 || quoted === undefined ? [] : [{ id, quoted, shown }]
    })
    .sort((a, b) => story.value(`${b.id}.time`) - story.value(`${a.id}.time`))
    .slice(0, story.brief.detail === "high" ? 8 : 4)
  if (named.length === 0) return []
  const parts = named.map(({ id, quoted }) => `“${quoted}” ${figure(`${id}.time`)} (${figure(`${id}.share`)})`)
  const outside = story.has("project._none.time") ? ` Work outside any project came to ${figure("project._none.time")}.` : ""
  return [paragraph(`By project: ${list(parts)}.${outside}`, named.flatMap(({ shown }) => shown.slice(0, 1)), 8)]
}

/** Whom the time served, in a sentence, with an entry of each. */
export const impactShares = (story: Story): { readonly text: string; readonly cited: ReadonlyArray<FactEntry> } => {
  const levels = (["company", "product", "team", "personal"] as const).filter((level) => story.has(`impact.${level}.time`))
  const parts = levels.map((level) => `${figure(`impact.${level}.share`)} ${IMPACT_WORDS[level]}`)
  return {
    text: `By whom it served, the time splits into ${list(parts)}.`,
    cited: levels.flatMap((level) => story.behind(`impact.${level}.time`).slice(0, 1))
  }
}

export const value = (story: Story): ReadonlyArray<string> => {
  const { cited, text: spread } = impactShares(story)
  const high = `Work of high value made up ${figure("metric.high_value_percentage")} of the time, and ${figure("metric.company_impact_ratio")} reached the product or the company.`
  const score = `The mean score of value times impact is ${figure("metric.value_impact_score")}.`
  return [paragraph(`${high} ${spread} ${score}`, cited)]
}
