/** The seven insight categories of seed 004: what a report may be asked to dwell on, as `focus_areas`. */
import { Schema } from "effect"

/** In the seed's order, in which a report has them. */
export const InsightCategory = Schema.Literals([
  "time_allocation", "productivity_patterns", "skill_development", "collaboration_impact", "goal_progress", "value_distribution",
  "impact_assessment"
])
export type InsightCategory = typeof InsightCategory.Type

/** Each once and in the seed's order, so that two ways to name the same areas ask the same. */
export const inCategoryOrder = (areas: ReadonlyArray<InsightCategory>): ReadonlyArray<InsightCategory> =>
  InsightCategory.literals.filter((area) => areas.includes(area))
