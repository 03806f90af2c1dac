import type { Commit } from "@englog/domain/imports/commits/Commit"
import { activityOf } from "@englog/domain/imports/commits/CommitActivity"
import { commitEntries } from "@englog/domain/imports/commits/CommitEntries"
import { worthOf } from "@englog/domain/imports/commits/CommitWorth"
import { EntryPayload } from "@englog/rpc/http/EntryPayload"
import { DateTime, Option, Schema } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { authorLog } from "../../demo/AuthorLog.ts"
import { aCommit, anyCommit, at, byTime } from "./commits.ts"

const typeOf = (given: Partial<Commit>) => activityOf(aCommit(given)).type
const worth = (given: Partial<Commit>) => {
  const commit = aCommit(given)
  return worthOf(commit, activityOf(commit))
}
const source = (lines: number) => [{ path: "src/compiler.ts", lines }]
const minutes = (times: ReadonlyArray<string>, files?: Commit["files"]) =>
  commitEntries(times.map((time) => aCommit({ at: at(time), ...(files === undefined ? {} : { files }) })), () => "cobol").map((entry) =>
    DateTime.toEpochMillis(entry.end_time) / 60_000 - DateTime.toEpochMillis(entry.start_time) / 60_000)

describe("The type of a commit", () => {
  it.each([
    ["feat: parse records", "code"], ["fix(parser): moth", "debug"], ["docs: how", "docs"], ["ci: cache", "ops"],
    ["chore: tidy", "admin"], ["spike: wasm", "learning"], ["design: queue", "planning"], ["review: notes", "review"], ["Revert: x", "debug"]
  ])("comes from its prefix first: %s is %s", (subject, type) => {
    assert.strictEqual(typeOf({ subject, files: [{ path: "README.md", lines: 1 }] }), type)
  })

  it("is review for a merge, whatever its subject says", () => {
    assert.strictEqual(typeOf({ parents: 2, subject: "fix: merge the fix", files: [] }), "review")
  })

  it.each([
    [["README.md", "docs/a.txt"], "docs"], [[".github/workflows/ci.yml", "Dockerfile"], "ops"], [["test/a.test.ts"], "code"],
    [["README.md", "package-lock.json"], "docs"], [["README.md", "src/a.ts"], "debug"]
  ])("comes from its files where they are all of one area, generated ones aside: %s is %s", (paths, type) => {
    assert.strictEqual(typeOf({ subject: "Fix the moth", files: paths.map((path) => ({ path, lines: 5 })) }), type)
  })

  it.each([
    ["Fix the relay", "debug"], ["Correct a typo", "debug"], ["Update the changelog", "docs"], ["Bump the compiler", "ops"],
    ["Roadmap for records", "planning"], ["Prototype of a linker", "learning"], ["Address review comments", "review"], ["Prefix every label", "code"]
  ])("comes from a whole word of its subject else: %s is %s", (subject, type) => {
    assert.strictEqual(typeOf({ subject }), type)
  })
})

describe("The worth of a commit", () => {
  it("is high for security, crashes, breaking changes and large changes of source", () => {
    for (const given of [{ subject: "Fix SQL injection" }, { subject: "Crash on empty input" }, { subject: "feat!: new syntax" }, { body: "BREAKING CHANGE: x" }, { files: source(300) }]) {
      assert.strictEqual(worth(given).value_rating, "high", JSON.stringify(given))
    }
  })

  it("is low for chores, trifles and small changes, but not for a small fix or an unknown size", () => {
    assert.strictEqual(worth({ subject: "chore: tidy", files: source(400) }).value_rating, "low")
    assert.strictEqual(worth({ subject: "Format everything", files: source(4_000) }).value_rating, "low")
    assert.strictEqual(worth({ files: source(10) }).value_rating, "low")
    assert.strictEqual(worth({ subject: "fix: moth", files: source(1) }).value_rating, "medium")
    assert.strictEqual(worth({ files: [] }).value_rating, "medium")
  })

  it("does not count generated files", () => {
    assert.strictEqual(worth({ files: [{ path: "package-lock.json", lines: 9_000 }, ...source(20)] }).value_rating, "medium")
  })

  it("reaches as far as what it touches", () => {
    assert.strictEqual(worth({ subject: "release: 1.0" }).impact_level, "company")
    assert.strictEqual(worth({ subject: "feat: records" }).impact_level, "product")
    assert.strictEqual(worth({ subject: "docs: records", files: [{ path: "README.md", lines: 30 }] }).impact_level, "team")
    assert.strictEqual(worth({ subject: "spike: wasm" }).impact_level, "personal")
  })
})

describe("The time of a commit", () => {
  it("begins with the commit before it", () => {
    assert.deepStrictEqual(minutes(["2026-03-02T09:00:00Z", "2026-03-02T09:40:00Z", "2026-03-02T12:40:00Z"], source(0)), [15, 40, 180])
  })

  it("is estimated by its size where a session begins: after three hours", () => {
    assert.deepStrictEqual(minutes(["2026-03-02T09:00:00Z", "2026-03-02T12:01:00Z"], source(100)), [25, 25])
    assert.deepStrictEqual(minutes(["2026-03-02T09:00:00Z"], source(100_000)), [90])
  })

  it("is a minute for each of several commits at one instant, laid before it", () => {
    const entries = commitEntries([1, 2, 3].map(() => aCommit({ files: [] })), () => "cobol")
    assert.deepStrictEqual(entries.map(({ end_time }) => DateTime.formatIso(end_time).slice(11, 16)), ["09:58", "09:59", "10:00"])
  })
})

describe("The entries of commits", () => {
  it("carry the subject, the body without trailers, the project of most lines and tags of what was touched", () => {
    const [entry] = commitEntries([aCommit({
      subject: "fix(relay): moth",
      body: "Taped in.\n\nSigned-off-by: Grace Hopper <grace@example.com>",
      files: [{ path: "packages/relay/migrations/1.sql", lines: 9 }, { path: "README.md", lines: 2 }]
    })], () => "mark-ii")
    assert.deepInclude(entry, { title: "fix(relay): moth", description: "Taped in.", project: "mark-ii/relay", tags: ["bug-fix", "relay", "database"] })
  })

  it("are one for each commit, never overlap, never lie after their commit, and are accepted by the API", () => {
    const isAccepted = Schema.is(EntryPayload)
    fc.assert(fc.property(fc.array(anyCommit, { maxLength: 60 }), (commits) => {
      const sorted = commits.toSorted(byTime)
      const entries = commitEntries(sorted, () => "cobol")
      assert.lengthOf(entries, commits.length)
      for (const [index, entry] of entries.entries()) {
        const [start, end] = [DateTime.toEpochMillis(entry.start_time), DateTime.toEpochMillis(entry.end_time)]
        assert.isAtLeast(end - start, 60_000)
        assert.isAtMost(end - start, 180 * 60_000)
        assert.isAtMost(end, DateTime.toEpochMillis(sorted[index]?.at ?? entry.end_time))
        const next = entries[index + 1]
        if (next !== undefined) assert.isAtMost(end, DateTime.toEpochMillis(next.start_time))
        const { project: _project, ...payload } = entry
        assert.isTrue(isAccepted(payload), JSON.stringify(entry))
      }
    }))
  })
})

describe("The log of a repository", () => {
  const by = (email: string, time: string, author = email) => aCommit({ email, author, at: at(time) })
  const logOf = (commits: ReadonlyArray<Commit>, since: Option.Option<DateTime.Utc> = Option.none()) =>
    Option.match(authorLog(commits, since), { onNone: () => undefined, onSome: ({ author, commits, leftOut }) => [author, commits.length, leftOut] as const })

  it("is that of whoever committed most often, in the two weeks up to the newest commit", () => {
    const commits = [
      by("ada", "2026-01-01T00:00:00Z"), by("ada", "2026-01-02T00:00:00Z"),
      by("grace", "2026-03-02T10:00:00Z"), by("Grace", "2026-03-01T10:00:00Z", "Grace"), by("alan", "2026-03-03T10:00:00Z")
    ]
    assert.deepStrictEqual(logOf(commits), ["grace", 2, 1])
    assert.deepStrictEqual(logOf(commits, Option.some(at("2026-03-03T00:00:00Z"))), ["alan", 1, 0])
    assert.isUndefined(logOf(commits, Option.some(at("2026-04-01T00:00:00Z"))))
    assert.isUndefined(logOf([]))
  })

  it("is a bot's only where nobody else committed", () => {
    const bots = [1, 2, 3].map((day) => by("1+renovate[bot]@users.noreply.github.com", `2026-03-0${day}T10:00:00Z`))
    assert.deepStrictEqual(logOf([...bots, by("ada", "2026-03-02T10:00:00Z")]), ["ada", 1, 3])
    assert.deepStrictEqual(logOf(bots)?.[1], 3)
  })
})
