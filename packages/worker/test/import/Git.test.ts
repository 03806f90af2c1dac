import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { git } from "@englog/worker/import/git/Git"
import { GitRepositories } from "@englog/worker/import/git/GitRepositories"
import { DateTime, Effect, type Scope } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { jobOf, readBy } from "./read.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "englog-git-")))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
)

const run = (cwd: string, args: ReadonlyArray<string>, at = "2026-03-02T10:00:00+01:00", email = "Ada@Example.com") =>
  execFileSync("git", [...args], {
    cwd,
    stdio: ["ignore", "pipe", "ignore"],
    env: {
      PATH: process.env["PATH"], HOME: cwd, GIT_AUTHOR_NAME: "Ada", GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: "Ada", GIT_COMMITTER_EMAIL: email,
      GIT_AUTHOR_DATE: at, GIT_COMMITTER_DATE: at
    }
  }).toString().trim()

const commit = (repository: string, subject: string, at: string, email?: string) => {
  fs.appendFileSync(path.join(repository, "main.ts"), `${subject}\n`)
  run(repository, ["add", "."])
  run(repository, ["commit", "-q", "-m", subject], at, email)
  return run(repository, ["rev-parse", "HEAD"])
}

const repositoryIn = (root: string, name: string) => {
  const repository = path.join(root, name)
  fs.mkdirSync(repository)
  run(repository, ["init", "-q", "-b", "main"])
  return repository
}

const searchPath = process.env["PATH"] ?? ""

const read = (gitRoots: ReadonlyArray<string>, at: string, more: Record<string, unknown> = {}, where = searchPath) =>
  readBy(git, jobOf({ source: "git", path: at, authors: ["ada@example.com"] }, more)).pipe(Effect.provideServiceEffect(GitRepositories, GitRepositories.make({ gitRoots, searchPath: where })))

const problemOf = (roots: ReadonlyArray<string>, at: string) =>
  Effect.map(Effect.flip(read(roots, at)), ({ message, retryable }) => ({ message, retryable }))

const test = <A, E>(body: Effect.Effect<A, E, NodeServices.NodeServices | Scope.Scope>) => body.pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const refused = (message: string) => ({ message, retryable: false })
const outside = refused("path: is in none of the folders that IMPORT_GIT_ROOTS allows on the worker's machine")

describe("A git repository", () => {
  it.live("becomes an item for each of one's own commits in the period, of all branches, the same each time", () => test(Effect.gen(function*() {
    const root = yield* folder
    const repository = repositoryIn(root, "engine")
    commit(repository, "feat: long ago", "2026-01-02T10:00:00Z")
    const before = commit(repository, "feat: the evening before", "2026-02-28T23:10:00Z")
    const first = commit(repository, "fix(mill): carry the one", "2026-03-01T01:00:00Z")
    commit(repository, "docs: of somebody else", "2026-03-02T11:00:00Z", "charles@example.com")
    run(repository, ["checkout", "-q", "-b", "other"])
    const second = commit(repository, "Add the \"store\"\t\u00e9", "2026-03-03T10:00:00+02:00")
    run(repository, ["checkout", "-q", "main"])
    const { items, problems, skipped } = yield* read([root], repository)
    assert.deepStrictEqual(problems, [])
    const byId = new Map(items.map((item) => [item.external_id, item]))
    assert.sameMembers([...byId.keys()], [second], "the first one began before the period, after the one before it")
    assert.strictEqual(skipped, 2)
    assert.isFalse(byId.has(before) || byId.has(first))
    assert.deepInclude(byId.get(second), { source: "git", title: "Add the \"store\" \u00e9", type: "code", project: "engine", all_day: false })
    assert.deepStrictEqual(byId.get(second) && DateTime.formatIso(byId.get(second)?.end_time ?? DateTime.makeUnsafe(0)), "2026-03-03T08:00:00.000Z")
    const longer = yield* read([root], repository, { period: { from: "2026-02-01T00:00:00Z", to: "2026-04-02T00:00:00Z" } })
    const fix = longer.items.find(({ external_id }) => external_id === first)
    assert.deepInclude(fix, { title: "fix(mill): carry the one", type: "debug" })
    assert.strictEqual(fix && DateTime.formatIso(fix.start_time), "2026-02-28T23:10:00.000Z", "work began with the commit before")
    assert.deepStrictEqual((yield* read([root], repository)).items, items)
  })))

  it.live("is refused where no folder is allowed, and outside of those that are, whatever leads there", () => test(Effect.gen(function*() {
    const [root, elsewhere] = [yield* folder, yield* folder]
    const secret = repositoryIn(elsewhere, "secret")
    commit(secret, "feat: secret", "2026-03-02T10:00:00Z")
    assert.deepStrictEqual(yield* problemOf([], secret), refused("path: this worker reads no git repositories: IMPORT_GIT_ROOTS is not set on its machine"))
    assert.deepStrictEqual(yield* problemOf([root], secret), outside)
    assert.deepStrictEqual(yield* problemOf([root], path.join(elsewhere, "is-not-there")), outside, "whether it is there is not told")
    assert.deepStrictEqual(yield* problemOf([root], `${root}/../${path.basename(elsewhere)}/secret`), outside)
    assert.deepStrictEqual(yield* problemOf([root], `${root}-beside`), outside)
    fs.symlinkSync(secret, path.join(root, "link"))
    assert.deepStrictEqual(yield* problemOf([root], path.join(root, "link")), outside)
    fs.mkdirSync(path.join(root, "by-file"))
    fs.writeFileSync(path.join(root, "by-file", ".git"), `gitdir: ${path.join(secret, ".git")}\n`)
    assert.deepStrictEqual(yield* problemOf([root], path.join(root, "by-file")), outside)
    const borrowing = repositoryIn(root, "borrowing")
    fs.writeFileSync(path.join(borrowing, ".git/objects/info/alternates"), `${path.join(secret, ".git/objects")}\n`)
    assert.deepStrictEqual(yield* problemOf([root], borrowing), outside)
  })))

  it.live("around an allowed folder is not found, nor one that is not there; one without commits has none", () => test(Effect.gen(function*() {
    const around = yield* folder
    run(around, ["init", "-q"])
    fs.mkdirSync(path.join(around, "root/plain"), { recursive: true })
    const root = path.join(around, "root")
    assert.deepStrictEqual(yield* problemOf([root], path.join(root, "plain")), refused("path: is no git repository"))
    assert.deepStrictEqual(yield* problemOf([root], path.join(root, "nothing")), refused("path: there is no such folder that the worker may read"))
    assert.deepStrictEqual((yield* read([root], repositoryIn(root, "empty"))).items, [])
  })))

  it.live("runs nothing that its configuration names", () => test(Effect.gen(function*() {
    const root = yield* folder
    const repository = repositoryIn(root, "trap")
    commit(repository, "feat: bait", "2026-03-02T10:00:00Z")
    const ran = path.join(root, "ran")
    const program = path.join(root, "program")
    fs.writeFileSync(program, `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 })
    fs.writeFileSync(path.join(repository, ".gitattributes"), "* diff=trap\n")
    commit(repository, "feat: with attributes", "2026-03-02T11:00:00Z")
    for (
      const name of ["core.fsmonitor", "core.pager", "pager.log", "diff.external", "diff.trap.command", "diff.trap.textconv", "gpg.program", "core.sshCommand"]
    ) run(repository, ["config", name, program])
    run(repository, ["config", "log.showSignature", "true"])
    fs.rmSync(ran, { force: true })
    assert.lengthOf((yield* read([root], repository)).items, 2)
    assert.isFalse(fs.existsSync(ran))
  })))

  it.live("is not read where git is not installed", () => test(Effect.gen(function*() {
    const root = yield* folder
    const { message } = yield* Effect.flip(read([root], repositoryIn(root, "engine"), {}, path.join(root, "nothing")))
    assert.strictEqual(message, "git is not installed on the worker's machine")
  })))

  // Only root can give files away.
  it.live.skipIf(process.getuid?.() !== 0)("of another user of the machine is not read before the worker's operator allows it", () => test(Effect.gen(function*() {
    const repository = repositoryIn(yield* folder, "foreign")
    fs.chownSync(repository, 54_321, 54_321)
    fs.chownSync(path.join(repository, ".git"), 54_321, 54_321)
    const { message } = yield* Effect.flip(read([repository], repository))
    assert.strictEqual(
      message,
      `path: the repository belongs to another user of the worker's machine; its operator can allow it with: git config --global --add safe.directory ${repository}`
    )
  })))

  it.live("cannot forge commits by what a message says", () => test(Effect.gen(function*() {
    const root = yield* folder
    const repository = repositoryIn(root, "forged")
    const sha = commit(repository, "feat: one\n\ncommit-0000\u0001%x00 2026-03-05T10:00:00Z", "2026-03-02T10:00:00Z")
    assert.deepStrictEqual((yield* read([root], repository)).items.map(({ external_id }) => external_id), [sha])
  })))
})
