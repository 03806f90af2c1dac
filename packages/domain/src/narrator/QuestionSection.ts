/**
 * Answers to what the request asked about: its problem areas, goals of optimization, metrics, constraints and themes, each from
 * the facts that bear on it.
 */
import { DateTime } from "effect"
import type { FactEntry } from "../facts/Fact.ts"
import { humanized, topicsOf } from "./NarrationBrief.ts"
import type { Topic } from "./NarrationBrief.ts"
import { practises } from "./SkillSection.ts"
import { counted, figure, list, paragraph, quote, titles } from "./Story.ts"
import type { Story } from "./Story.ts"
import { fragmentation } from "./TimeSections.ts"

/** `themes`: whether focus areas are answered here (an outline with a skills section answers them there). */
export const questions = (story: Story, themes: boolean): ReadonlyArray<string> => {
  const asked = [...story.brief.problems, ...(themes ? story.brief.focusAreas : [])]
  const answers = new Map<string, Array<string>>()
  for (const name of new Set(asked)) {
    const text = answer(story, name)
    const names = answers.get(text) ?? []
    answers.set(text, [...names, quote(humanized(name), name) ?? "A theme asked for"])
  }
  const items = [...answers].map(([text, names]) => `- **${names.join("; ")}:** ${text}`)
  return [...(items.length > 0 ? [items.join("\n")] : []), ...constraints(story)]
}

/** The same answer to several questions is given once. */
const answer = (story: Story, name: string): string => {
  for (const topic of topicsOf(name)) {
    const found = ANSWERS[topic](story)
    if (found !== undefined) return found
  }
  const shown = story.entries.filter((entry) => practises(entry, name))
  const named = titles(shown, 3)
  return shown.length > 0
    ? paragraph(`shows in ${named.text}.`, [...named.from, ...shown], 3)
    : `the entries hold nothing that bears on it.`
}

type Answer = (story: Story) => string | undefined

const meetings: Answer = (story) =>
  !story.has("type.meeting.time") ? "no meeting was recorded." : paragraph(
    `meetings took ${figure("type.meeting.share")} of the time (${figure("type.meeting.time")} in ${counted(story, "type.meeting.entries", "entry", "entries")}); ${counted(story, "meeting_free.days", "day", "days")} of ${figure("total.days")} had none.`,
    story.behind("type.meeting.time"),
    3
  )

const fragmented: Answer = (story) => fragmentation(story)[0]?.replace(/^The subject/, "the subject")

const focused: Answer = (story) =>
  !story.has("focus.block.1.time") ? undefined : paragraph(
    `focus time made up ${figure("metric.focus_time_percentage")}; the longest uninterrupted block lasted ${figure("focus.block.1.time")}, and ${counted(story, "focus.blocks", "block", "blocks")} reached an hour.`,
    story.behind("focus.block.1.time"),
    3
  )

const ANSWERS: Readonly<Record<Topic, Answer>> = {
  meetings,
  fragmentation: fragmented,
  switching: fragmented,
  focus: focused,
  hours: (story) => paragraph(
    `a day with entries holds ${figure("metric.average_daily_hours")} on average, the fullest (${figure("busiest_day.date")}) ${figure("busiest_day.time")}.`,
    story.behind("busiest_day.time"),
    3
  ),
  skills: (story) => !story.has("type.learning.time") ? "no time was recorded as learning." : paragraph(
    `${figure("type.learning.time")} went into learning, ${figure("type.learning.share")} of the time.`,
    story.behind("type.learning.time"),
    3
  ),
  collaboration: (story) => paragraph(
    `meetings, mentoring and reviews took ${figure("metric.collaboration_ratio")} of the time.`,
    story.behind("metric.collaboration_ratio"),
    3
  ),
  value: (story) => paragraph(
    `${figure("metric.high_value_percentage")} of the time was of high value, ${figure("metric.company_impact_ratio")} reached the product or the company.`,
    story.behind("metric.high_value_percentage"),
    3
  ),
  rhythm: (story) => paragraph(
    `the entries with most time begin at ${figure("metric.peak_productivity_hour")}, and an entry lasts ${figure("average.entry")} on average; work in longer stretches is best placed there.`,
    story.behind("metric.peak_productivity_hour"),
    3
  )
}

const constraints = (story: Story): ReadonlyArray<string> => [...deepWork(story), ...meetingFree(story)]

/** How much focus time really began in the part of the day that is preferred for it. */
const deepWork = (story: Story): ReadonlyArray<string> => {
  const part = (story.brief.deepWork ?? "").toLowerCase()
  if (!/^(morning|afternoon|evening|night)$/.test(part)) return []
  return story.has(`daypart.${part}.focus`)
    ? [paragraph(`Deep work is preferred in the ${part}: ${figure(`daypart.${part}.focus`)} of focus time began then.`, story.behind(`daypart.${part}.focus`), 3)]
    : [paragraph(`Deep work is preferred in the ${part}, but no focus time began then.`, story.entries, 1)]
}

interface Range {
  readonly from: number
  readonly to: number
  readonly quoted: string
}

const protectedHours = (story: Story): ReadonlyArray<Range> =>
  story.brief.meetingFreeHours.flatMap((text) => {
    const [, h1, m1, h2, m2] = /^(\d{1,2}):(\d{2})\s?[-–]\s?(\d{1,2}):(\d{2})$/.exec(text.trim()) ?? []
    const quoted = quote(text)
    return h1 === undefined || quoted === undefined ? [] : [{ from: Number(h1) * 60 + Number(m1), to: Number(h2) * 60 + Number(m2), quoted }]
  })

/** Meetings shown to the narrator that began, by the user's clock, within the hours the request keeps free of them. */
export const meetingsInside = (story: Story): ReadonlyArray<FactEntry> => {
  const ranges = protectedHours(story)
  return story.behind("type.meeting.time").filter((entry) => {
    const minute = story.clock.minuteOfDay(DateTime.toEpochMillis(entry.start_time))
    return ranges.some(({ from, to }) => minute >= from && minute < to)
  })
}

/** Meetings that began inside hours that should be free of them. Hours are `HH:MM-HH:MM` in the user's zone. */
const meetingFree = (story: Story): ReadonlyArray<string> => {
  const ranges = protectedHours(story)
  if (ranges.length === 0) return []
  const inside = meetingsInside(story)
  const hours = list(ranges.map(({ quoted }) => quoted))
  const named = titles(inside, 5)
  return inside.length === 0
    ? [paragraph(`No meeting shown here began inside the meeting-free hours (${hours}).`, story.entries, 1)]
    : [paragraph(`Meetings began inside the meeting-free hours (${hours}): ${named.text}.`, [...named.from, ...inside], 5)]
}
