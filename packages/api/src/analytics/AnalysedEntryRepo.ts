/** Entries as far as analytics look at them: no text, so that nothing has to be decrypted, and thousands are read at once. */
import { ActivityType, ImpactLevel, ValueRating } from "@englog/domain/entries/LogEntry"
import { ProjectId, type UserId } from "@englog/domain/Ids"
import type { Period } from "@englog/domain/users/LocalDays"
import { Context, DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

const AnalysedEntry = Schema.Struct({
  /** Milliseconds since 1970. */
  start: Schema.Finite,
  duration_minutes: Schema.Int,
  type: ActivityType,
  value_rating: ValueRating,
  impact_level: ImpactLevel,
  project_id: Schema.NullOr(ProjectId),
  project_name: Schema.NullOr(Schema.String)
})
export type AnalysedEntry = typeof AnalysedEntry.Type

const TagAmount = Schema.Struct({ tag: Schema.String, minutes: Schema.Int, entries: Schema.Int })

export class AnalysedEntryRepo extends Context.Service<AnalysedEntryRepo, {
  /** Entries that start in the period and have ended, oldest first. */
  readonly inPeriod: (user: UserId, period: Period) => Effect.Effect<ReadonlyArray<AnalysedEntry>, SqlError>
  /** What their tags take, the largest first. */
  readonly tagsInPeriod: (user: UserId, period: Period) => Effect.Effect<ReadonlyArray<typeof TagAmount.Type>, SqlError>
  readonly totalInPeriod: (user: UserId, period: Period) => Effect.Effect<{ readonly minutes: number; readonly entries: number }, SqlError>
}>()("@englog/api/analytics/AnalysedEntryRepo") {
  static readonly layer = Layer.effect(
    AnalysedEntryRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const inside = (user: UserId, { from, to }: Period) =>
        sql`e.user_id = ${user} AND e.start_time >= ${DateTime.toDateUtc(from)} AND e.start_time < ${DateTime.toDateUtc(to)}
          AND e.duration_minutes IS NOT NULL`

      return AnalysedEntryRepo.of({
        inPeriod: Effect.fn("AnalysedEntryRepo.inPeriod")(function*(user, period) {
          const rows = yield* sql`
            SELECT (extract(epoch FROM e.start_time) * 1000)::float8 AS start, e.duration_minutes, e.type::text AS type,
              e.value_rating::text AS value_rating, e.impact_level::text AS impact_level, e.project_id, p.name AS project_name
            FROM log_entries e LEFT JOIN projects p ON p.id = e.project_id
            WHERE ${inside(user, period)} ORDER BY e.start_time, e.id`
          return yield* Effect.orDie(decodeEntries(rows))
        }),
        tagsInPeriod: Effect.fn("AnalysedEntryRepo.tagsInPeriod")(function*(user, period) {
          const rows = yield* sql`
            SELECT t.name AS tag, sum(e.duration_minutes)::int AS minutes, count(*)::int AS entries
            FROM log_entries e JOIN log_entry_tags et ON et.log_entry_id = e.id JOIN tags t ON t.id = et.tag_id
            WHERE ${inside(user, period)} GROUP BY t.name ORDER BY minutes DESC, t.name`
          return yield* Effect.orDie(decodeTags(rows))
        }),
        totalInPeriod: Effect.fn("AnalysedEntryRepo.totalInPeriod")(function*(user, period) {
          const rows = yield* sql`
            SELECT coalesce(sum(e.duration_minutes), 0)::int AS minutes, count(*)::int AS entries
            FROM log_entries e WHERE ${inside(user, period)}`
          return (yield* Effect.orDie(decodeTotal(rows)))[0]
        })
      })
    })
  )
}

const decodeEntries = Schema.decodeUnknownEffect(Schema.Array(AnalysedEntry))
const decodeTags = Schema.decodeUnknownEffect(Schema.Array(TagAmount))
const decodeTotal = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ minutes: Schema.Int, entries: Schema.Int })]))
