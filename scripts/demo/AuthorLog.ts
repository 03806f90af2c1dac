/** Which commits make one engineer's log. */
import type { Commit } from "@englog/domain/imports/commits/Commit"
import { DateTime, Option, Order } from "effect"

export interface AuthorLog {
  readonly author: string
  /** Oldest first. */
  readonly commits: ReadonlyArray<Commit>
  /** Commits of the period that somebody else made. */
  readonly leftOut: number
}

/** How long the log is where no start was given: it ends with the newest commit. */
const DEFAULT_DAYS = 14

const byTime = Order.mapInput(DateTime.Order, (commit: Commit) => commit.at)

/**
 * A work log is one engineer's: of all who committed in the period, the one who did so most often (bots only where there
 * is nobody else; the most recent one on a tie).
 */
export const authorLog = (commits: ReadonlyArray<Commit>, since: Option.Option<DateTime.Utc>): Option.Option<AuthorLog> => {
  const sorted = [...commits].sort(byTime)
  const newest = sorted.at(-1)
  if (newest === undefined) return Option.none()
  const start = Option.getOrElse(since, () => DateTime.subtract(newest.at, { days: DEFAULT_DAYS }))
  const period = sorted.filter((commit) => DateTime.isGreaterThanOrEqualTo(commit.at, start))
  const people = period.filter((commit) => !isBot(commit))
  const groups = [...Map.groupBy(people.length === 0 ? period : people, (commit) => commit.email.toLowerCase()).values()]
  const chosen = groups.sort((a, b) => a.length - b.length || compareLast(a, b)).at(-1)
  const last = chosen?.at(-1)
  return chosen === undefined || last === undefined
    ? Option.none()
    : Option.some({ author: last.author, commits: chosen, leftOut: period.length - chosen.length })
}

const isBot = ({ author, email }: Commit) => /\[bot\]|\bbot@|^(dependabot|renovate)\b/i.test(`${author} ${email}`) || /\[bot\]/i.test(email)

const compareLast = (a: ReadonlyArray<Commit>, b: ReadonlyArray<Commit>): number => {
  const [x, y] = [a.at(-1), b.at(-1)]
  return x === undefined || y === undefined ? 0 : byTime(x, y)
}
