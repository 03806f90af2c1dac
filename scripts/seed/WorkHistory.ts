/**
 * An engineer's working days, made up: on weekdays a stand-up and then work until the evening, with what it was about, in words
 * that recur as often as words do. Drawn from Effect's `Random`, so that a seed decides all of it.
 */
import type { ActivityType, ImpactLevel, ValueRating } from "@englog/domain/entries/LogEntry"
import type { ProjectId } from "@englog/domain/Ids"
import { addDays, startOfLocalDay } from "@englog/domain/users/LocalDays"
import type { EntryPayload } from "@englog/rpc/http/EntryPayload"
import { DateTime, Effect, Random } from "effect"

export interface Engineer {
  readonly timezone: string
  readonly projects: ReadonlyArray<ProjectId>
  /** YYYY-MM-DD, local: the last day that is worked on. */
  readonly last_day: string
}

/** `count` entries that have ended, the newest day first. */
export const workHistory = Effect.fnUntraced(function*(engineer: Engineer, count: number) {
  const entries: Array<EntryPayload> = []
  for (let back = 0; entries.length < count; back += 1) {
    const day = addDays(engineer.last_day, -back)
    if (!isWeekend(day)) entries.push(...(yield* workingDay(engineer, day)))
  }
  return entries.slice(0, count)
})

const workingDay = Effect.fnUntraced(function*({ projects, timezone }: Engineer, day: string) {
  const midnight = startOfLocalDay(day, timezone)
  const at = (minute: number) => DateTime.add(midnight, { minutes: minute })
  let minute = yield* Random.nextIntBetween(8 * 60, 10 * 60)
  const evening = minute + (yield* Random.nextIntBetween(7 * 60, 9 * 60))
  const entries: Array<EntryPayload> = [
    entry({ title: "Team stand-up", description: null, type: "meeting", tags: ["communication"], start: at(minute), end: at(minute + 15) })
  ]
  minute += 15
  while (minute < evening) {
    const minutes = yield* Random.nextIntBetween(25, 150)
    const work = yield* piece
    const project_id = projects[yield* Random.nextIntBetween(0, projects.length)] ?? null
    entries.push({ ...entry({ ...work, start: at(minute), end: at(minute + minutes) }), project_id })
    minute += minutes + (yield* Random.nextIntBetween(0, 30))
  }
  return entries
})

interface Piece {
  readonly title: string
  readonly description: string | null
  readonly type: ActivityType
  readonly tags: ReadonlyArray<string>
  readonly value_rating?: ValueRating
  readonly impact_level?: ImpactLevel
}

const entry = ({ description, end, impact_level = "team", start, tags, title, type, value_rating = "medium" }: Piece & {
  readonly start: DateTime.Utc
  readonly end: DateTime.Utc
}): EntryPayload => ({ title, description, type, tags, start_time: start, end_time: end, value_rating, impact_level })

const piece = Effect.gen(function*() {
  const type = yield* oneOf(types)
  const [verb, part, thing] = [yield* oneOf(verbs[type]), yield* oneOf(parts), yield* oneOf(things)]
  const described = yield* Effect.replicateEffect(oneOf(sentences), yield* Random.nextIntBetween(0, 4))
  const tags = yield* Effect.replicateEffect(oneOf(tagNames), yield* Random.nextIntBetween(0, 4))
  return {
    title: `${verb} ${thing} of the ${part}`,
    description: described.length === 0 ? null : described.map((sentence) => sentence.replace("%", part)).join(" "),
    type,
    tags: [...new Set(tags)],
    value_rating: yield* oneOf(["low", "medium", "medium", "high"] as const),
    impact_level: yield* oneOf(["personal", "team", "team", "product", "company"] as const)
  } satisfies Piece
})

const oneOf = <A>(all: readonly [A, ...ReadonlyArray<A>]): Effect.Effect<A> =>
  Effect.map(Random.nextIntBetween(0, all.length), (index) => all[index] ?? all[0])

const isWeekend = (day: string): boolean => [0, 6].includes(DateTime.toPartsUtc(DateTime.makeUnsafe(`${day}T00:00:00Z`)).weekDay)

/** As often as they stand here. */
const types = [
  "code", "code", "code", "code", "debug", "debug", "review", "review", "meeting", "docs", "planning", "learning", "ops", "mentoring", "admin"
] as const satisfies ReadonlyArray<ActivityType>

const verbs = {
  code: ["Implement", "Refactor", "Test", "Simplify"],
  debug: ["Fix", "Track down a flaw in", "Reproduce a failure in"],
  review: ["Review", "Comment on", "Approve"],
  meeting: ["Discuss", "Agree on", "Present"],
  docs: ["Document", "Draw a picture of", "Write the decision record on"],
  planning: ["Plan", "Estimate", "Split up"],
  learning: ["Read about", "Try out", "Measure"],
  ops: ["Deploy", "Watch", "Roll back"],
  mentoring: ["Explain", "Pair on", "Answer questions about"],
  admin: ["File", "Renew", "Order"]
} as const satisfies Record<ActivityType, readonly [string, ...ReadonlyArray<string>]>

const parts = [
  "billing service", "payment webhooks", "search index", "login page", "mobile client", "reporting pipeline", "message broker", "scheduler",
  "user directory", "export job", "rate limiter", "audit log", "customer portal", "image cache", "release tooling", "test bench"
] as const

const things = [
  "retries", "the schema", "error messages", "time zones", "pagination", "idempotency", "back-pressure", "certificates", "migrations", "metrics",
  "tracing", "permissions", "the cache", "timeouts", "load tests", "encryption", "the queue", "feature flags", "alerts", "a memory leak"
] as const

const sentences = [
  "It took longer than planned because the % had no test for it.", "The change to the % is behind a flag until Monday.",
  "Measured before and after; the % answers in half the time.", "Found that the % kept connections open.",
  "Wrote down for the team how the % is deployed.", "The customer confirmed that the % does what they need.",
  "Left a note for the next sprint about the %.", "Two edge cases of the % remain, both with a ticket."
] as const

const tagNames = [
  "backend", "frontend", "database", "security", "performance", "technical-design", "bug-fix", "customer", "on-call", "cross-team", "testing", "observability"
] as const
