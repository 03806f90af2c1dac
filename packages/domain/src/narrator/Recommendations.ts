/**
 * Recommendations, each from a rule over facts. Thresholds are ours and stated here; where a rule does not fire, nothing is
 * recommended.
 */
import { meetingsInside } from "./QuestionSection.ts"
import { figure, list, paragraph, titles } from "./Story.ts"
import type { Story } from "./Story.ts"

/** Meetings above this share of the time crowd out other work. */
const MANY_MEETINGS = 30
/** Focus time below this share is scarce. */
const SCARCE_FOCUS = 40
/** This share of focus work in pieces shorter than an hour is fragmented. */
const FRAGMENTED = 30
/** Who complains of fragmentation is advised sooner; who asks about switching, from a switch a day on. */
const FRAGMENTED_IF_ASKED = 10
/** Switches of subject per day with entries. */
const MANY_SWITCHES_PER_DAY = 5
/** Hours per day with entries that cannot be kept up. */
const LONG_DAY_HOURS = 9.5
const LITTLE_HIGH_VALUE = 25
const MUCH_ROUTINE = 20
const LITTLE_COLLABORATION = 10
/** Entries with a description, below which a review lacks evidence. */
const POORLY_DESCRIBED = 60
const MOST_RECOMMENDED = 5
/** With less than this a pattern is no pattern. */
const MIN_ENTRIES = 3

type Rule = (story: Story) => string | undefined

export const recommendations = (story: Story): ReadonlyArray<string> => {
  if (!story.brief.recommendations) return []
  const advice = story.value("total.entries") < MIN_ENTRIES
    ? [tooLittle(story)]
    : RULES.flatMap((rule) => rule(story) ?? []).slice(0, story.brief.detail === "low" ? 2 : MOST_RECOMMENDED)
  return advice.length === 0
    ? [paragraph("Nothing in these figures calls for a change; keep the present balance and watch the same figures next time.", story.entries, 1)]
    : [advice.map((text) => `- ${text}`).join("\n")]
}

const tooLittle: Rule & ((story: Story) => string) = (story) =>
  paragraph("**Record more before changing anything.** So few entries show what was done, not yet how the work goes.", story.entries, 2)

const guardFocus: Rule = (story) =>
  story.value("metric.focus_time_percentage") >= SCARCE_FOCUS ? undefined : paragraph(
    `**Reserve uninterrupted time.** Focus time is ${figure("metric.focus_time_percentage")} of the whole; block the time around ${figure("metric.peak_productivity_hour")}, where most work already begins, for coding, debugging and documentation.`,
    story.behind("metric.peak_productivity_hour"),
    2
  )

const trimMeetings: Rule = (story) => {
  if (story.value("type.meeting.share") <= MANY_MEETINGS) return undefined
  const weak = story.behind("type.meeting.time").filter(({ value_rating }) => value_rating === "low")
  const named = titles(weak, 3)
  const drop = named.text === "" ? "" : ` Begin with those rated of low value: ${named.text}.`
  return paragraph(
    `**Cut or group meetings.** They take ${figure("type.meeting.share")} of the time (${figure("type.meeting.time")}).${drop}`,
    weak.length > 0 ? [...named.from, ...weak] : story.behind("type.meeting.time"),
    3
  )
}

const protectHours: Rule = (story) => {
  const inside = meetingsInside(story)
  const named = titles(inside, 3)
  return inside.length === 0 ? undefined : paragraph(
    `**Keep the protected hours free.** Move ${named.text} out of the hours that are to be free of meetings.`,
    [...named.from, ...inside],
    3
  )
}

const mergePieces: Rule = (story) =>
  story.value("focus.short.share") <= (story.brief.topics.has("fragmentation") ? FRAGMENTED_IF_ASKED : FRAGMENTED) ? undefined : paragraph(
    `**Join the pieces.** ${figure("focus.short.share")} of coding, debugging and documentation happens in stretches under an hour; batch the smaller tasks so that the larger get a stretch of their own.`,
    story.behind("focus.short.time"),
    3
  )

const batch: Rule = (story) =>
  story.value("switch.count") <= (story.brief.topics.has("switching") ? 1 : MANY_SWITCHES_PER_DAY) * story.value("total.days") ? undefined : paragraph(
    `**Batch similar work.** The subject changed ${figure("switch.count")} times within days, ${figure("switch.most.count")} of them on ${figure("switch.most.date")}; give a project or a kind of work a fixed part of the day.`,
    story.behind("switch.most.count"),
    3
  )

const restMore: Rule = (story) =>
  story.value("metric.average_daily_hours") <= LONG_DAY_HOURS ? undefined : paragraph(
    `**Shorten the days.** ${figure("metric.average_daily_hours")} per day with entries is more than can be kept up; ${figure("busiest_day.date")} held ${figure("busiest_day.time")}.`,
    story.behind("busiest_day.time"),
    2
  )

const moveUp: Rule = (story) => {
  const routine = story.value("type.admin.share") + story.value("type.ops.share")
  if (story.value("metric.high_value_percentage") >= LITTLE_HIGH_VALUE || routine <= MUCH_ROUTINE) return undefined
  const parts = (["admin", "ops"] as const).filter((type) => story.has(`type.${type}.share`))
    .map((type) => `${figure(`type.${type}.share`)} in ${type === "admin" ? "administration" : "operations"}`)
  return paragraph(
    `**Automate or hand over routine.** Only ${figure("metric.high_value_percentage")} of the time was rated of high value, beside ${list(parts)}.`,
    [...story.behind("type.admin.time").slice(0, 2), ...story.behind("type.ops.time").slice(0, 2)]
  )
}

const makeLeadershipVisible: Rule = (story) =>
  story.value("metric.collaboration_ratio") >= LITTLE_COLLABORATION ? undefined : paragraph(
    `**Show the work with others.** Meetings, mentoring and reviews come to ${figure("metric.collaboration_ratio")}; record reviews given and help offered, since they count towards wider responsibility.`,
    story.entries,
    1
  )

/** For those who ask about skills or name a career goal. */
const planLearning: Rule = (story) => {
  const { careerGoal, certification, mentorship, topics } = story.brief
  if (careerGoal === undefined && !topics.has("skills")) return undefined
  const way = mentorship ? " Since mentorship is preferred, pair it with a colleague who has done it." : ""
  const paper = certification === false ? " Choose practice on a real task over a certificate." : ""
  return story.has("type.learning.time")
    ? paragraph(`**Tie learning to the goal.** ${figure("type.learning.time")} went into learning; choose the next topic from the skills above that show no practice.${way}${paper}`, story.behind("type.learning.time"), 2)
    : paragraph(`**Set time aside for learning.** None was recorded; a fixed slot each week towards the goal makes progress visible.${way}${paper}`, story.entries, 1)
}

const describe: Rule = (story) =>
  story.value("described.share") >= POORLY_DESCRIBED ? undefined : paragraph(
    `**Write down outcomes.** ${figure("described.share")} of the entries have a description; a sentence on the result of each piece of work is what a review can quote.`,
    story.entries,
    2
  )

/** In the order of what a change would bring. */
const RULES: ReadonlyArray<Rule> = [
  restMore, trimMeetings, protectHours, guardFocus, mergePieces, batch, moveUp, planLearning, makeLeadershipVisible, describe
]
