/** The metrics of users in PostgreSQL, and whose entries have changed since, as `entry_marks` tells it. Every method joins a transaction that is open. */
import { UserMetrics } from "@englog/domain/analytics/UserMetrics"
import { OrganizationId, UserId } from "@englog/domain/Ids"
import { UpdateUserMetrics } from "@englog/domain/tasks/UpdateUserMetrics"
import { ProductivityMetrics } from "@englog/domain/facts/Fact"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

const Stale = Schema.Struct({ user_id: UserId, organization_id: OrganizationId })

export type ComputedMetrics = Omit<UserMetrics, "stale" | "computed_at">

export class UserMetricsRepo extends Context.Service<UserMetricsRepo, {
  /** Up to `limit` users whose metrics are stale and whom no task refreshes; for the next hour they are somebody's. */
  readonly takeStale: (limit: number) => Effect.Effect<ReadonlyArray<typeof Stale.Type>, SqlError>
  /** There is no task for them after all. */
  readonly giveBack: (users: ReadonlyArray<UserId>) => Effect.Effect<void, SqlError>
  /** The marks are read, once all who are changing entries have committed. What is read afterwards has their changes, and nobody changes more until it is committed. */
  readonly begin: (user: UserId) => Effect.Effect<void, SqlError>
  /** Nothing where the user has gone. */
  readonly store: (user: UserId, computed: ComputedMetrics) => Effect.Effect<void, SqlError>
  readonly find: (user: UserId) => Effect.Effect<Option.Option<UserMetrics>, SqlError>
  readonly timezone: (user: UserId) => Effect.Effect<string, SqlError>
  /** Some worker that is connected takes such tasks. */
  readonly canBeRefreshed: Effect.Effect<boolean, SqlError>
}>()("@englog/api/analytics/UserMetricsRepo") {
  static readonly layer = Layer.effect(
    UserMetricsRepo,
    Effect.map(SqlClient.SqlClient, (sql) =>
      UserMetricsRepo.of({
        takeStale: Effect.fn("UserMetricsRepo.takeStale")(function*(limit) {
          const rows = yield* sql`
            WITH taken AS (
              INSERT INTO user_metrics AS u (user_id, submitted_until)
              SELECT e.user_id, now() + interval '1 hour' FROM entry_marks e LEFT JOIN user_metrics s ON s.user_id = e.user_id
              WHERE NOT e.measured AND (s.submitted_until IS NULL OR s.submitted_until < now())
              GROUP BY e.user_id ORDER BY min(e.marked_at) LIMIT ${limit}::int
              ON CONFLICT (user_id) DO UPDATE SET submitted_until = excluded.submitted_until WHERE u.submitted_until IS NULL OR u.submitted_until < now()
              RETURNING user_id)
            SELECT t.user_id, o.id AS organization_id FROM taken t JOIN organizations o ON o.personal_of = t.user_id`
          return yield* Effect.orDie(decodeStale(rows))
        }),
        giveBack: Effect.fn("UserMetricsRepo.giveBack")((users) =>
          Effect.asVoid(sql`
            UPDATE user_metrics SET submitted_until = NULL
            WHERE user_id IN (SELECT value::uuid FROM jsonb_array_elements_text(${JSON.stringify(users)}::jsonb))`)),
        begin: Effect.fn("UserMetricsRepo.begin")(function*(user) {
          yield* sql`SELECT pg_advisory_xact_lock(7365, hashtext(${user}::text))`
          // The day's roll-up may have to read the one that is left.
          yield* sql`
            DELETE FROM entry_marks m WHERE m.user_id = ${user} AND NOT m.measured AND (m.day IS NULL OR EXISTS (
              SELECT 1 FROM entry_marks o WHERE o.user_id = m.user_id AND o.day = m.day AND (o.measured OR o.id < m.id)))`
          yield* sql`UPDATE entry_marks SET measured = true WHERE user_id = ${user} AND NOT measured`
          yield* sql`UPDATE user_metrics SET submitted_until = NULL WHERE user_id = ${user}`
        }),
        store: Effect.fn("UserMetricsRepo.store")((user, { metrics, minutes, entries, period_end, period_start }) =>
          Effect.asVoid(sql`
            INSERT INTO user_metrics (user_id, period_start, period_end, minutes, entries, metrics, computed_at)
            SELECT id, ${period_start}::text::date, ${period_end}::text::date, ${minutes}::int, ${entries}::int,
              ${metrics === null ? null : JSON.stringify(metrics)}::text::jsonb, now() FROM users WHERE id = ${user}
            ON CONFLICT (user_id) DO UPDATE SET period_start = excluded.period_start, period_end = excluded.period_end, minutes = excluded.minutes,
              entries = excluded.entries, metrics = excluded.metrics, computed_at = excluded.computed_at`)),
        find: Effect.fn("UserMetricsRepo.find")(function*(user) {
          const rows = yield* sql`
            SELECT to_char(period_start, 'YYYY-MM-DD') AS period_start, to_char(period_end, 'YYYY-MM-DD') AS period_end, minutes, entries, metrics,
              computed_at, EXISTS (SELECT 1 FROM entry_marks m WHERE m.user_id = ${user} AND NOT m.measured) AS stale
            FROM user_metrics WHERE user_id = ${user} AND computed_at IS NOT NULL`
          return rows[0] === undefined ? Option.none() : Option.some(new UserMetrics(yield* Effect.orDie(decodeRow(rows[0]))))
        }),
        timezone: Effect.fn("UserMetricsRepo.timezone")(function*(user) {
          const rows = yield* sql`SELECT timezone FROM users WHERE id = ${user}`
          return rows[0] === undefined ? "UTC" : (yield* Effect.orDie(decodeZone(rows[0]))).timezone
        }),
        canBeRefreshed: Effect.map(
          sql`SELECT 1 FROM worker_sessions WHERE ended_at IS NULL AND ${UpdateUserMetrics.kind} = ANY (kinds) LIMIT 1`,
          (rows) => rows.length > 0
        ).pipe(Effect.withSpan("UserMetricsRepo.canBeRefreshed"))
      }))
  )
}

const decodeStale = Schema.decodeUnknownEffect(Schema.Array(Stale))
const decodeZone = Schema.decodeUnknownEffect(Schema.Struct({ timezone: Schema.String }))
const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  period_start: Schema.String,
  period_end: Schema.String,
  minutes: Schema.Int,
  entries: Schema.Int,
  metrics: Schema.NullOr(ProductivityMetrics),
  computed_at: Schema.DateTimeUtcFromDate,
  stale: Schema.Boolean
}))
