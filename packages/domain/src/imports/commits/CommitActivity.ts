/**
 * What kind of work a commit was: the first rule that fits decides.
 *
 * 1. a merge is review
 * 2. a conventional prefix (`fix: …`, `docs(api): …`) names it
 * 3. only documents, only delivery files (CI, containers, infrastructure), only tests
 * 4. a keyword in the subject
 * 5. everything else is code
 */
import type { ActivityType } from "../../entries/LogEntry.ts"
import type { Commit } from "./Commit.ts"
import { areaOf } from "./FileArea.ts"

export interface Activity {
  readonly type: ActivityType
  /** What the work was about, in the words of the predefined tags where there is one. */
  readonly focus: ReadonlyArray<string>
}

export interface ConventionalSubject {
  readonly kind: string
  readonly scope: string | undefined
  readonly isBreaking: boolean
}

/** https://www.conventionalcommits.org */
export const conventional = (subject: string): ConventionalSubject | undefined => {
  const match = /^([a-z]+)(?:\(([^()]{1,40})\))?(!)?:\s/i.exec(subject)
  if (match === null || match[1] === undefined) return undefined
  return { kind: match[1].toLowerCase(), scope: match[2]?.trim().toLowerCase(), isBreaking: match[3] === "!" }
}

export const activityOf = (commit: Commit): Activity => {
  if (commit.parents > 1) return { type: "review", focus: ["merge"] }
  const kind = conventional(commit.subject)?.kind
  const named = kind === undefined ? undefined : prefixes.get(kind)
  return named ?? byFiles(commit) ?? byKeyword(commit.subject) ?? { type: "code", focus: [] }
}

const prefixes = new Map<string, Activity>([
  ...each(["feat", "feature"], { type: "code", focus: ["feature"] }),
  ...each(["refactor", "style"], { type: "code", focus: ["refactor"] }),
  ...each(["perf"], { type: "code", focus: ["performance"] }),
  ...each(["test", "tests"], { type: "code", focus: ["testing"] }),
  ...each(["fix", "bugfix", "hotfix", "revert"], { type: "debug", focus: ["bug-fix"] }),
  ...each(["doc", "docs"], { type: "docs", focus: ["documentation"] }),
  ...each(["ci", "build", "deploy", "ops", "infra", "release", "deps"], { type: "ops", focus: ["devops"] }),
  ...each(["chore"], { type: "admin", focus: ["chore"] }),
  ...each(["plan", "design", "rfc"], { type: "planning", focus: ["technical-design"] }),
  ...each(["spike", "research", "learn"], { type: "learning", focus: ["research"] }),
  ...each(["review"], { type: "review", focus: ["code-review"] })
])

function each(kinds: ReadonlyArray<string>, activity: Activity): ReadonlyArray<readonly [string, Activity]> {
  return kinds.map((kind) => [kind, activity])
}

const byFiles = ({ files }: Commit): Activity | undefined => {
  const areas = new Set(files.map(({ path }) => areaOf(path)).filter((area) => area !== "generated"))
  if (areas.size !== 1) return undefined
  if (areas.has("docs")) return { type: "docs", focus: ["documentation"] }
  if (areas.has("delivery")) return { type: "ops", focus: ["devops"] }
  return areas.has("tests") ? { type: "code", focus: ["testing"] } : undefined
}

/** Whole words; the first line that matches decides. */
const keywords: ReadonlyArray<readonly [RegExp, Activity]> = [
  [/\b(fix(es|ed)?|bugs?|repair|correct|debug|hotfix|crash(es)?|regression|leaks?|revert)\b/i, { type: "debug", focus: ["bug-fix"] }],
  [/\b(documents?|documentation|readme|changelog|docs?|typos?)\b/i, { type: "docs", focus: ["documentation"] }],
  [/\b(deploy(ment)?|release|ci|pipeline|docker(file)?|kubernetes|terraform|bump|upgrade|dependenc(y|ies))\b/i, { type: "ops", focus: ["devops"] }],
  [/\b(plan|roadmap|decide|decision|proposal|rfc|adr)\b/i, { type: "planning", focus: ["technical-design"] }],
  [/\b(spike|prototype|experiment|explore|research)\b/i, { type: "learning", focus: ["research"] }],
  [/\b(review|feedback)\b/i, { type: "review", focus: ["code-review"] }],
  [/\b(refactor|rename|simplif(y|ies)|clean ?up|extract|move)\b/i, { type: "code", focus: ["refactor"] }],
  [/\b(faster|performance|optimi[sz]e|speed)\b/i, { type: "code", focus: ["performance"] }],
  [/\b(tests?|prove|coverage)\b/i, { type: "code", focus: ["testing"] }],
  [/\b(add|implement|introduce|support|create|build)\b/i, { type: "code", focus: ["feature"] }]
]

const byKeyword = (subject: string): Activity | undefined => keywords.find(([pattern]) => pattern.test(subject))?.[1]
