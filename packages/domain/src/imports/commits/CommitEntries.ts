/**
 * The commits of one author as what was worked on: one for each. Kind, worth and time follow the rules of CommitActivity,
 * CommitWorth and CommitTimes; the title is the subject, the description the body without its trailers.
 */
import type { ActivityType, ImpactLevel, ValueRating } from "../../entries/LogEntry.ts"
import type { Commit } from "./Commit.ts"
import { type Activity, activityOf, conventional } from "./CommitActivity.ts"
import { type WorkTime, workTimes } from "./CommitTimes.ts"
import { isSecurity, worthOf } from "./CommitWorth.ts"
import { areaOf, packageOf } from "./FileArea.ts"

export interface CommitEntry extends WorkTime {
  readonly project: string
  readonly title: string
  readonly description: string | null
  readonly type: ActivityType
  readonly tags: ReadonlyArray<string>
  readonly value_rating: ValueRating
  readonly impact_level: ImpactLevel
}

const MAX_TITLE = 200
const MAX_DESCRIPTION = 2_000
const MAX_TAG = 50
const MAX_TAGS = 6

/** `commits` oldest first; `repositoryOf` names the project, of which each package is one of its own. */
export const commitEntries = (commits: ReadonlyArray<Commit>, repositoryOf: (commit: Commit) => string): ReadonlyArray<CommitEntry> => {
  const times = workTimes(commits)
  return commits.flatMap((commit, index) => {
    const time = times[index]
    return time === undefined ? [] : [{ ...entryOf(commit, repositoryOf(commit)), ...time }]
  })
}

const entryOf = (commit: Commit, repository: string): Omit<CommitEntry, keyof WorkTime> => {
  const activity = activityOf(commit)
  return {
    project: projectOf(commit, repository),
    title: characters(oneLine(commit.subject) || "(no message)", MAX_TITLE),
    description: characters(withoutTrailers(commit.body), MAX_DESCRIPTION) || null,
    type: activity.type,
    tags: tagsOf(commit, activity),
    ...worthOf(commit, activity)
  }
}

/** The package in which most lines changed; the repository where that was outside of packages. */
const projectOf = (commit: Commit, repository: string): string => {
  const lines = new Map<string, number>()
  for (const file of commit.files) {
    if (areaOf(file.path) === "generated") continue
    const place = packageOf(file.path) ?? ""
    lines.set(place, (lines.get(place) ?? 0) + file.lines)
  }
  const [main] = [...lines].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return main === undefined || main[0] === "" ? repository : `${repository}/${main[0]}`
}

/** What it was about, the scope of its subject, and what it touched. */
const tagsOf = (commit: Commit, activity: Activity): ReadonlyArray<string> => {
  const paths = commit.files.map(({ path }) => path).filter((path) => areaOf(path) !== "generated")
  const touched = touches.filter(([pattern]) => paths.some((path) => pattern.test(path))).map(([, tag]) => tag)
  const scope = conventional(commit.subject)?.scope
  const tags = [
    ...activity.focus,
    ...(isSecurity(commit) ? ["security"] : []),
    ...(scope === undefined ? [] : [characters(scope, MAX_TAG)]),
    ...touched
  ]
  return [...new Set(tags)].filter((tag) => tag !== "").slice(0, MAX_TAGS)
}

const touches: ReadonlyArray<readonly [RegExp, string]> = [
  [/(^|\/)migrations?\/|\.sql$|Repo\.[a-z]+$/, "database"],
  [/\.proto$|openapi|(^|\/)(http|rpc|api|routes)\//i, "api-design"],
  [/(^|\/)(tests?|e2e|spec)\/|[._-](test|spec)\.[a-z]+$/i, "testing"],
  [/(^|\/)(\.github|\.ci|otel|deploy|k8s)\/|Dockerfile/i, "devops"]
]

/** Trailers name people; they are no part of what was done. */
const withoutTrailers = (body: string): string =>
  body.split(/\r?\n/).filter((line) => !/^[A-Z][A-Za-z]*(-[A-Za-z]+)+: \S/.test(line)).join("\n").trim()

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim()

/** Lengths count characters, as the API's limits do. NUL is cut out, because PostgreSQL stores none. */
const characters = (text: string, limit: number): string => [...text.replaceAll("\u0000", "")].slice(0, limit).join("").trim()
