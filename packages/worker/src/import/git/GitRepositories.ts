/**
 * Repositories on the worker's machine, read by `git log`: only those that lie, with all that they are made of, in folders which the worker's
 * operator allows. Nothing that a repository's own configuration names is run, and nothing is fetched.
 */
import type { Commit } from "@englog/domain/imports/commits/Commit"
import { commitsOf, formatOf, measured as sizes, repositoryName } from "@englog/domain/imports/commits/GitRecords"
import { Context, DateTime, Effect, FileSystem, Layer, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { randomUUID } from "node:crypto"
import * as os from "node:os"
import * as path from "node:path"
import { AppConfig } from "../../AppConfig.ts"
import { TaskFailure } from "../../handlers/TaskHandler.ts"

export interface GitHistory {
  /** Of the repository: that of its origin, else of its folder. */
  readonly name: string
  /** Newest first. */
  readonly commits: ReadonlyArray<Commit>
  /** There are older ones. */
  readonly cut: boolean
}

export class GitRepositories extends Context.Service<GitRepositories, {
  /** Of all local branches; `since` by when they were committed, null: all. */
  readonly read: (folder: string, since: DateTime.Utc | null) => Effect.Effect<GitHistory, TaskFailure>
}>()("@englog/worker/import/git/GitRepositories") {
  static readonly make = ({ gitRoots, searchPath }: Pick<AppConfig["Service"], "gitRoots" | "searchPath">) =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
      return GitRepositories.of({
        read: Effect.fn("GitRepositories.read")(function*(folder, since) {
          const allowed = allowedBy(fs, gitRoots)
          const real = yield* allowed(folder)
          const git = (args: ReadonlyArray<string>) => run(spawner, real, environment(real, searchPath), args)
          const [top = "", common = ""] = (yield* succeeding(real, git(["rev-parse", "--absolute-git-dir", "--git-common-dir"]))).split("\n")
          yield* within(fs, allowed, path.resolve(real, top), path.resolve(real, common))
          const origin = yield* git(["config", "--local", "--get", "remote.origin.url"])
          return { name: repositoryName(path.basename(real), origin.code === 0 ? origin.text : ""), ...(yield* historyOf(real, git, since)) }
        })
      })
    })

  static readonly layer = Layer.effect(GitRepositories, Effect.flatMap(AppConfig, GitRepositories.make))
}

/** Commits that are looked at, of all authors. */
const MAX_COMMITS = 20_000

const failure = (message: string) => new TaskFailure({ message, retryable: false })

/** Where a path really leads. Whether there is something outside of the allowed folders is not told. */
const allowedBy = (fs: FileSystem.FileSystem, roots: ReadonlyArray<string>) =>
  Effect.fnUntraced(function*(asked: string) {
    if (roots.length === 0) return yield* failure("path: this worker reads no git repositories: IMPORT_GIT_ROOTS is not set on its machine")
    const outside = failure("path: is in none of the folders that IMPORT_GIT_ROOTS allows on the worker's machine")
    const realRoots = yield* Effect.forEach(roots, (root) => Effect.option(fs.realPath(root)))
    const known = realRoots.flatMap((root) => root._tag === "Some" ? [root.value] : [])
    if (!isUnder(path.normalize(asked), [...roots, ...known])) return yield* outside
    const real = yield* fs.realPath(asked).pipe(Effect.mapError(() => failure("path: there is no such folder that the worker may read")))
    return isUnder(real, known) ? real : yield* outside
  })

const isUnder = (folder: string, roots: ReadonlyArray<string>): boolean =>
  path.isAbsolute(folder) && roots.some((root) => {
    const way = path.relative(root, folder)
    return way !== ".." && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way)
  })

/** A repository may have its parts elsewhere: by a `.git` file, links, or alternates. */
const within = Effect.fnUntraced(function*(
  fs: FileSystem.FileSystem,
  allowed: (asked: string) => Effect.Effect<string, TaskFailure>,
  top: string,
  common: string
) {
  const objects = path.join(common, "objects")
  const alternates = yield* fs.readFileString(path.join(objects, "info", "alternates")).pipe(Effect.orElseSucceed(() => ""))
  const borrowed = alternates.split("\n").filter((line) => line.trim() !== "").map((line) => path.resolve(objects, line))
  yield* Effect.forEach([top, common, objects, ...borrowed], allowed)
})

const historyOf = Effect.fnUntraced(function*(folder: string, git: (args: ReadonlyArray<string>) => Effect.Effect<Ended, TaskFailure>, since: DateTime.Utc | null) {
  const branches = yield* succeeding(folder, git(["for-each-ref", "--count=1", "refs/heads"]))
  const head = yield* git(["rev-parse", "--verify", "--quiet", "HEAD"])
  if (branches === "" && head.code !== 0) return { commits: [], cut: false }
  const mark = `commit-${randomUUID()}`
  const log = [
    "-c", "log.showRoot=false", "log", `--max-count=${MAX_COMMITS}`, "--no-show-signature", "--no-notes", "--no-color", formatOf(mark),
    ...(since === null ? [] : [`--since=${DateTime.formatIso(since)}`]), "--branches", ...(head.code === 0 ? ["HEAD"] : [])
  ]
  // The sizes of changes need every version of a file, which a partial clone does not have.
  const measured = yield* git([...log, ...sizes, "--"])
  const commits = commitsOf(measured.code === 0 ? measured.text : yield* succeeding(folder, git([...log, "--"])), mark)
  return { commits, cut: commits.length === MAX_COMMITS }
})

interface Ended {
  readonly code: number
  readonly text: string
  readonly said: string
}

const run = (
  spawner: ChildProcessSpawner.ChildProcessSpawner["Service"],
  folder: string,
  env: ReturnType<typeof environment>,
  args: ReadonlyArray<string>
): Effect.Effect<Ended, TaskFailure> =>
  Effect.scoped(Effect.gen(function*() {
    const handle = yield* spawner.spawn(ChildProcess.make("git", [...safely, "-C", folder, ...args], { stdin: "ignore", extendEnv: false, env }))
    const collect = <E>(bytes: Stream.Stream<Uint8Array, E>) => Stream.mkString(Stream.decodeText(bytes))
    const [text, said, code] = yield* Effect.all([collect(handle.stdout), collect(handle.stderr), handle.exitCode], { concurrency: 3 })
    return { text: text.replace(/\n$/, ""), said, code }
  })).pipe(Effect.mapError((error) =>
    failure(error.reason._tag === "NotFound" ? "git is not installed on the worker's machine" : "git cannot be run on the worker's machine")))

/** What git says is not told: it quotes the repository's content. */
const succeeding = Effect.fnUntraced(function*(folder: string, git: Effect.Effect<Ended, TaskFailure>) {
  const { code, said, text } = yield* git
  if (code === 0) return text
  return yield* failure(
    /dubious ownership/.test(said)
      ? `path: the repository belongs to another user of the worker's machine; its operator can allow it with: git config --global --add safe.directory ${folder}`
      : /not a git repository/.test(said)
      ? "path: is no git repository"
      : "path: git cannot read the repository"
  )
})

const safely: ReadonlyArray<string> = [
  "--no-pager",
  "-c", "core.fsmonitor=false",
  "-c", "core.hooksPath=/dev/null",
  "-c", "core.quotePath=false",
  "-c", "i18n.logOutputEncoding=UTF-8"
]

/** Nothing else of the worker's own environment, which holds its secrets. The ceiling keeps git from a repository around the folder. */
const environment = (folder: string, searchPath: string) => ({
  PATH: searchPath,
  HOME: os.homedir(),
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CEILING_DIRECTORIES: path.dirname(folder),
  GIT_ALLOW_PROTOCOL: "none",
  GIT_NO_LAZY_FETCH: "1",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  LC_ALL: "C.UTF-8"
})
