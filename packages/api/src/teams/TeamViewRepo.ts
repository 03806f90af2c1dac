/**
 * What a team sees of its members' work: entries on the team's projects, of members who share them, from the moment on that they
 * chose. Days are each author's own; their limits are given for every zone of theirs.
 */
import { ActivityType, ImpactLevel, ValueRating } from "@englog/domain/entries/LogEntry"
import { EntryId, type OrganizationId, ProjectId, UserId } from "@englog/domain/Ids"
import { hoursOf } from "@englog/domain/projects/ProjectStats"
import { SharedEntry, TeamStats } from "@englog/domain/teams/Team"
import { addDays, startOfLocalDay } from "@englog/domain/users/LocalDays"
import type { TeamStatsQuery } from "@englog/rpc/http/TeamsApi"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import type { Cursor } from "../http/Cursor.ts"

export interface ListedShared extends Cursor {
  readonly entry: SharedEntry
}

export class TeamViewRepo extends Context.Service<TeamViewRepo, {
  /** Newest first, at most `limit`; of members who share at the level `entries`. */
  readonly entries: (
    team: OrganizationId,
    filter: TeamStatsQuery,
    after: Option.Option<Cursor>,
    limit: number
  ) => Effect.Effect<ReadonlyArray<ListedShared>, SqlError>
  readonly stats: (team: OrganizationId, filter: TeamStatsQuery) => Effect.Effect<TeamStats, SqlError>
}>()("@englog/api/teams/TeamViewRepo") {
  static readonly layer: Layer.Layer<TeamViewRepo, never, SqlClient.SqlClient> = Layer.effect(
    TeamViewRepo,
    Effect.map(SqlClient.SqlClient, (sql) => {
      /** `FROM … WHERE …` of what is shared and fits the filter. */
      const shared = Effect.fnUntraced(function*(team: OrganizationId, { end_date, project_id, start_date, type, user_id }: TeamStatsQuery) {
        const conditions = [
          Option.map(Option.fromUndefinedOr(user_id), (user) => sql`s.user_id = ${user}`),
          Option.map(Option.fromUndefinedOr(project_id), (project) => sql`s.project_id = ${project}`),
          Option.map(Option.fromUndefinedOr(type), (type) => sql`e.type = ${type}`)
        ].flatMap(Option.toArray)
        const zones = yield* Effect.orDie(decodeZones(yield* sql`
          SELECT DISTINCT u.timezone FROM project_shares s JOIN users u ON u.id = s.user_id WHERE s.organization_id = ${team}`))
        const limits = JSON.stringify(zones.map(({ timezone }) => ({
          timezone,
          lower: start_date === undefined ? null : DateTime.formatIso(startOfLocalDay(start_date, timezone)),
          upper: end_date === undefined ? null : DateTime.formatIso(startOfLocalDay(addDays(end_date, 1), timezone))
        })))
        return sql`
          FROM project_shares s JOIN users u ON u.id = s.user_id
          JOIN jsonb_to_recordset(${limits}::jsonb) AS z (timezone text, lower timestamptz, upper timestamptz) ON z.timezone = u.timezone
          JOIN log_entries e ON e.user_id = s.user_id AND e.project_id = s.project_id AND e.start_time >= coalesce(s.since, '-infinity')
            AND e.start_time >= coalesce(z.lower, '-infinity') AND e.start_time < coalesce(z.upper, 'infinity')
          WHERE ${sql.and([sql`s.organization_id = ${team}`, ...conditions])}`
      })

      return TeamViewRepo.of({
        entries: Effect.fn("TeamViewRepo.entries")(function*(team, filter, after, limit) {
          const place = Option.match(after, {
            onNone: () => sql``,
            onSome: ({ id, micros }) =>
              sql`AND (e.start_time, e.id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`
          })
          const rows = yield* sql`
            SELECT e.id, e.user_id, e.project_id, e.title, e.type::text AS type,
              ARRAY(
                SELECT t.name::text FROM log_entry_tags et JOIN tags t ON t.id = et.tag_id WHERE et.log_entry_id = e.id ORDER BY et.position
              ) AS tags,
              e.start_time, e.end_time, e.duration_minutes, e.value_rating::text AS value_rating, e.impact_level::text AS impact_level,
              (EXTRACT(EPOCH FROM e.start_time) * 1000000)::bigint::text AS micros
            ${yield* shared(team, filter)} AND s.level = 'entries' ${place}
            ORDER BY e.start_time DESC, e.id DESC LIMIT ${limit}`
          return (yield* Effect.orDie(decodeEntries(rows))).map(({ micros, ...row }) => ({ entry: new SharedEntry(row), micros, id: row.id }))
        }),
        stats: Effect.fn("TeamViewRepo.stats")(function*(team, filter) {
          const rows = yield* sql`
            SELECT e.user_id, e.project_id, e.type::text AS type, count(*)::int AS entries, coalesce(sum(e.duration_minutes), 0)::float8 AS minutes
            ${yield* shared(team, filter)}
            GROUP BY GROUPING SETS ((), (e.user_id), (e.project_id), (e.type)) ORDER BY minutes DESC, e.user_id, e.project_id, e.type`
          const groups = yield* Effect.orDie(decodeGroups(rows))
          const total = groups.find(({ project_id, type, user_id }) => (user_id ?? project_id ?? type) === null)
          return new TeamStats({
            team_id: team,
            ...sumsOf(total ?? { entries: 0, minutes: 0 }),
            by_member: groups.flatMap((group) => group.user_id === null ? [] : [{ user_id: group.user_id, ...sumsOf(group) }]),
            by_project: groups.flatMap((group) => group.project_id === null ? [] : [{ project_id: group.project_id, ...sumsOf(group) }]),
            by_type: groups.flatMap((group) => group.type === null ? [] : [{ type: group.type, ...sumsOf(group) }])
          })
        })
      })
    })
  )
}

const sumsOf = ({ entries, minutes }: { readonly entries: number; readonly minutes: number }) => ({ entries, minutes, hours: hoursOf(minutes) })

const decodeZones = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ timezone: Schema.String })))
const decodeGroups = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  user_id: Schema.NullOr(UserId),
  project_id: Schema.NullOr(ProjectId),
  type: Schema.NullOr(ActivityType),
  entries: Schema.Int,
  minutes: Schema.Int
})))
const decodeEntries = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  id: EntryId,
  user_id: UserId,
  project_id: ProjectId,
  title: Schema.String,
  type: ActivityType,
  tags: Schema.Array(Schema.String),
  start_time: Schema.DateTimeUtcFromDate,
  end_time: Schema.DateTimeUtcFromDate,
  duration_minutes: Schema.Int,
  value_rating: ValueRating,
  impact_level: ImpactLevel,
  micros: Schema.String
})))
