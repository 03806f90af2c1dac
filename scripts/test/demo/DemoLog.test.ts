import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Option } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { demoLog } from "../../demo/DemoLog.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "englog-log-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
)

const git = (repository: string, ...args: ReadonlyArray<string>) =>
  Effect.sync(() =>
    execFileSync("git", ["-C", repository, "-c", "commit.gpgSign=false", "-c", "user.name=Grace Hopper", "-c", "user.email=grace@example.com", ...args], {
      stdio: "pipe",
      env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_DIR: undefined, GIT_AUTHOR_DATE: "2026-03-02T10:00:00Z" }
    }))

const commit = Effect.fnUntraced(function*(repository: string, name: string, text: string, message: string) {
  fs.writeFileSync(path.join(repository, name), text)
  yield* git(repository, "add", "--all")
  yield* git(repository, "commit", "--quiet", "--message", message)
})

const logOf = (repository: string, since: Option.Option<DateTime.Utc> = Option.none()) =>
  demoLog({ _tag: "Git", path: Option.some(repository), since })

describe("The demo's log", () => {
  it.live("holds the commits of a repository, whatever is in their messages and file names", () =>
    Effect.gen(function*() {
      const repository = path.join(yield* folder, "cobol")
      fs.mkdirSync(repository)
      yield* git(repository, "init", "--quiet")
      yield* commit(repository, "README.md", "cobol\n", "Begin")
      yield* commit(repository, "a \"b\"\tç.ts", "x\n".repeat(20), "feat: names\n\n1\t2\tnot-a-file.md\ncommit-1")
      const { engineer, entries, told } = yield* logOf(repository)
      assert.strictEqual(told, "The 2 commits of Grace Hopper in cobol")
      assert.deepInclude(engineer, { first_name: "Grace", last_name: "Hopper" })
      assert.deepStrictEqual(entries.map(({ title, type, project }) => [title, type, project]), [["Begin", "code", "cobol"], ["feat: names", "code", "cobol"]])
      assert.strictEqual(entries[1]?.description, "1\t2\tnot-a-file.md\ncommit-1")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("takes nothing from the size of a shallow clone's first commit, and its name from its origin", () =>
    Effect.gen(function*() {
      const [origin, clone] = [path.join(yield* folder, "mark-ii.git"), path.join(yield* folder, "main")]
      fs.mkdirSync(origin)
      yield* git(origin, "init", "--quiet")
      yield* commit(origin, "a.ts", "x\n".repeat(5_000), "Add everything")
      yield* commit(origin, "b.ts", "x\n".repeat(20), "Add a little")
      yield* git(origin, "clone", "--quiet", "--depth", "1", `file://${origin}`, clone)
      const { entries } = yield* logOf(clone)
      assert.deepStrictEqual(entries.map(({ title, project, value_rating }) => [title, project, value_rating]), [["Add a little", "mark-ii", "medium"]])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("is the example where there are no commits, or none since then", () =>
    Effect.gen(function*() {
      const repository = yield* folder
      yield* git(repository, "init", "--quiet")
      const empty = yield* logOf(repository)
      assert.strictEqual(empty.told, `${repository} has no commits, so this is the example log`)
      assert.deepInclude(empty.engineer, { first_name: "Ada", timezone: "Europe/Berlin" })
      yield* commit(repository, "a.ts", "x\n", "Begin")
      const late = yield* logOf(repository, Option.some(DateTime.makeUnsafe("2026-04-01T00:00:00Z")))
      assert.strictEqual(late.told, `${repository} has no commits since 2026-04-01, so this is the example log`)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("is refused in a sentence where a file does not hold one", () =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "log.json")
      const refusal = (text: string) =>
        Effect.map(Effect.flip(Effect.suspend(() => {
          fs.writeFileSync(file, text)
          return demoLog({ _tag: "File", file })
        })), ({ message }) => message)
      const engineer = `"engineer": { "first_name": "Ada", "last_name": "Okafor" }`
      assert.strictEqual(yield* refusal(`{ ${engineer}, "entries": [] }`), `${file} has no entries`)
      assert.match(yield* refusal(`{ ${engineer}, "entries": [{}] }`), /^.*log\.json is not a work log: .*\["entries"\]\[0\]\["title"\]/)
      assert.match(yield* refusal("nonsense"), /log\.json is not a work log: [^\n]+$/)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("has all ten types, ratings and impacts in the example, without overlaps", () =>
    Effect.gen(function*() {
      const { entries } = yield* demoLog({ _tag: "File", file: path.resolve(import.meta.dirname, "../../../examples/worklog.json") })
      const kinds = (pick: (entry: typeof entries[number]) => string) => new Set(entries.map(pick)).size
      assert.deepStrictEqual([kinds(({ type }) => type), kinds(({ value_rating }) => value_rating), kinds(({ impact_level }) => impact_level)], [10, 3, 4])
      for (const [index, entry] of entries.entries()) {
        assert.isTrue(DateTime.isGreaterThanOrEqualTo(entry.start_time, entries[index - 1]?.end_time ?? entry.start_time), entry.title)
      }
    }).pipe(Effect.provide(NodeServices.layer)))
})
