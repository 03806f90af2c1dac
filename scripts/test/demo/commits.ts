/** Commits for tests: a plain one, and any. */
import type { Commit } from "@englog/domain/imports/commits/Commit"
import { DateTime } from "effect"
import * as fc from "fast-check"

export const at = (time: string) => DateTime.toUtc(DateTime.makeUnsafe(time))

export const aCommit = (given: Partial<Commit> = {}): Commit => ({
  sha: "5d0c5a542a514f0e9d8e0a6c2f8d1b115d0c5a54",
  parents: 1,
  author: "Grace Hopper",
  email: "grace@example.com",
  at: at("2026-03-02T10:00:00Z"),
  subject: "Teach the compiler COBOL",
  body: "",
  files: [{ path: "src/compiler.ts", lines: 50 }],
  ...given
})

const path = fc.oneof(
  fc.constantFrom("README.md", "package-lock.json", "packages/api/src/main.ts", "packages/api/test/main.test.ts", ".github/workflows/ci.yml", "a.sql"),
  fc.string({ unit: "grapheme", minLength: 1 })
)

/** Seconds apart, days apart, at the same instant; any text. */
export const anyCommit: fc.Arbitrary<Commit> = fc.record({
  sha: fc.string({ minLength: 1 }),
  parents: fc.nat({ max: 3 }),
  author: fc.string(),
  email: fc.constantFrom("grace@example.com", "ada@example.com", "49699333+dependabot[bot]@users.noreply.github.com"),
  at: fc.oneof(fc.nat({ max: 20_000 }), fc.nat({ max: 3_000_000 })).map((seconds) => DateTime.makeUnsafe(1_772_000_000_000 + seconds * 1_000)),
  subject: fc.oneof(fc.string({ unit: "grapheme", maxLength: 300 }), fc.constantFrom("fix(api)!: the crash", "docs: x", "chore: y", "Merge z")),
  body: fc.string({ unit: "grapheme", maxLength: 3_000 }),
  files: fc.array(fc.record({ path, lines: fc.nat({ max: 5_000 }) }), { maxLength: 5 })
})

export const byTime = (a: Commit, b: Commit) => DateTime.toEpochMillis(a.at) - DateTime.toEpochMillis(b.at)
