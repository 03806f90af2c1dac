/** The demo's command line. Paths are relative to where the user called npm. */
import { DateTime, Effect, Option } from "effect"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { UsageError } from "./DemoError.ts"

export interface DemoArguments {
  readonly json: boolean
  readonly help: boolean
  readonly source:
    | { readonly _tag: "File"; readonly file: string }
    | {
      readonly _tag: "Git"
      /** None: this checkout. */
      readonly path: Option.Option<string>
      readonly since: Option.Option<DateTime.Utc>
    }
}

export const demoArguments = Effect.fnUntraced(function*(argv: ReadonlyArray<string>, cwd: string) {
  const { values } = yield* Effect.try({
    try: () => parseArgs({ args: [...argv], options: flags, allowPositionals: false }),
    catch: (error) => new UsageError({ message: error instanceof Error ? firstSentence(error.message) : String(error) })
  })
  const { file, git, help = false, json = false, since } = values
  if (file === "" || git === "" || since === "") return yield* new UsageError({ message: "--file, --git and --since need a value" })
  if (file !== undefined && (git !== undefined || since !== undefined)) {
    return yield* new UsageError({ message: "--file cannot be combined with --git or --since" })
  }
  const resolve = (given: string) => path.resolve(cwd, given)
  const source: DemoArguments["source"] = file !== undefined
    ? { _tag: "File", file: resolve(file) }
    : {
      _tag: "Git",
      path: Option.map(Option.fromUndefinedOr(git), resolve),
      since: since === undefined ? Option.none() : Option.some(yield* instantOf(since, yield* DateTime.now))
    }
  return { json, help, source } satisfies DemoArguments
})

const flags = {
  git: { type: "string" },
  since: { type: "string" },
  file: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" }
} as const

const firstSentence = (message: string): string => (message.split(/\. |\n/)[0] ?? message).replace(/\.$/, "")

/** A day, a time with its zone, or how long ago. */
export const instantOf = (text: string, now: DateTime.Utc): Effect.Effect<DateTime.Utc, UsageError> => {
  const ago = /^(\d{1,4}) (minute|hour|day|week|month|year)s? ago$/i.exec(text.trim())
  const unit = ago?.[2]?.toLowerCase()
  const found = ago === null
    ? /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? sameDay(text) : Option.none()
    : Option.some(DateTime.subtract(now, { [`${unit}s`]: Number(ago[1]) }))
  return Option.match(found, {
    onSome: (instant) => Effect.succeed(instant),
    onNone: () =>
      new UsageError({ message: `--since ${JSON.stringify(text)} is neither a date (2026-01-31, 2026-01-31T09:00:00Z) nor like "2 weeks ago"` })
  })
}

/** JavaScript reads 2026-02-30 as 2 March; here it is no date. */
const sameDay = (text: string): Option.Option<DateTime.Utc> => {
  const day = DateTime.make(text.slice(0, 10))
  const exists = Option.isSome(day) && DateTime.formatIsoDateUtc(DateTime.toUtc(day.value)) === text.slice(0, 10)
  return exists ? Option.map(DateTime.make(text), DateTime.toUtc) : Option.none()
}

export const usage = `npm run demo -- [options]

Starts EngLog in a temporary folder on free ports, records a real work log, requests an insight about it and shows it.

  --git PATH     record the commits of this git repository (default: this checkout)
  --since WHEN   only commits since then: a date (2026-01-31) or "2 weeks ago"
                 (default: the two weeks up to the newest commit)
  --file FILE    record this work log instead; examples/worklog.json shows the form
  --json         print {task_id, trace_id, status, insight, facts, seconds} as the last line of standard output
  -h, --help     print this

Where the repository has no commits (since then), examples/worklog.json is recorded.

How commits become entries, one for each commit of the author with most commits in the period (500 at most, the newest):
  type      merge: review. Prefix: feat, refactor, perf, test: code; fix, revert: debug; docs: docs; ci, build, deploy,
            release: ops; chore: admin; plan, design: planning; spike, research: learning. Else by files: only documents:
            docs; only CI, containers, infrastructure: ops; only tests: code. Else by keyword in the subject. Else code.
  time      ends with the commit; began with the author's commit before, if at most 3 hours ago. The first commit of a
            session: 15 minutes plus 1 per 10 changed lines, at most 90. At least 1 minute; entries never overlap.
  value     high: security, crashes, breaking changes, 300 changed lines of source. Low: chores, typos, formatting, up to
            10 changed lines that are no fix. Else medium.
  impact    company: security, releases, breaking changes. Product: source or a fix. Personal: learning. Else team.
  project   the repository, or the package (packages/NAME and the like) with most of the changed lines.
`
