/**
 * `npm run bench:product -- --users 200 --entries 5000 [--plans FILE]`: the list of entries by every filter and order, and the analytics,
 * over a seeded database of that size, as its users see them: milliseconds from request to answer, one request at a time, eight
 * people in turns. Also `POST /v1/logs/bulk` with a thousand new entries. `--plans` writes what PostgreSQL did for each question.
 */
import { DateTime, Effect, FileSystem } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { Installation } from "@englog/e2e/Installation"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { distribution, note, percentile, report, rounded, timed } from "./Figures.ts"
import { answered, seededPassword, seededPerson } from "./product/AskPeople.ts"
import { plansOf } from "./product/Plans.ts"
import { questions } from "./product/Questions.ts"
import { runBench } from "./runBench.ts"

const PEOPLE = 8
const ROUNDS = 25
const BULKS = 9
const BULK_TARGET_MS = 500

const { values: flags } = parseArgs({ options: { users: { type: "string" }, entries: { type: "string" }, plans: { type: "string" } } })
const size = { users: Number(flags.users ?? 200), entries: Number(flags.entries ?? 5_000) }

const seeded = (dataDir: string) =>
  Effect.flatMap(ChildProcessSpawner.ChildProcessSpawner, (spawner) => spawner.exitCode(ChildProcess.make("node", [
    "--disable-warning=ExperimentalWarning", path.resolve(import.meta.dirname, "../scripts/seed.ts"),
    "--users", String(size.users), "--entries", String(size.entries), "--password", seededPassword
  ], { extendEnv: true, env: { DATA_DIR: dataDir, DATABASE_URL: "", REDIS_URL: "" }, stdout: "inherit", stderr: "inherit" }))).pipe(
    Effect.filterOrElse((code) => Number(code) === 0, (code) => Effect.die(new Error(`the seed script ended with ${code}`)))
  )

const thousand = (number: number) => ({
  operations: Array.from({ length: 1_000 }, (_, index) => ({
    action: "create",
    entry: {
      title: `Imported work package ${number}/${index}`,
      description: "One of a thousand that came in with one request.",
      type: "code",
      tags: ["imported"],
      start_time: `2020-01-${String(1 + index % 28).padStart(2, "0")}T09:00:00Z`,
      end_time: `2020-01-${String(1 + index % 28).padStart(2, "0")}T09:30:00Z`
    }
  }))
})

runBench(Effect.gen(function*() {
  const installation = yield* Installation
  yield* note(`seeding ${size.users} engineers with ${size.entries} entries each`)
  const seeding = yield* timed(seeded(installation.dataDir))
  const { url } = yield* installation.startApi()
  const numbers = Array.from({ length: Math.min(PEOPLE, size.users) }, (_, index) => 1 + index)
  const people = yield* Effect.forEach(numbers, (number) => seededPerson(url, number))
  const year = DateTime.formatIsoDateUtc(DateTime.subtract(yield* DateTime.now, { days: 370 }))
  const asked = people.map(({ cursor, project, token }) => ({ token, list: questions({ cursor, project, year }) }))
  const answers: Record<string, unknown> = {}
  const missed: Array<string> = []
  for (const [index, { name, target_p95_ms }] of (asked[0]?.list ?? []).entries()) {
    const times = yield* Effect.forEach(Array.from({ length: ROUNDS + 1 }, (_, round) => round), (round) =>
      Effect.forEach(asked, ({ list, token }) =>
        Effect.map(timed(answered("GET", url, list[index]?.path ?? "", { token })), ({ ms }) => ({ round, ms }))))
    // The first round is for what has to be read from disk once.
    const figures = distribution(times.flat().filter(({ round }) => round > 0).map(({ ms }) => ms))
    answers[name] = figures
    if (figures.p95_ms > target_p95_ms) missed.push(name)
    yield* note(`${name}: p50 ${figures.p50_ms}, p95 ${figures.p95_ms} ms (target ${target_p95_ms})`)
  }
  const bulks = yield* Effect.forEach(Array.from({ length: BULKS }, (_, number) => number), (number) =>
    Effect.map(timed(answered("POST", url, "/v1/logs/bulk", { token: people[0]?.token ?? "", body: thousand(number) })), ({ ms }) => ms))
  yield* note(`bulk of 1,000: median ${rounded(percentile(bulks, 0.5))} ms`)
  if (flags.plans !== undefined) {
    const plans = yield* plansOf(installation, url, asked[0]?.list ?? [], people[0]?.token ?? "")
    yield* FileSystem.FileSystem.use((fs) => fs.writeFileString(path.resolve(process.env["INIT_CWD"] ?? ".", flags.plans ?? ""), plans))
  }
  yield* report("product", {
    ...size,
    seed_s: Math.round(seeding.ms / 1_000),
    answers,
    bulk_1000_ms: { median: rounded(percentile(bulks, 0.5)), max: rounded(Math.max(...bulks)), target: BULK_TARGET_MS },
    missed: [...missed, ...percentile(bulks, 0.5) > BULK_TARGET_MS ? ["bulk of 1,000"] : []]
  })
}), "40 minutes")
