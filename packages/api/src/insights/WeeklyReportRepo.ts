/** Whose report is due, in SQL: many users at a time, each week of each user once. */
import { OrganizationId, UserId } from "@englog/domain/Ids"
import type { ReportWeek } from "@englog/domain/users/ReportWeek"
import { localPeriod } from "@englog/domain/users/LocalDays"
import { Context, DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

export interface ZoneWeek extends ReportWeek {
  readonly timezone: string
}

const Due = Schema.Struct({ user_id: UserId, organization_id: OrganizationId, start_date: Schema.String, end_date: Schema.String })

export class WeeklyReportRepo extends Context.Service<WeeklyReportRepo, {
  /** Those in which somebody lives. */
  readonly zones: Effect.Effect<ReadonlyArray<string>, SqlError>
  /**
   * Takes up to `limit` users whose report is due and has not been taken: who wants it, was here when it became due, and recorded
   * something in that week. Within a transaction; of two that take at the same time, neither gets what the other has.
   */
  readonly take: (weeks: ReadonlyArray<ZoneWeek>, limit: number) => Effect.Effect<ReadonlyArray<typeof Due.Type>, SqlError>
}>()("@englog/api/insights/WeeklyReportRepo") {
  static readonly layer = Layer.effect(
    WeeklyReportRepo,
    Effect.map(SqlClient.SqlClient, (sql) =>
      WeeklyReportRepo.of({
        zones: sql`SELECT DISTINCT timezone FROM users`.pipe(
          Effect.flatMap((rows) => Effect.orDie(decodeZones(rows))),
          Effect.map((rows) => rows.map(({ timezone }) => timezone)),
          Effect.withSpan("WeeklyReportRepo.zones")
        ),
        take: Effect.fn("WeeklyReportRepo.take")(function*(weeks, limit) {
          const rows = yield* sql`
            WITH z AS MATERIALIZED (
              SELECT * FROM jsonb_to_recordset(${JSON.stringify(weeks.map(recordOf))}::jsonb)
                AS z (timezone text, start_date date, end_date date, due timestamptz, first timestamptz, last timestamptz)
            ), due AS (
              SELECT u.id AS user_id, o.id AS organization_id, z.start_date, z.end_date
              FROM users u JOIN z ON z.timezone = u.timezone JOIN organizations o ON o.personal_of = u.id
              WHERE coalesce(u.preferences ->> 'weekly_report', 'true') = 'true' AND u.created_at < z.due
                AND NOT EXISTS (SELECT 1 FROM weekly_reports w WHERE w.user_id = u.id AND w.week = z.start_date)
                AND EXISTS (
                  SELECT 1 FROM log_entries e
                  WHERE e.user_id = u.id AND e.start_time >= z.first AND e.start_time < z.last AND e.duration_minutes IS NOT NULL
                )
              ORDER BY z.due, u.id LIMIT ${limit}::int
            ), taken AS (
              INSERT INTO weekly_reports (user_id, week) SELECT user_id, start_date FROM due ON CONFLICT DO NOTHING RETURNING user_id
            )
            SELECT due.user_id, due.organization_id, to_char(due.start_date, 'YYYY-MM-DD') AS start_date, to_char(due.end_date, 'YYYY-MM-DD') AS end_date
            FROM due JOIN taken ON taken.user_id = due.user_id`
          return yield* Effect.orDie(decodeDue(rows))
        })
      }))
  )
}

const recordOf = ({ due, end_date, start_date, timezone }: ZoneWeek) => {
  const { from, to } = localPeriod(start_date, end_date, timezone)
  return { timezone, start_date, end_date, due: DateTime.formatIso(due), first: DateTime.formatIso(from), last: DateTime.formatIso(to) }
}

const decodeZones = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ timezone: Schema.String })))
const decodeDue = Schema.decodeUnknownEffect(Schema.Array(Due))
