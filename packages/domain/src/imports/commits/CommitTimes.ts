/**
 * When the work on each commit was done, by the gaps between the commits of one author.
 *
 * Work on a commit ends with it and began with the commit before it, if that is at most three hours ago; else a new
 * session began, and its first commit is taken to have cost a quarter of an hour plus a minute per ten changed lines, at
 * most an hour and a half. Every commit counts at least a minute; commits in the same minute are laid one before the
 * other, so that nothing overlaps and nothing lies after its commit.
 */
import { DateTime } from "effect"
import type { Commit } from "./Commit.ts"
import { changedLines } from "./CommitWorth.ts"

export interface WorkTime {
  readonly start_time: DateTime.Utc
  readonly end_time: DateTime.Utc
}

const MINUTE_MS = 60_000
/** What came earlier tells nothing about when work on a commit began. */
export const LONGEST_MINUTES = 180
const FIRST_MINUTES = { least: 15, most: 90, linesPerMinute: 10 }

/** `commits` are one author's, oldest first; the answer has one time for each, in the same order. */
export const workTimes = (commits: ReadonlyArray<Commit>): ReadonlyArray<WorkTime> => {
  const times: Array<WorkTime> = []
  let free = Number.POSITIVE_INFINITY
  for (const [back, commit] of commits.toReversed().entries()) {
    const previous = commits[commits.length - 2 - back]
    const end = Math.min(DateTime.toEpochMillis(commit.at), free)
    const start = end - minutesOf(commit, previous, end) * MINUTE_MS
    times.push({ start_time: DateTime.makeUnsafe(start), end_time: DateTime.makeUnsafe(end) })
    free = start
  }
  return times.toReversed()
}

const minutesOf = (commit: Commit, previous: Commit | undefined, end: number): number => {
  const gap = previous === undefined ? Number.POSITIVE_INFINITY : Math.floor((end - DateTime.toEpochMillis(previous.at)) / MINUTE_MS)
  return gap > LONGEST_MINUTES ? firstOfSession(commit) : Math.max(1, gap)
}

const firstOfSession = (commit: Commit): number =>
  Math.min(FIRST_MINUTES.most, FIRST_MINUTES.least + Math.floor(changedLines(commit) / FIRST_MINUTES.linesPerMinute))
