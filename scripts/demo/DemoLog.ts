/** Which work log the demo records: a file's, a repository's, or the example where the repository has nothing to tell. */
import { commitEntries } from "@englog/domain/imports/commits/CommitEntries"
import { DateTime, Effect, Option } from "effect"
import * as path from "node:path"
import { authorLog } from "./AuthorLog.ts"
import type { DemoArguments } from "./DemoArguments.ts"
import { readGitLog } from "./GitLog.ts"
import { readWorkLog, type WorkLog } from "./WorkLog.ts"

export interface DemoLog extends WorkLog {
  /** Where it comes from, in a sentence. */
  readonly told: string
}

/** Entries at most, the newest; one insight may be about a thousand. */
const MAX_ENTRIES = 500

const root = path.resolve(import.meta.dirname, "../..")

export const demoLog = Effect.fn("DemoLog.read")(function*(source: DemoArguments["source"]) {
  if (source._tag === "File") return yield* fromFile(source.file, `The log of ${source.file}`)
  const folder = Option.getOrElse(source.path, () => root)
  const git = readGitLog(folder)
  // A folder that was named has to be a repository; this one may have been unpacked from an archive.
  const history = Option.isSome(source.path) ? Option.some(yield* git) : yield* Effect.option(git)
  const chosen = Option.flatMap(history, ({ commits }) => authorLog(commits, source.since))
  if (Option.isNone(history) || Option.isNone(chosen)) {
    const since = Option.match(source.since, { onNone: () => "", onSome: (start) => ` since ${DateTime.formatIsoDateUtc(start)}` })
    return yield* fromFile(path.join(root, "examples/worklog.json"), `${folder} has no commits${since}, so this is the example log`)
  }
  const { author, commits, leftOut } = chosen.value
  const { name } = history.value
  const entries = commitEntries(commits.slice(-MAX_ENTRIES), () => name)
  const [first_name = "", ...rest] = author.trim().split(/\s+/)
  return {
    engineer: { first_name: first_name.slice(0, 100) || "Unknown", last_name: rest.join(" ").slice(0, 100) || "Engineer", timezone: localZone },
    entries,
    told: `${commits.length === 1 ? "The one commit" : `The ${entries.length === commits.length ? "" : `newest ${entries.length} of `}${commits.length} commits`}`
      + ` of ${author} in ${history.value.name}${leftOut === 0 ? "" : ` (${leftOut} of others are left out)`}`
  } satisfies DemoLog
})

/** A day and an hour mean what they mean on this machine. */
const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone

const fromFile = (file: string, told: string) => Effect.map(readWorkLog(file), (log): DemoLog => ({ ...log, told }))
