/** Roll-ups of days in PostgreSQL, and the entries that they are made of. Every method joins a transaction that is open. */
import { DayRollup } from "@englog/domain/analytics/DayRollup"
import { ActivityType, ImpactLevel, ValueRating } from "@englog/domain/entries/LogEntry"
import { type OrganizationId, ProjectId, UserId } from "@englog/domain/Ids"
import { localPeriod, type Period } from "@englog/domain/users/LocalDays"
import { Context, DateTime, Effect, Layer, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

/** Entries of somebody that start in a period: of one of these projects, or of any. */
export interface Span extends Period {
  readonly user_id: UserId
  readonly project_id: ProjectId | null
}

const SpannedEntry = Schema.Struct({
  user_id: UserId,
  /** Milliseconds since 1970. */
  start: Schema.Finite,
  duration_minutes: Schema.Int,
  type: ActivityType,
  value_rating: ValueRating,
  impact_level: ImpactLevel,
  project_id: Schema.NullOr(ProjectId)
})
export type SpannedEntry = typeof SpannedEntry.Type

/** What a member of a team shares of their entries on one of its projects, and the zone of their days. */
const Share = Schema.Struct({
  user_id: UserId,
  timezone: Schema.String,
  project_id: ProjectId,
  since: Schema.NullOr(Schema.DateTimeUtcFromDate)
})
export type Share = typeof Share.Type

const Stored = Schema.Struct({ user_id: UserId, date: Schema.String, projects: Schema.fromJsonString(DayRollup.fields.projects) })
export type Stored = typeof Stored.Type

interface Days {
  readonly first: string
  readonly last: string
}

export class RollupRepo extends Context.Service<RollupRepo, {
  /** Those that are right: computed for the zone that is asked for, and of the entries as they are. In the order of days. */
  readonly right: (owners: ReadonlyArray<{ readonly id: UserId; readonly timezone: string }>, days: Days) => Effect.Effect<ReadonlyArray<Stored>, SqlError>
  /** Days before `first` whose roll-up is not right any more, the newest `limit`. */
  readonly stale: (user: UserId, first: string, limit: number) => Effect.Effect<ReadonlyArray<string>, SqlError>
  /** Entries that have ended, in the order of their starts. */
  readonly entries: (spans: ReadonlyArray<Span>) => Effect.Effect<ReadonlyArray<SpannedEntry>, SqlError>
  /**
   * Keeps everybody from writing entries of the user until the transaction ends; none of those writes is under way. False
   * where one is.
   */
  readonly lock: (user: UserId) => Effect.Effect<boolean, SqlError>
  /** Under that lock, of entries that were read under it. */
  readonly store: (user: UserId, timezone: string, rollups: ReadonlyArray<DayRollup>) => Effect.Effect<void, SqlError>
  readonly shares: (team: OrganizationId) => Effect.Effect<ReadonlyArray<Share>, SqlError>
  readonly isTeam: (organization: OrganizationId) => Effect.Effect<boolean, SqlError>
  /** Another text once the user's entries in the period are others. */
  readonly version: (user: UserId, period: Period) => Effect.Effect<string, SqlError>
}>()("@englog/api/analytics/RollupRepo") {
  static readonly layer: Layer.Layer<RollupRepo, never, SqlClient.SqlClient> = Layer.effect(
    RollupRepo,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const isStale = sql`EXISTS (SELECT 1 FROM entry_marks s WHERE s.user_id = r.user_id AND s.day = r.day)`

      const tryLock = Effect.fnUntraced(function*(user: UserId) {
        const rows = yield* sql`SELECT pg_try_advisory_xact_lock(7365, hashtext(${user}::text)) AS locked`
        return (yield* Effect.orDie(decodeLocked(rows)))[0].locked
      })

      return RollupRepo.of({
        right: Effect.fn("RollupRepo.right")(function*(owners, { first, last }) {
          const rows = yield* sql`
            SELECT r.user_id, to_char(r.day, 'YYYY-MM-DD') AS date, r.projects::text AS projects
            FROM jsonb_to_recordset(${JSON.stringify(owners.map(({ id, timezone }) => ({ id, timezone })))}::jsonb) AS o (id uuid, timezone text)
            JOIN day_rollups r ON r.user_id = o.id AND r.timezone = o.timezone
            WHERE r.day BETWEEN ${first}::text::date AND ${last}::text::date AND NOT ${isStale}
            ORDER BY r.day`
          return yield* Effect.orDie(decodeStored(rows))
        }),
        stale: Effect.fn("RollupRepo.stale")(function*(user, first, limit) {
          const rows = yield* sql`
            SELECT to_char(r.day, 'YYYY-MM-DD') AS date FROM day_rollups r JOIN users u ON u.id = r.user_id
            WHERE r.user_id = ${user} AND r.day < ${first}::text::date AND (u.timezone <> r.timezone OR ${isStale})
            ORDER BY r.day DESC LIMIT ${limit}::int`
          return (yield* Effect.orDie(decodeDates(rows))).map(({ date }) => date)
        }),
        entries: Effect.fn("RollupRepo.entries")(function*(spans) {
          const rows = yield* sql`
            SELECT e.user_id, (extract(epoch FROM e.start_time) * 1000)::float8 AS start, e.duration_minutes, e.type::text AS type,
              e.value_rating::text AS value_rating, e.impact_level::text AS impact_level, e.project_id
            FROM jsonb_to_recordset(${JSON.stringify(spans.map(toRow))}::jsonb) AS x (user_id uuid, project_id uuid, lower timestamptz, upper timestamptz)
            JOIN log_entries e ON e.user_id = x.user_id AND e.start_time >= x.lower AND e.start_time < x.upper AND e.duration_minutes IS NOT NULL
              AND (x.project_id IS NULL OR e.project_id = x.project_id)
            ORDER BY e.start_time, e.id`
          return yield* Effect.orDie(decodeEntries(rows))
        }),
        lock: Effect.fn("RollupRepo.lock")(function*(user) {
          // Those who store wait for one another; nobody waits for them but writers, and they for no writer.
          yield* sql`SELECT pg_advisory_xact_lock(7366, hashtext(${user}::text))`
          // Of a transaction that ends, the one lock may go a moment before the other.
          return yield* Effect.repeat(tryLock(user), { until: (locked) => locked, schedule: Schedule.spaced(PAUSE), times: TRIES })
        }),
        store: Effect.fn("RollupRepo.store")(function*(user, timezone, rollups) {
          const rows = JSON.stringify(rollups.map(({ date, projects }) => ({ date, projects, ...limitsOf(localPeriod(date, date, timezone)) })))
          yield* sql`
            INSERT INTO day_rollups (user_id, day, timezone, starts_at, ends_at, projects)
            SELECT u.id, x.date, ${timezone}::text, x.lower, x.upper, x.projects
            FROM jsonb_to_recordset(${rows}::jsonb) AS x (date date, lower timestamptz, upper timestamptz, projects jsonb)
            JOIN users u ON u.id = ${user}
            ON CONFLICT (user_id, day) DO UPDATE SET timezone = excluded.timezone, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
              projects = excluded.projects, computed_at = now()`
          const ofDays = sql`
            user_id = ${user} AND day IN (SELECT d::date FROM jsonb_array_elements_text(${JSON.stringify(rollups.map(({ date }) => date))}::jsonb) AS d)`
          yield* sql`DELETE FROM entry_marks WHERE ${ofDays} AND measured`
          // The metrics have not read it yet.
          yield* sql`UPDATE entry_marks SET day = NULL WHERE ${ofDays}`
        }),
        shares: Effect.fn("RollupRepo.shares")(function*(team) {
          const rows = yield* sql`
            SELECT s.user_id, u.timezone, s.project_id, s.since FROM project_shares s JOIN users u ON u.id = s.user_id
            WHERE s.organization_id = ${team} ORDER BY s.user_id, s.project_id`
          return yield* Effect.orDie(decodeShares(rows))
        }),
        isTeam: Effect.fn("RollupRepo.isTeam")(function*(organization) {
          return (yield* sql`SELECT 1 AS one FROM organizations WHERE id = ${organization} AND personal_of IS NULL`).length > 0
        }),
        version: Effect.fn("RollupRepo.version")(function*(user, { from, to }) {
          const rows = yield* sql`
            SELECT count(*) || '.' || count(e.project_id) || '.' || coalesce(extract(epoch FROM max(e.updated_at)) * 1000000, 0)::bigint AS version
            FROM log_entries e WHERE e.user_id = ${user} AND e.start_time >= ${DateTime.toDateUtc(from)} AND e.start_time < ${DateTime.toDateUtc(to)}`
          return (yield* Effect.orDie(decodeVersion(rows)))[0].version
        })
      })
    })
  )
}

/** Between two looks for the lock that writers share, and how many more there are. */
const PAUSE = "10 millis"
const TRIES = 10

const limitsOf = ({ from, to }: Period) => ({ lower: DateTime.formatIso(from), upper: DateTime.formatIso(to) })

const toRow = ({ project_id, user_id, ...period }: Span) => ({ user_id, project_id, ...limitsOf(period) })

const decodeStored = Schema.decodeUnknownEffect(Schema.Array(Stored))
const decodeDates = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ date: Schema.String })))
const decodeEntries = Schema.decodeUnknownEffect(Schema.Array(SpannedEntry))
const decodeLocked = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ locked: Schema.Boolean })]))
const decodeShares = Schema.decodeUnknownEffect(Schema.Array(Share))
const decodeVersion = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ version: Schema.String })]))
