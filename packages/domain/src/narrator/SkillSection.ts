/**
 * Skills: what the record shows of each skill asked for, or, where none was named, of the tags worked on most.
 */
import type { FactEntry } from "../facts/Fact.ts"
import { factSlug } from "../facts/FactSlug.ts"
import { humanized } from "./NarrationBrief.ts"
import { counted, figure, list, paragraph, quote, titles } from "./Story.ts"
import type { Story } from "./Story.ts"

export const skills = (story: Story): ReadonlyArray<string> => {
  const { assessment, careerGoal, currentLevel, focusAreas } = story.brief
  const goal = careerGoal === undefined ? undefined : quote(humanized(careerGoal).toLowerCase(), careerGoal)
  const level = currentLevel === undefined ? undefined : quote(humanized(currentLevel).toLowerCase(), currentLevel)
  const aim = goal === undefined ? [] : [
    paragraph(`The stated goal is ${goal}${level === undefined ? "" : `, coming from ${level}`}. What follows is what the record shows towards it.`, story.entries, 2)
  ]
  const areas = focusAreas.map((area) => `- ${areaShown(story, area, assessment.get(area))}`)
  return [...aim, ...(areas.length > 0 ? [areas.join("\n")] : topTags(story)), ...learning(story)]
}

/** An entry practises a skill that is among its tags, in its project's name or in its title. Leadership shows in mentoring, too. */
export const practises = (entry: FactEntry, area: string): boolean => {
  const wanted = slugged(area)
  if (wanted === "") return false
  const words = [...entry.tags, entry.project_name ?? "", entry.title].map(slugged)
  return words.some((text) => `-${text}-`.includes(`-${wanted}-`))
    || (/^(leadership|mentoring|mentorship)$/.test(wanted) && entry.type === "mentoring")
}

const slugged = (text: string): string => text.toLowerCase().split(/[^\p{L}\p{N}+#]+/u).filter((part) => part !== "").join("-")

const areaShown = (story: Story, area: string, level: string | undefined): string => {
  const name = quote(humanized(area), area) ?? "A skill asked for"
  const assessed = level === undefined ? undefined : quote(level)
  const label = `**${name}**${assessed === undefined ? "" : ` (self-assessed: ${assessed})`}`
  const practised = story.entries.filter((entry) => practises(entry, area))
  if (practised.length === 0) return paragraph(`${label}: nothing among the entries is tagged, named or titled after it, so the record shows no practice.`, [])
  const tag = tagOf(story, practised, area)
  const time = tag === undefined ? "shows in" : `${figure(`${tag}.time`)} in ${counted(story, `${tag}.entries`, "tagged entry", "tagged entries")}, above all`
  const named = titles(practised, 3)
  return paragraph(`${label}: ${time} ${named.text}.`, [...named.from, ...practised], 3)
}

const tagOf = (story: Story, practised: ReadonlyArray<FactEntry>, area: string): string | undefined =>
  practised.flatMap((entry) => entry.tags.filter((tag) => slugged(tag) === slugged(area)).map((tag) => ({ entry, id: `tag.${factSlug(tag)}` })))
    .find(({ entry, id }) => story.behind(`${id}.time`).includes(entry))?.id

const topTags = (story: Story): ReadonlyArray<string> => {
  const tags = [...new Set(story.entries.flatMap(({ tags: own }) => own))].flatMap((tag) => {
    const id = `tag.${factSlug(tag)}`
    const shown = story.behind(`${id}.time`).filter(({ tags: own }) => own.includes(tag))
    const quoted = quote(tag)
    return shown.length === 0 || quoted === undefined ? [] : [{ id, quoted, shown }]
  }).sort((a, b) => story.value(`${b.id}.time`) - story.value(`${a.id}.time`)).slice(0, 5)
  if (tags.length === 0) {
    return [paragraph("No entry carries a tag, so the skills behind the work do not show; the titles alone tell of them.", story.entries, 2)]
  }
  const parts = tags.map(({ id, quoted }) => `“${quoted}” (${figure(`${id}.time`)})`)
  return [paragraph(`By tags, the work exercised ${list(parts)}.`, tags.flatMap(({ shown }) => shown.slice(0, 1)), 5)]
}

const learning = (story: Story): ReadonlyArray<string> => {
  if (!story.has("type.learning.time")) return [paragraph("No time was recorded as learning; whatever was learnt, was learnt on the job.", story.entries, 1)]
  const shown = story.behind("type.learning.time")
  const named = titles(shown, 3)
  const what = named.text === "" ? "" : `: ${named.text}`
  const cited = shown.length > 0 ? [...named.from, ...shown] : story.entries
  return [paragraph(`${figure("type.learning.time")} (${figure("type.learning.share")}) went into learning${what}.`, cited, 3)]
}
