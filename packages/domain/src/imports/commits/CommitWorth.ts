/**
 * How much a commit was worth and to whom, by what it touches and how much of it (generated files do not count).
 *
 * Value: high for security, crashes and lost data, for breaking changes, and from 300 changed lines of source;
 * low for chores, typos and formatting, and up to 10 changed lines that are no fix; medium otherwise.
 * Impact: company for security, releases and breaking changes; product where source changed or a bug was fixed;
 * personal for learning; team otherwise (documents, tests, delivery, reviews, planning).
 */
import type { ImpactLevel, ValueRating } from "../../entries/LogEntry.ts"
import type { Commit } from "./Commit.ts"
import { type Activity, conventional } from "./CommitActivity.ts"
import { areaOf, type FileArea } from "./FileArea.ts"

export interface Worth {
  readonly value_rating: ValueRating
  readonly impact_level: ImpactLevel
}

const LARGE_CHANGE_LINES = 300
const SMALL_CHANGE_LINES = 10

export const worthOf = (commit: Commit, activity: Activity): Worth => ({
  value_rating: valueOf(commit, activity),
  impact_level: impactOf(commit, activity)
})

/** Changed lines, those of generated files aside; only of one area where it is given. */
export const changedLines = (commit: Commit, area?: FileArea): number =>
  commit.files.reduce((sum, file) => {
    const its = areaOf(file.path)
    return its === "generated" || (area !== undefined && its !== area) ? sum : sum + file.lines
  }, 0)

export const isSecurity = ({ subject }: Commit): boolean =>
  /\b(security|vulnerabilit(y|ies)|cve-\d+|injection|xss|csrf|encrypt(ion|ed|s)?|authenticat(e|ion)|secrets?)\b/i.test(subject)

const isBreaking = (commit: Commit): boolean =>
  conventional(commit.subject)?.isBreaking === true || /^BREAKING[ -]CHANGE:/m.test(commit.body)

const isGrave = ({ subject }: Commit): boolean => /\b(crash(es)?|data loss|outage|corrupt(s|ed|ion)?|deadlock|incident|p0)\b/i.test(subject)

const isTrifle = ({ subject }: Commit): boolean => /\b(typos?|format(ting)?|whitespace|lint|wip|bump)\b/i.test(subject)

const valueOf = (commit: Commit, { type }: Activity): ValueRating => {
  if (isSecurity(commit) || isGrave(commit) || isBreaking(commit)) return "high"
  if (type === "admin" || isTrifle(commit)) return "low"
  if (changedLines(commit, "source") >= LARGE_CHANGE_LINES) return "high"
  const isMeasured = commit.files.length > 0
  return isMeasured && type !== "debug" && changedLines(commit) <= SMALL_CHANGE_LINES ? "low" : "medium"
}

const impactOf = (commit: Commit, { type }: Activity): ImpactLevel => {
  if (isSecurity(commit) || isBreaking(commit) || conventional(commit.subject)?.kind === "release") return "company"
  if (type === "learning") return "personal"
  const touchesSource = commit.files.some(({ path }) => areaOf(path) === "source")
  return (type === "code" || type === "debug") && (touchesSource || commit.files.length === 0 || type === "debug") ? "product" : "team"
}
