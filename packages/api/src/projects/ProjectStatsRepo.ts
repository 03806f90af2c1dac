/**
 * Figures of a project, computed by PostgreSQL from the entries that the asker may count: their own, and in a team's project
 * those of members who share them. Days and weeks are each author's own; their limits are given for every zone of theirs.
 */
import { ActivityType, ImpactLevel, ValueRating } from "@englog/domain/entries/LogEntry"
import type { ProjectId, UserId } from "@englog/domain/Ids"
import { hoursOf, ProjectStats } from "@englog/domain/projects/ProjectStats"
import { addDays, localDayOf, startOfLocalDay } from "@englog/domain/users/LocalDays"
import { mondayOf } from "@englog/domain/users/LocalWeeks"
import { Context, DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

/** Local days, both inclusive. */
export interface LocalPeriod {
  readonly start_date?: string
  readonly end_date?: string
}

export class ProjectStatsRepo extends Context.Service<ProjectStatsRepo, {
  readonly compute: (asker: UserId, project: ProjectId, period: LocalPeriod) => Effect.Effect<ProjectStats, SqlError>
}>()("@englog/api/projects/ProjectStatsRepo") {
  static readonly layer: Layer.Layer<ProjectStatsRepo, never, SqlClient.SqlClient> = Layer.effect(
    ProjectStatsRepo,
    Effect.map(SqlClient.SqlClient, (sql) => {
      /** Whose entries count, and since when. */
      const authors = (asker: UserId, project: ProjectId) => sql`
        SELECT u.id AS user_id, u.timezone, '-infinity'::timestamptz AS since FROM users u WHERE u.id = ${asker}
        UNION ALL
        SELECT u.id, u.timezone, coalesce(s.since, '-infinity') FROM project_shares s JOIN users u ON u.id = s.user_id
        WHERE s.project_id = ${project} AND s.user_id <> ${asker}`

      const compute = Effect.fn("ProjectStatsRepo.compute")(function*(asker: UserId, project: ProjectId, period: LocalPeriod) {
        const spans = yield* Effect.orDie(decodeSpans(yield* sql`
          SELECT a.timezone, min(e.start_time) AS first, max(e.start_time) AS last FROM (${authors(asker, project)}) a
          JOIN log_entries e ON e.user_id = a.user_id AND e.project_id = ${project} AND e.start_time >= a.since GROUP BY 1`))
        const zones = JSON.stringify(spans.map((span) => zoneOf(span, period)))
        const rows = yield* sql`
          WITH zones AS (
            SELECT z.timezone, z.lower, z.upper, z.first,
              ARRAY(SELECT w::timestamptz FROM jsonb_array_elements_text(z.weeks) WITH ORDINALITY AS w (w, n) ORDER BY n) AS weeks
            FROM jsonb_to_recordset(${zones}::jsonb) AS z (timezone text, lower timestamptz, upper timestamptz, first date, weeks jsonb)
          ), counted AS MATERIALIZED (
            SELECT e.user_id, e.type, e.value_rating, e.impact_level, e.duration_minutes, e.start_time,
              z.first + 7 * (width_bucket(e.start_time, z.weeks) - 1) AS week
            FROM (${authors(asker, project)}) a JOIN zones z ON z.timezone = a.timezone
            JOIN log_entries e ON e.user_id = a.user_id AND e.project_id = ${project} AND e.start_time >= a.since
              AND (z.lower IS NULL OR e.start_time >= z.lower) AND (z.upper IS NULL OR e.start_time < z.upper)
          )
          SELECT type::text, value_rating::text, impact_level::text, to_char(week, 'YYYY-MM-DD') AS week,
            count(*)::int AS entries, coalesce(sum(duration_minutes), 0)::float8 AS minutes, count(DISTINCT user_id)::int AS contributors,
            min(start_time) AS first, max(start_time) AS last
          FROM counted GROUP BY GROUPING SETS ((), (type), (value_rating), (impact_level), (week))
          ORDER BY week NULLS FIRST, minutes DESC, type, value_rating, impact_level`
        const groups = yield* Effect.orDie(decodeGroups(rows))
        const total = groups.find(({ impact_level, type, value_rating, week }) => (type ?? value_rating ?? impact_level ?? week) === null)
        return new ProjectStats({
          project_id: project,
          ...sumsOf(total ?? nothing),
          contributors: total?.contributors ?? 0,
          first_entry_at: total?.first ?? null,
          last_entry_at: total?.last ?? null,
          by_type: groups.flatMap((group) => group.type === null ? [] : [{ type: group.type, ...sumsOf(group) }]),
          by_value: groups.flatMap((group) => group.value_rating === null ? [] : [{ value_rating: group.value_rating, ...sumsOf(group) }]),
          by_impact: groups.flatMap((group) => group.impact_level === null ? [] : [{ impact_level: group.impact_level, ...sumsOf(group) }]),
          by_week: groups.flatMap((group) => group.week === null ? [] : [{ week: group.week, ...sumsOf(group) }])
        })
      })

      return ProjectStatsRepo.of({ compute })
    })
  )
}

const nothing = { entries: 0, minutes: 0 }

const sumsOf = ({ entries, minutes }: { readonly entries: number; readonly minutes: number }) => ({ entries, minutes, hours: hoursOf(minutes) })

/** The limits of the period and of all weeks between the first entry and the last, as instants of one zone. */
const zoneOf = ({ first, last, timezone }: typeof Span.Type, { end_date, start_date }: LocalPeriod) => {
  const monday = mondayOf(localDayOf(first, timezone))
  const weeks: Array<string> = []
  for (let day = monday; day <= localDayOf(last, timezone); day = addDays(day, 7)) weeks.push(DateTime.formatIso(startOfLocalDay(day, timezone)))
  return {
    timezone,
    lower: start_date === undefined ? null : DateTime.formatIso(startOfLocalDay(start_date, timezone)),
    upper: end_date === undefined ? null : DateTime.formatIso(startOfLocalDay(addDays(end_date, 1), timezone)),
    first: monday,
    weeks
  }
}

const Span = Schema.Struct({ timezone: Schema.String, first: Schema.DateTimeUtcFromDate, last: Schema.DateTimeUtcFromDate })
const decodeSpans = Schema.decodeUnknownEffect(Schema.Array(Span))

const decodeGroups = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  type: Schema.NullOr(ActivityType),
  value_rating: Schema.NullOr(ValueRating),
  impact_level: Schema.NullOr(ImpactLevel),
  week: Schema.NullOr(Schema.String),
  entries: Schema.Int,
  minutes: Schema.Int,
  contributors: Schema.Int,
  first: Schema.NullOr(Schema.DateTimeUtcFromDate),
  last: Schema.NullOr(Schema.DateTimeUtcFromDate)
})))
