/** Writes made-up engineers through the same repositories as everybody's entries, encrypted and indexed like them. */
import { PasswordHasher } from "@englog/api/auth/PasswordHasher"
import { UserRepo } from "@englog/api/auth/UserRepo"
import { EntryRepo } from "@englog/api/entries/EntryRepo"
import { ProjectRepo } from "@englog/api/projects/ProjectRepo"
import { EntryId, OrganizationId, UserId } from "@englog/domain/Ids"
import { addDays, localDayOf } from "@englog/domain/users/LocalDays"
import { Clock, DateTime, Effect, Option, Random } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import type { SeedArguments } from "./SeedArguments.ts"
import { workHistory } from "./WorkHistory.ts"

export interface Seeded {
  readonly users: number
  readonly entries: number
  /** Accounts that were there already. */
  readonly skipped: number
  readonly seconds: number
}

export const emailOf = (number: number): string => `seeded-${String(number).padStart(4, "0")}@example.com`

export const seed = Effect.fn("seed")(function*(
  { entries, password, seed, users }: SeedArguments,
  progress: (line: string) => Effect.Effect<void>
) {
  const sql = yield* SqlClient.SqlClient
  const repo = yield* UserRepo
  const hasher = yield* PasswordHasher
  const began = yield* Clock.currentTimeMillis
  // One for all: they have one password.
  const password_hash = yield* hasher.hash(password)
  let skipped = 0
  for (let number = 1; number <= users; number += 1) {
    const email = emailOf(number)
    if (Option.isSome(yield* repo.findCredentials(email))) skipped += 1
    else yield* Random.withSeed(sql.withTransaction(engineer(number, email, password_hash, entries)), `${seed}/${number}`)
    if (number % 10 === 0) yield* progress(`${number} of ${users} engineers`)
  }
  // The planner knows what there is without waiting for autovacuum.
  yield* sql`ANALYZE`
  const seconds = ((yield* Clock.currentTimeMillis) - began) / 1_000
  return { users: users - skipped, entries: (users - skipped) * entries, skipped, seconds } satisfies Seeded
})

const engineer = Effect.fnUntraced(function*(number: number, email: string, password_hash: string, count: number) {
  const repo = yield* UserRepo
  const projects = yield* ProjectRepo
  const log = yield* EntryRepo
  const timezone = timezones[number % timezones.length] ?? "UTC"
  const [id, organization_id] = [UserId.make(randomUUID()), OrganizationId.make(randomUUID())]
  yield* repo.create({ id, organization_id, email, password_hash, first_name: "Seeded", last_name: `Engineer ${number}`, timezone })
  const made = yield* Effect.forEach(["Payments", "Search", "Platform", "Mobile"], (name) =>
    projects.insert(id, organization_id, { name, status: "active" }))
  const last_day = addDays(localDayOf(yield* DateTime.now, timezone), -1)
  const history = yield* workHistory({ timezone, projects: made.map(({ project }) => project.id), last_day }, count)
  const written = history.map((entry) => ({ id: EntryId.make(randomUUID()), entry }))
  for (let from = 0; from < written.length; from += PORTION) yield* log.insert(id, written.slice(from, from + PORTION))
})

/** Entries in one statement. */
const PORTION = 1_000

const timezones = [
  "Europe/Berlin", "America/New_York", "Asia/Tokyo", "America/Sao_Paulo", "Europe/Lisbon", "Asia/Kolkata", "Australia/Sydney", "UTC"
] as const
