/**
 * Categorization without a model: words of an entry that speak for a type or for a tag. The same entry always gets the same
 * proposal. The title counts twice; where no word speaks for another type more than for the recorded one, that stays.
 */
import { ActivityType } from "../entries/LogEntry.ts"
import { wordsOf } from "../search/Words.ts"
import { type CategorizationInput, MAX_PROPOSED_TAGS, type Proposal, type UncategorizedEntry } from "./Categorization.ts"

export const BUILTIN_RULES = "builtin"

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "))

const TYPE_WORDS: Readonly<Record<ActivityType, ReadonlySet<string>>> = {
  meeting: words("meeting meetings standup stand sync retro retrospective 1on1 call kickoff demo townhall interview ceremony"),
  code: words("implement implemented implementing implementation feature refactor refactored refactoring coding prototype migrate rewrite build endpoint"),
  debug: words("debug debugging debugged bug bugs fix fixed fixing hotfix crash incident outage troubleshoot troubleshooting regression race leak investigate investigation"),
  docs: words("docs doc document documentation documented readme adr rfc runbook wiki diagram guide changelog"),
  mentoring: words("mentor mentored mentoring pairing pair coaching coach onboarding onboard junior teach teaching"),
  review: words("review reviews reviewed reviewing pr prs"),
  planning: words("plan planning planned roadmap backlog grooming refinement estimate estimation scoping sprint okr okrs"),
  learning: words("learn learning learnt course training tutorial read reading research study workshop conference certification"),
  ops: words("deploy deployed deployment release released rollout rollback monitoring alert alerts oncall kubernetes terraform infrastructure backup upgrade"),
  admin: words("admin jira expenses timesheet paperwork email emails inbox hr travel")
}

/** For predefined tags whose name says less than those who use it (seed 004, "Predefined Tag Categories"). */
const TAG_WORDS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["api-design", words("api apis endpoint endpoints rest grpc graphql openapi")],
  ["database", words("database sql postgres postgresql query queries index indexes migration schema")],
  ["backend", words("backend server service services")],
  ["devops", words("devops deploy deployment docker kubernetes terraform pipeline ci cd infrastructure")],
  ["bug-fix", words("bug bugs fix fixed fixing hotfix regression crash race")],
  ["feature", words("feature features implement implemented")],
  ["refactor", words("refactor refactored refactoring cleanup")],
  ["performance", words("performance latency slow speed p95 p99 throughput optimize optimized optimization")],
  ["security", words("security oauth token tokens vulnerability cve encryption auth authentication")],
  ["testing", words("test tests testing e2e coverage")],
  ["junior-dev", words("junior juniors mentor mentoring onboarding")],
  ["technical-design", words("architecture design adr rfc")],
  ["p0-critical", words("outage incident")]
])

export const categorize = ({ entries, tags }: CategorizationInput): ReadonlyArray<Proposal> =>
  entries.map((entry) => ({ entry_id: entry.id, type: typeOf(entry), tags: tagsOf(entry, tags) }))

const TITLE = 2
const DESCRIPTION = 1

const scoreOf = (entry: UncategorizedEntry, wanted: ReadonlySet<string>): number =>
  count(entry.title, wanted) * TITLE + count(entry.description ?? "", wanted) * DESCRIPTION

const count = (text: string, wanted: ReadonlySet<string>): number => wordsOf(text).filter((word) => wanted.has(word)).length

const typeOf = (entry: UncategorizedEntry): ActivityType =>
  ActivityType.literals.reduce<ActivityType>(
    (best, type) => scoreOf(entry, TYPE_WORDS[type]) > scoreOf(entry, TYPE_WORDS[best]) ? type : best,
    entry.type
  )

/** A tag fits where all words of its name occur, or one that is known to speak for it; those that more speaks for come first. */
const tagsOf = (entry: UncategorizedEntry, allowed: ReadonlyArray<string>): ReadonlyArray<string> => {
  const own = new Set(wordsOf(`${entry.title} ${entry.description ?? ""} ${entry.project_name ?? ""}`))
  return allowed
    .filter((tag) => !entry.tags.includes(tag))
    .map((tag) => {
      const name = wordsOf(tag)
      const named = name.length > 0 && name.every((word) => own.has(word))
      return { tag, score: (named ? NAMED : 0) + scoreOf(entry, TAG_WORDS.get(tag) ?? NONE) }
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || (a.tag < b.tag ? -1 : 1))
    .slice(0, MAX_PROPOSED_TAGS)
    .map(({ tag }) => tag)
}

const NAMED = 10
const NONE: ReadonlySet<string> = new Set()
