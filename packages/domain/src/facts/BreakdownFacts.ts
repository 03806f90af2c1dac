/**
 * Time and shares by type, project, value, impact and tag, and the work that was both of high value and of wide impact.
 * Types, values and impacts are complete, so that their shares add up to the whole; projects and tags are the largest.
 */
import { isHighValue, isWideImpact } from "../metrics/ActivityGroups.ts"
import type { Fact } from "./Fact.ts"
import { factSlugs, NO_NAME } from "./FactSlug.ts"
import { groupBy, groupFacts, groupSize } from "./GroupFacts.ts"
import type { PlacedEntry } from "./LocalTime.ts"

export const MAX_PROJECTS = 20
export const MAX_TAGS = 30

export const breakdownFacts = (placed: ReadonlyArray<PlacedEntry>, total: number): ReadonlyArray<Fact> => [
  ...groupBy(placed, ({ entry }) => [entry.type]).flatMap(({ key, members }) => [
    ...groupFacts(`type.${key}`, `in ${key}`, members, total),
    groupSize(`type.${key}`, `in ${key}`, members)
  ]),
  ...groupBy(placed, ({ entry }) => [entry.value_rating]).flatMap(({ key, members }) =>
    groupFacts(`value.${key}`, `in work of ${key} value`, members, total)
  ),
  ...groupBy(placed, ({ entry }) => [entry.impact_level]).flatMap(({ key, members }) =>
    groupFacts(`impact.${key}`, `in work with impact on ${key} level`, members, total)
  ),
  ...outcomeFacts(placed, total),
  ...projectFacts(placed, total),
  ...tagFacts(placed, total)
]

const outcomeFacts = (placed: ReadonlyArray<PlacedEntry>, total: number): ReadonlyArray<Fact> => {
  const members = placed.filter(({ entry }) => isHighValue(entry) && isWideImpact(entry))
  const what = "in work of high value with product or company impact"
  return [...groupFacts("outcome", what, members, total), groupSize("outcome", what, members)]
}

/** Entries without a project form a group of their own, so that the shares of all projects add up. */
const projectFacts = (placed: ReadonlyArray<PlacedEntry>, total: number): ReadonlyArray<Fact> => {
  const slugs = factSlugs(placed.flatMap(({ entry }) => entry.project_name === null ? [] : [entry.project_name]))
  const groups = groupBy(placed, ({ entry }) => [entry.project_name])
  const named = groups.filter(({ key }) => key !== null).slice(0, MAX_PROJECTS)
  const unnamed = groups.filter(({ key }) => key === null)
  return [...named, ...unnamed].flatMap(({ key, members }) => {
    const prefix = `project.${key === null ? NO_NAME : slugs.get(key) ?? NO_NAME}`
    const what = key === null ? "outside any project" : `in project ${key}`
    return [...groupFacts(prefix, what, members, total), groupSize(prefix, what, members)]
  })
}

/** An entry counts for each of its tags: shares of tags overlap. */
const tagFacts = (placed: ReadonlyArray<PlacedEntry>, total: number): ReadonlyArray<Fact> => {
  const slugs = factSlugs(placed.flatMap(({ entry }) => entry.tags))
  return groupBy(placed, ({ entry }) => entry.tags).slice(0, MAX_TAGS).flatMap(({ key, members }) => {
    const prefix = `tag.${slugs.get(key) ?? NO_NAME}`
    return [...groupFacts(prefix, `tagged ${key}`, members, total), groupSize(prefix, `tagged ${key}`, members)]
  })
}
