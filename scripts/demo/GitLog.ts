/**
 * The newest commits of a git repository, read by `git log`. Nothing that the repository's own configuration names is
 * run, and nothing is fetched.
 */
import type { Commit } from "@englog/domain/imports/commits/Commit"
import { commitsOf, formatOf, measured as sizes, repositoryName } from "@englog/domain/imports/commits/GitRecords"
import { Effect, Option, Random, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as path from "node:path"
import { DemoError } from "./DemoError.ts"

export interface GitLog {
  /** Of the repository: that of its origin, else of its folder. */
  readonly name: string
  /** Oldest first, as git orders them. */
  readonly commits: ReadonlyArray<Commit>
}

/** Commits that are looked at; older ones play no part. */
const MAX_COMMITS = 2_000

/** Fails where `folder` is in no repository or git is not installed. A repository without commits has an empty log. */
export const readGitLog = Effect.fn("GitLog.read")(function*(folder: string) {
  const git = (args: ReadonlyArray<string>) => run(folder, args)
  const top = yield* git(["rev-parse", "--git-dir"])
  if (Option.isNone(top)) return yield* new DemoError({ message: `${folder} is not a git repository that this user may read` })
  const name = repositoryName(path.basename(folder), Option.getOrElse(yield* git(["config", "--get", "remote.origin.url"]), () => ""))
  if (Option.isNone(yield* git(["rev-parse", "--verify", "--quiet", "HEAD"]))) return { name, commits: [] } satisfies GitLog
  const mark = `commit-${(yield* Random.nextInt).toString(36)}-${(yield* Random.nextInt).toString(36)}`
  const log = ["-c", "log.showRoot=false", "log", `--max-count=${MAX_COMMITS}`, "--no-show-signature", formatOf(mark)]
  // The sizes of changes need every version of a file, which a partial clone does not have.
  const measured = yield* git([...log, ...sizes])
  const text = Option.isSome(measured) ? measured : yield* git(log)
  if (Option.isNone(text)) return yield* new DemoError({ message: `the history of ${folder} cannot be read by git` })
  return { name, commits: commitsOf(text.value, mark).toReversed() } satisfies GitLog
})

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
