/**
 * How the work went: focus and its interruptions, the rhythm of day and week, collaboration, and the period before.
 */
import { ActivityType } from "../entries/LogEntry.ts"
import { topicsOf } from "./NarrationBrief.ts"
import { counted, figure, list, paragraph, titles } from "./Story.ts"
import type { Story } from "./Story.ts"
import { TYPE_NOUN } from "./WorkSections.ts"

export const focus = (story: Story): ReadonlyArray<string> => {
  if (!story.has("focus.block.1.time")) {
    return [paragraph("No coding, debugging or documentation was recorded, so there was no focus time to speak of.", story.entries, 1)]
  }
  const answered = story.brief.problems.flatMap(topicsOf).some((topic) => topic === "fragmentation" || topic === "switching")
  const share = `Focus time, which is coding, debugging and documentation of an hour or longer, made up ${figure("metric.focus_time_percentage")} of the whole.`
  const longest = ` The longest uninterrupted block lasted ${figure("focus.block.1.time")}, on ${figure("focus.block.1.date")}.`
  const blocks = story.value("focus.blocks") > 1 ? ` ${figure("focus.blocks")} blocks reached an hour.` : ""
  return [
    paragraph(share + longest + blocks, [...story.behind("focus.block.1.time"), ...story.behind("metric.focus_time_percentage")], 3),
    ...(answered ? [] : fragmentation(story))
  ]
}

/** Short entries of focus work, and switches of subject within a day. */
export const fragmentation = (story: Story): ReadonlyArray<string> => {
  const short = story.value("focus.short.time") > 0
    ? `${counted(story, "focus.short.entries", "stretch", "stretches")} of coding, debugging or documentation stayed under an hour, ${figure("focus.short.share")} of the time of such work.`
    : ""
  const switches = story.value("switch.count") > 0
    ? `The subject changed ${counted(story, "switch.count", "time", "times")} within a day, most often on ${figure("switch.most.date")} (${figure("switch.most.count")}).`
    : ""
  const text = [short, switches].filter((part) => part !== "").join(" ")
  const behind = [...story.behind("focus.short.time").slice(0, 2), ...story.behind("switch.most.count")]
  return text === "" || behind.length === 0 ? [] : [paragraph(text, behind)]
}

export const rhythm = (story: Story): ReadonlyArray<string> => {
  const several = story.value("total.days") > 1
  const weekday = several ? `, and ${figure("metric.most_productive_day")} is the weekday with most of it` : ""
  const peak = `The entries with most time begin at ${figure("metric.peak_productivity_hour")}${weekday}.`
  const average = several ? ` A day with entries holds ${figure("metric.average_daily_hours")} on average.` : ""
  const busiest = several
    ? ` The fullest day was ${figure("busiest_day.date")} with ${figure("busiest_day.time")} in ${counted(story, "busiest_day.entries", "entry", "entries")}.`
    : ""
  const week = story.has("busiest_week.date") ? ` The fullest week began on ${figure("busiest_week.date")} and came to ${figure("busiest_week.time")}.` : ""
  const cited = [...story.behind("metric.peak_productivity_hour").slice(0, 2), ...story.behind("busiest_day.time").slice(0, 2)]
  return [paragraph(peak + average + busiest + week, cited.length > 0 ? cited : story.entries), ...partsOfDay(story), ...outsideHours(story)]
}

const outsideHours = (story: Story): ReadonlyArray<string> =>
  story.value("outside_hours.time") === 0 ? [] : [paragraph(
    `${figure("outside_hours.time")} lay outside working hours (${figure("outside_hours.share")}), in ${counted(story, "outside_hours.entries", "entry", "entries")}.`,
    story.behind("outside_hours.time")
  )]

const PARTS = ["morning", "afternoon", "evening", "night"] as const

const partsOfDay = (story: Story): ReadonlyArray<string> => {
  const parts = PARTS.filter((part) => story.has(`daypart.${part}.focus`))
    .sort((a, b) => story.value(`daypart.${b}.focus`) - story.value(`daypart.${a}.focus`))
  if (parts.length < 2) return []
  const text = `Focus time by part of the day: ${list(parts.map((part) => `${figure(`daypart.${part}.focus`)} begun in the ${part}`))}.`
  return [paragraph(text, parts.flatMap((part) => story.behind(`daypart.${part}.focus`).slice(0, 1)))]
}

export const collaboration = (story: Story): ReadonlyArray<string> => {
  const types = (["mentoring", "review", "meeting"] as const).filter((type) => story.has(`type.${type}.time`))
  if (types.length === 0) {
    return [paragraph("No meetings, mentoring or reviews were recorded; work with others, if there was any, does not show.", story.entries, 1)]
  }
  const parts = types.map((type) => `${figure(`type.${type}.time`)} of ${TYPE_NOUN[type]} in ${counted(story, `type.${type}.entries`, "entry", "entries")}`)
  const text = `Work with others took ${figure("metric.collaboration_ratio")} of the time: ${list(parts)}.`
  const examples = types.filter((type) => type !== "meeting" || types.length === 1)
    .flatMap((type) => story.behind(`type.${type}.time`).slice(0, 2))
  const named = titles(examples, 5)
  const told = named.text === "" ? "" : ` It includes ${named.text}.`
  return [paragraph(text + told, [...named.from, ...examples, ...types.flatMap((type) => story.behind(`type.${type}.time`).slice(0, 1))], 5)]
}

/** Only shifts a reader would notice: shares that moved by at least this many percentage points. */
const NOTABLE_POINTS = 5

export const comparison = (story: Story): ReadonlyArray<string> => {
  if (!story.has("change.total.time")) return []
  const whole = `${figure("total.time")} were recorded, against ${figure("previous.total.time")} in the preceding period (${figure("change.total.time")}).`
  const shares = [
    ["focus time", "metric.focus_time_percentage"], ["collaboration", "metric.collaboration_ratio"], ["work of high value", "metric.high_value_percentage"]
  ] as const
  const moved = shares.filter(([, id]) => Math.abs(story.value(`change.${id}`)) >= NOTABLE_POINTS)
    .map(([what, id]) => `${what} went from ${figure(`previous.${id}`)} to ${figure(id)} of the time`)
  const types = ActivityType.literals
    .filter((type) => Math.abs(story.value(`change.type.${type}.share`)) >= NOTABLE_POINTS)
    .sort((a, b) => Math.abs(story.value(`change.type.${b}.share`)) - Math.abs(story.value(`change.type.${a}.share`)))
    .slice(0, 3)
    .map((type) => `${TYPE_NOUN[type]} ${figure(`change.type.${type}.share`)}`)
  const text = [
    whole,
    moved.length === 0 ? "The balance of focus, collaboration and high-value work stayed much the same." : `${sentence(list(moved))}.`,
    types.length === 0 ? "" : `The shares that moved most, in percentage points: ${list(types)}.`
  ]
  return [paragraph(text.filter((part) => part !== "").join(" "), story.behind("total.time"), 3)]
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
