/**
 * The newest commits of a git repository, read by `git log`. Nothing that the repository's own configuration names is
 * run, and nothing is fetched.
 */
import { DateTime, Effect, Option, Random, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as path from "node:path"
import type { ChangedFile, Commit } from "./Commit.ts"
import { DemoError } from "./DemoError.ts"

export interface GitLog {
  /** Of the repository: that of its origin, else of its folder. */
  readonly name: string
  /** Oldest first, as git orders them. */
  readonly commits: ReadonlyArray<Commit>
}

/** Commits that are looked at; older ones play no part. */
const MAX_COMMITS = 2_000

const FIELDS = ["%P", "%aN", "%aE", "%aI", "%s", "%b"].join("%x00")

/** Fails where `folder` is in no repository or git is not installed. A repository without commits has an empty log. */
export const readGitLog = Effect.fn("GitLog.read")(function*(folder: string) {
  const git = (args: ReadonlyArray<string>) => run(folder, args)
  const top = yield* git(["rev-parse", "--git-dir"])
  if (Option.isNone(top)) return yield* new DemoError({ message: `${folder} is not a git repository that this user may read` })
  const name = repositoryName(folder, Option.getOrElse(yield* git(["config", "--get", "remote.origin.url"]), () => ""))
  if (Option.isNone(yield* git(["rev-parse", "--verify", "--quiet", "HEAD"]))) return { name, commits: [] } satisfies GitLog
  const mark = `commit-${(yield* Random.nextInt).toString(36)}-${(yield* Random.nextInt).toString(36)}`
  const log = ["-c", "log.showRoot=false", "log", `--max-count=${MAX_COMMITS}`, "--no-show-signature", `--format=${mark}%x00${FIELDS}%x00`]
  // The sizes of changes need every version of a file, which a partial clone does not have.
  const measured = yield* git([...log, "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv"])
  const text = Option.isSome(measured) ? measured : yield* git(log)
  if (Option.isNone(text)) return yield* new DemoError({ message: `the history of ${folder} cannot be read by git` })
  return { name, commits: text.value.split(`${mark}\u0000`).flatMap(commitOf).toReversed() } satisfies GitLog
})

/** The origin's name keeps a clone in any folder recognizable. */
const repositoryName = (folder: string, origin: string): string => {
  const last = /([^/:\\]+?)(?:\.git)?\/*\s*$/.exec(origin)?.[1]
  return last ?? path.basename(folder).replace(/\.git$/, "")
}

/** One record: its fields and, in the last, a line for each file as `added<TAB>removed<TAB>path`. */
const commitOf = (record: string): ReadonlyArray<Commit> => {
  const [parents, author, email, date, subject, body, files] = record.split("\u0000")
  const at = date === undefined ? Option.none() : DateTime.make(date)
  if (files === undefined || Option.isNone(at)) return []
  return [{
    parents: (parents ?? "").split(" ").filter((parent) => parent !== "").length,
    author: author ?? "",
    email: email ?? "",
    at: DateTime.toUtc(at.value),
    subject: subject ?? "",
    body: body ?? "",
    files: files.split("\n").flatMap(fileOf)
  }]
}

const fileOf = (line: string): ReadonlyArray<ChangedFile> => {
  const match = /^(\d+|-)\t(\d+|-)\t"?(.+?)"?$/.exec(line)
  return match?.[3] === undefined ? [] : [{ path: match[3], lines: (Number(match[1]) || 0) + (Number(match[2]) || 0) }]
}

/** None where git fails: what that means, the caller knows. */
const run = Effect.fnUntraced(function*(folder: string, args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const command = ChildProcess.make("git", [...safely, "-C", folder, ...args], {
    stdin: "ignore",
    stderr: "ignore",
    extendEnv: true,
    env: environment(folder)
  })
  return yield* Effect.scoped(Effect.gen(function*() {
    const handle = yield* spawner.spawn(command)
    const [text, code] = yield* Effect.all([collect(handle), handle.exitCode], { concurrency: 2 })
    return code === 0 ? Option.some(text) : Option.none()
  })).pipe(
    Effect.mapError((error) => new DemoError({ message: `git cannot be run in ${folder}: ${error.message}` }))
  )
})

const collect = (handle: ChildProcessSpawner.ChildProcessHandle) => Stream.mkString(Stream.decodeText(handle.stdout))

/** Whoever names a repository trusts its owner with being read, and with nothing more. */
const safely: ReadonlyArray<string> = [
  "-c", "safe.directory=*",
  "-c", "core.fsmonitor=false",
  "-c", "core.quotePath=false",
  "-c", "i18n.logOutputEncoding=UTF-8"
]

/** A git hook that runs the demo has these set to its own repository. */
const environment = (folder: string) => ({
  GIT_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
  GIT_CEILING_DIRECTORIES: path.dirname(folder),
  GIT_NO_LAZY_FETCH: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_PAGER: "cat",
  LC_ALL: "C.UTF-8"
})
