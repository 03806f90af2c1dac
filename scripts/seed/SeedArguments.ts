/** The command line of `npm run seed`. */
import { Effect, Redacted, Schema } from "effect"
import { parseArgs } from "node:util"

export class SeedUsageError extends Schema.TaggedError<SeedUsageError>()("SeedUsageError", { message: Schema.String }) {}

export interface SeedArguments {
  readonly users: number
  /** For each of them. */
  readonly entries: number
  /** Of the random numbers: the same seed, the same histories up to the day. */
  readonly seed: string
  readonly password: Redacted.Redacted<string>
}

export const seedArguments = Effect.fnUntraced(function*(argv: ReadonlyArray<string>) {
  const { values } = yield* Effect.try({
    try: () => parseArgs({ args: [...argv], options: flags, allowPositionals: false }),
    catch: (error) => new SeedUsageError({ message: error instanceof Error ? error.message : String(error) })
  })
  const password = values.password ?? "seeded work history"
  if (password.length < 8 || password.length > 128) return yield* new SeedUsageError({ message: "--password: must have 8 to 128 characters" })
  return {
    users: yield* count("--users", values.users ?? "20", 100_000),
    entries: yield* count("--entries", values.entries ?? "500", 100_000),
    seed: values.seed ?? "englog",
    password: Redacted.make(password)
  } satisfies SeedArguments
})

const flags = { users: { type: "string" }, entries: { type: "string" }, seed: { type: "string" }, password: { type: "string" } } as const

const count = (flag: string, text: string, most: number) =>
  /^[1-9]\d{0,6}$/.test(text) && Number(text) <= most
    ? Effect.succeed(Number(text))
    : Effect.fail(new SeedUsageError({ message: `${flag}: must be a whole number from 1 to ${most}, not ${JSON.stringify(text)}` }))

export const seedUsage = `npm run seed -- [options]

Fills the database of this configuration (DATABASE_URL, or the embedded one in DATA_DIR) with engineers who have worked for years:
seeded-0001@example.com and so on, each with four projects. Accounts that exist already stay as they are.

  --users N      how many engineers (default 20)
  --entries N    log entries of each, the newest yesterday (default 500)
  --seed TEXT    of the random numbers (default "englog"): the same seed, the same histories
  --password P   of all of them (default "seeded work history")
`
