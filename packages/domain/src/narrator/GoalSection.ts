/** How far each goal was at the end of the period, beside the pace that its target asks for. */
import { goalTitle } from "../facts/GoalFacts.ts"
import { counted, figure, paragraph, quote } from "./Story.ts"
import type { Story } from "./Story.ts"

const MAX_GOALS = 12

export const goals = (story: Story): ReadonlyArray<string> => {
  const items = story.goals.slice(0, MAX_GOALS).map(({ prefix, target }) => `- ${progress(story, prefix, goalTitle(target))}`)
  return items.length === 0 ? [] : [items.join("\n")]
}

/** A title that states figures cannot be quoted: nothing that could be cited says them. */
const progress = (story: Story, prefix: string, title: string): string => {
  const quoted = quote(title, "")
  const name = quoted === undefined ? "**A goal**" : `**${quoted}**`
  const id = (what: string) => `${prefix}.${what}`
  const whole = story.unit(id("target")) === "count" ? counted(story, id("target"), "entry", "entries") : figure(id("target"))
  const within = story.value(id("within")) > 0 ? `, of it ${figure(id("within"))} within this period` : ", nothing of it within this period"
  const done = story.value(id("reached")) > 0
    ? `${figure(id("reached"))} of ${whole} done by the end of the period (${figure(id("percent"))})${within}.`
    : `nothing of ${whole} done by the end of the period.`
  const shown = [...story.behind(id("within")), ...story.behind(id("reached"))]
  return paragraph(`${name}: ${done} ${pace(story, id)}`, shown, 3)
}

const pace = (story: Story, id: (what: string) => string): string => {
  if (story.value(id("remaining")) === 0) return "The target is reached."
  const ahead = story.value(id("reached")) >= story.value(id("expected"))
  return `${figure(id("remaining"))} remained; at an even pace ${figure(id("expected"))} would have been due, so it is ${ahead ? "on track" : "behind"}.`
}
