/**
 * What PostgreSQL did for each question, as its own module `auto_explain` tells it: the statements that read entries, with actual
 * rows, times and buffers. Parameters are left out.
 */
import { PgClient } from "@effect/sql-pg"
import type { Installation } from "@englog/e2e/Installation"
import { Effect, FileSystem, Redacted, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import * as path from "node:path"
import { answered } from "./AskPeople.ts"
import type { Question } from "./Questions.ts"

export const plansOf = Effect.fnUntraced(function*(
  { dataDir, postgresUrl }: Installation["Service"],
  url: string,
  questions: ReadonlyArray<Question>,
  token: string
) {
  const database = PgClient.layer({ url: Redacted.make(yield* postgresUrl), maxConnections: 1 })
  yield* Effect.provide(explainFromNowOn, database)
  const log = path.join(dataDir, "postgres", "postgres.log")
  const sections: Array<string> = []
  for (const { name, path: asked } of questions) {
    // Once for the connection to be there again.
    yield* answered("GET", url, asked, { token }).pipe(Effect.retry({ schedule: Schedule.spaced("200 millis"), times: 20 }))
    const before = (yield* read(log)).length
    yield* answered("GET", url, asked, { token })
    const plans = yield* Effect.map(read(log), (text) => plansIn(text.slice(before))).pipe(
      Effect.repeat({ until: (found) => found.length > 0, schedule: Schedule.spaced("50 millis"), times: 100 })
    )
    sections.push(`## ${name}\n\n\`GET ${asked}\`\n\n${plans.map((plan) => `\`\`\`\n${plan}\n\`\`\``).join("\n\n")}\n`)
  }
  return sections.join("\n")
})

const read = (file: string) => FileSystem.FileSystem.use((fs) => fs.readFileString(file))

/** For connections that are opened from now on, the API's among them: those it has are ended. */
const explainFromNowOn = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`LOAD 'auto_explain'`
  for (const [name, value] of settings) yield* sql.unsafe(`ALTER SYSTEM SET ${name} = '${value}'`)
  yield* sql`SELECT pg_reload_conf()`
  yield* sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'englog-api'`
})

const settings = [
  ["session_preload_libraries", "auto_explain"],
  ["auto_explain.log_min_duration", "0"],
  ["auto_explain.log_analyze", "on"],
  ["auto_explain.log_buffers", "on"],
  ["auto_explain.log_parameter_max_length", "0"]
] as const

/** Entries of the log are lines of which only the first has no tab before it. */
const plansIn = (text: string): ReadonlyArray<string> =>
  text.split(/\n(?!\t)/).flatMap((entry) => {
    const [, duration, plan] = /duration: ([\d.]+) ms {2}plan:\n([^]*)/.exec(entry) ?? []
    return plan === undefined || !plan.includes("log_entries") ? [] : [`${duration} ms\n${plan.replaceAll(/^\t/gm, "").trimEnd()}`]
  })
