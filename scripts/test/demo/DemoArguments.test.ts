import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Option } from "effect"
import { demoArguments, instantOf } from "../../demo/DemoArguments.ts"

const parse = (...args: ReadonlyArray<string>) => demoArguments(args, "/home/ada")
const refusal = (...args: ReadonlyArray<string>) => Effect.map(Effect.flip(parse(...args)), ({ message }) => message)

describe("The demo's command line", () => {
  it.effect("means the commits of this checkout where it says nothing", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* parse(), { json: false, help: false, source: { _tag: "Git", path: Option.none(), since: Option.none() } })
    }))

  it.effect("takes paths from where the user is", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* parse("--file", "log.json", "--json")).source, { _tag: "File", file: "/home/ada/log.json" })
      const { source } = yield* parse("--git=../grace/cobol")
      assert.deepStrictEqual(source._tag === "Git" ? Option.getOrNull(source.path) : source, "/home/grace/cobol")
    }))

  it.effect.each([
    [["--color"], "Unknown option '--color'"],
    [["extra"], "Unexpected argument 'extra'"],
    [["--git"], "argument missing"],
    [["--file", ""], "need a value"],
    [["--file", "x", "--since", "2 weeks ago"], "--file cannot be combined"],
    [["--since", "soon"], `--since "soon" is neither a date`],
    [["--since", "2026-02-30"], "neither a date"],
    [["--since", "2026-01-01T10:00"], "neither a date"]
  ] as const)("refuses %s and says why", ([args, why]) =>
    Effect.gen(function*() {
      assert.include(yield* refusal(...args), why)
    }))

  it.effect.each([
    ["2026-01-31", "2026-01-31T00:00:00.000Z"],
    ["2026-01-31T09:00:00+01:00", "2026-01-31T08:00:00.000Z"],
    ["2 weeks ago", "2026-03-01T12:00:00.000Z"],
    ["1 month ago", "2026-02-15T12:00:00.000Z"],
    ["90 minutes ago", "2026-03-15T10:30:00.000Z"]
  ] as const)("reads %s as a time", ([text, expected]) =>
    Effect.gen(function*() {
      const now = DateTime.toUtc(DateTime.makeUnsafe("2026-03-15T12:00:00Z"))
      assert.strictEqual(DateTime.formatIso(yield* instantOf(text, now)), expected)
    }))
})
