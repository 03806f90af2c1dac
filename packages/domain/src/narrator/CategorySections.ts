/**
 * The seven insight categories of seed 004 as sections: what a report has that is asked to dwell on some of them.
 */
import type { InsightCategory } from "../insights/InsightCategory.ts"
import { goals } from "./GoalSection.ts"
import { skills } from "./SkillSection.ts"
import { figure, list, paragraph } from "./Story.ts"
import type { Story } from "./Story.ts"
import { collaboration, focus, rhythm } from "./TimeSections.ts"
import { allocation, impactShares } from "./WorkSections.ts"

export const CATEGORY_HEADINGS: Readonly<Record<InsightCategory, string>> = {
  time_allocation: "Time allocation",
  productivity_patterns: "Productivity patterns",
  skill_development: "Skill development",
  collaboration_impact: "Collaboration impact",
  goal_progress: "Goal progress",
  value_distribution: "Value distribution",
  impact_assessment: "Impact assessment"
}

export const writeCategory = (category: InsightCategory, story: Story): ReadonlyArray<string> => {
  switch (category) {
    case "time_allocation": return allocation(story)
    case "productivity_patterns": return [...focus(story), ...rhythm(story)]
    case "skill_development": return skills(story)
    case "collaboration_impact": return collaboration(story)
    case "goal_progress": return goalProgress(story)
    case "value_distribution": return valueDistribution(story)
    case "impact_assessment": return impactAssessment(story)
  }
}

/** Who asked for it is told that there is nothing. */
const goalProgress = (story: Story): ReadonlyArray<string> =>
  story.goals.length > 0 ? goals(story) : [paragraph("No goal was set for this period.", story.entries, 1)]

const valueDistribution = (story: Story): ReadonlyArray<string> => {
  const levels = (["high", "medium", "low"] as const).filter((level) => story.has(`value.${level}.time`))
  const parts = levels.map((level) => `work of ${level} value ${figure(`value.${level}.share`)} (${figure(`value.${level}.time`)})`)
  const score = `The mean score of value times impact is ${figure("metric.value_impact_score")}.`
  const best = story.value("outcome.time") > 0
    ? ` ${figure("outcome.share")} was both of high value and of product or company impact.`
    : " Nothing was both of high value and of product or company impact."
  const cited = levels.flatMap((level) => story.behind(`value.${level}.time`).slice(0, 1))
  return [paragraph(`By value, the time went into ${list(parts)}.${best} ${score}`, cited)]
}

const impactAssessment = (story: Story): ReadonlyArray<string> => {
  const { cited, text } = impactShares(story)
  return [paragraph(`${figure("metric.company_impact_ratio")} of the time reached the product or the company. ${text}`, cited)]
}
