/** Which kind of activity a title speaks of: a suggestion, which its owner corrects. */
import type { ActivityType } from "@englog/domain/entries/LogEntry"

const words: ReadonlyArray<readonly [ActivityType, RegExp]> = [
  ["planning", /\b(planning|refinement|grooming|roadmap|estimation)\b/i],
  ["mentoring", /\b(mentor(ing)?|coaching|onboarding|1\s?[:-]\s?1|one[- ]on[- ]one)\b/i],
  ["review", /\b(code|design|pull request|pr|merge request) reviews?\b/i],
  ["learning", /\b(training|course|workshop|tutorial|learning|conference)\b/i],
  ["debug", /\b(debug(ging)?|bug ?fix|hot ?fix|incident|outage)\b/i],
  ["docs", /\b(docs?|documentation|write[- ]up|readme)\b/i],
  ["ops", /\b(deploy(ment)?|release|on[- ]call|maintenance|migration)\b/i],
  ["code", /\b(coding|implement(ation|ing)?|refactor(ing)?|focus time|develop(ment|ing))\b/i]
]

/** `otherwise` where it speaks of nothing that is known. */
export const suggestType = (title: string, otherwise: ActivityType): ActivityType =>
  words.find(([, pattern]) => pattern.test(title))?.[0] ?? otherwise
