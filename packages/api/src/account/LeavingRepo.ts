/**
 * How an account goes, in PostgreSQL (docs/decisions/0028). Every method belongs into one transaction of its caller.
 *
 * Nothing is overwritten: whoever anonymizes copies what may stay to an account that is nobody's, column by column, and then
 * deletes. What is not named here, a column of tomorrow included, therefore goes.
 */
import { OrganizationId, TaskId, UserId } from "@englog/domain/Ids"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

/** An account that is to go, locked. */
export interface Leaving {
  readonly user_id: UserId
  readonly organization_id: OrganizationId
}

/** Whom the entries belong to from now on; nobody can log in there. */
export interface Nobody extends Leaving {
  readonly email: string
  readonly password_hash: string
}

export interface PlannedDeletion {
  readonly requested_at: DateTime.Utc
  readonly delete_after: DateTime.Utc
}

export class LeavingRepo extends Context.Service<LeavingRepo, {
  readonly lock: (user: UserId) => Effect.Effect<Option.Option<Leaving>, SqlError>
  /** Projects of shared organizations get another administrator, if need be one who becomes it; organizations without anybody else go. */
  readonly handOver: (leaving: Leaving) => Effect.Effect<void, SqlError>
  /** The audit log goes on with `pseudonym` in the place of every id. */
  readonly disown: (leaving: Leaving, pseudonym: UserId) => Effect.Effect<void, SqlError>
  /** Open tasks of others that wait for tasks of this account. */
  readonly tasksLeftWaiting: (leaving: Leaving) => Effect.Effect<ReadonlyArray<TaskId>, SqlError>
  readonly copyFigures: (leaving: Leaving, to: Nobody) => Effect.Effect<void, SqlError>
  readonly remove: (leaving: Leaving) => Effect.Effect<void, SqlError>
  readonly schedule: (user: UserId, delete_after: DateTime.Utc) => Effect.Effect<Option.Option<PlannedDeletion>, SqlError>
  readonly scheduled: (user: UserId) => Effect.Effect<Option.Option<PlannedDeletion>, SqlError>
  readonly unschedule: (user: UserId) => Effect.Effect<boolean, SqlError>
  /** The account whose deletion has been due longest, leaving out these; locked, so that nobody undoes it meanwhile. */
  readonly lockDue: (except: ReadonlyArray<UserId>) => Effect.Effect<Option.Option<UserId>, SqlError>
}>()("@englog/api/account/LeavingRepo") {
  static readonly layer = Layer.effect(
    LeavingRepo,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const planned = (rows: ReadonlyArray<unknown>) =>
        rows[0] === undefined ? Effect.succeedNone : Effect.asSome(Effect.orDie(decodePlanned(rows[0])))

      return LeavingRepo.of({
        lock: Effect.fn("LeavingRepo.lock")(function*(user) {
          const rows = yield* sql`
            SELECT u.id AS user_id, o.id AS organization_id FROM users u JOIN organizations o ON o.personal_of = u.id
            WHERE u.id = ${user} FOR UPDATE`
          return rows[0] === undefined ? Option.none() : Option.some(yield* Effect.orDie(decodeLeaving(rows[0])))
        }),

        handOver: Effect.fn("LeavingRepo.handOver")(function*({ organization_id, user_id }) {
          yield* sql`
            DELETE FROM organizations o WHERE o.personal_of IS NULL
              AND EXISTS (SELECT 1 FROM organization_members m WHERE m.organization_id = o.id AND m.user_id = ${user_id})
              AND NOT EXISTS (SELECT 1 FROM organization_members m WHERE m.organization_id = o.id AND m.user_id <> ${user_id})`
          // A team is never without an administrator: who has been there longest becomes one.
          yield* sql`
            UPDATE organization_members h SET role = 'admin'
            FROM (
              SELECT DISTINCT ON (m.organization_id) m.organization_id, m.user_id
              FROM organization_members m JOIN organizations o ON o.id = m.organization_id AND o.personal_of IS NULL
              WHERE m.user_id <> ${user_id}
                AND EXISTS (SELECT 1 FROM organization_members l WHERE l.organization_id = m.organization_id AND l.user_id = ${user_id})
                AND NOT EXISTS (SELECT 1 FROM organization_members a WHERE a.organization_id = m.organization_id AND a.user_id <> ${user_id} AND a.role IN ('owner', 'admin'))
              ORDER BY m.organization_id, m.joined_at, m.user_id
            ) heir
            WHERE h.organization_id = heir.organization_id AND h.user_id = heir.user_id`
          yield* sql`
            UPDATE projects p SET updated_at = now(), created_by = (
              SELECT m.user_id FROM organization_members m
              WHERE m.organization_id = p.organization_id AND m.user_id <> ${user_id} AND m.role IN ('owner', 'admin')
              ORDER BY m.role DESC, m.joined_at, m.user_id LIMIT 1)
            WHERE p.created_by = ${user_id} AND p.organization_id <> ${organization_id}`
        }),

        disown: Effect.fn("LeavingRepo.disown")(function*({ organization_id, user_id }, pseudonym) {
          yield* sql`UPDATE security_events SET user_id = ${pseudonym} WHERE user_id = ${user_id}`
          // Details name ids, and ids of tasks have the user's in them.
          yield* sql`
            UPDATE security_events
            SET detail = replace(replace(detail::text, ${user_id}::text, ${pseudonym}::text), ${organization_id}::text, ${pseudonym}::text)::jsonb
            WHERE detail::text LIKE '%' || ${user_id}::text || '%' OR detail::text LIKE '%' || ${organization_id}::text || '%'`
        }),

        tasksLeftWaiting: Effect.fn("LeavingRepo.tasksLeftWaiting")(function*({ organization_id, user_id }) {
          const rows = yield* sql`
            SELECT DISTINCT t.task_id FROM task_queue q JOIN tasks own ON own.id = q.id
            JOIN task_dependencies d ON d.waits_for = q.id JOIN tasks t ON t.id = d.task
            WHERE q.dependents AND own.user_id = ${user_id}
              AND t.outcome IS NULL AND t.user_id <> ${user_id} AND t.organization_id <> ${organization_id}`
          return (yield* Effect.orDie(decodeWaiting(rows))).map(({ task_id }) => task_id)
        }),

        copyFigures: Effect.fn("LeavingRepo.copyFigures")(function*({ organization_id, user_id }, nobody) {
          yield* sql`
            INSERT INTO users (id, email, password_hash, first_name, last_name, preferences)
            VALUES (${nobody.user_id}, ${nobody.email}, ${nobody.password_hash}, 'Anonymous', 'User', '{"privacy": "anonymized"}')`
          yield* sql`
            INSERT INTO organizations (id, name, personal_of) VALUES (${nobody.organization_id}, 'Anonymous User', ${nobody.user_id})`
          yield* sql`
            INSERT INTO organization_members (organization_id, user_id, role) VALUES (${nobody.organization_id}, ${nobody.user_id}, 'owner')`
          // New ids throughout: an id that somebody knows leads nowhere. An entry in a shared project goes on counting there.
          yield* sql`
            WITH own AS MATERIALIZED (
              SELECT id, gen_random_uuid() AS copy, row_number() OVER (ORDER BY created_at, id) AS number, status
              FROM projects WHERE organization_id = ${organization_id}
            ), projects_copied AS (
              INSERT INTO projects (id, organization_id, name, status, created_by)
              SELECT copy, ${nobody.organization_id}::uuid, 'Project ' || number, status, ${nobody.user_id}::uuid FROM own
            ), entries AS MATERIALIZED (
              SELECT e.id, gen_random_uuid() AS copy, coalesce(own.copy, e.project_id) AS project_id, e.type, e.start_time, e.end_time,
                e.value_rating, e.impact_level
              FROM log_entries e LEFT JOIN own ON own.id = e.project_id WHERE e.user_id = ${user_id}
            ), entries_copied AS (
              INSERT INTO log_entries (id, user_id, project_id, title, type, start_time, end_time, value_rating, impact_level)
              SELECT copy, ${nobody.user_id}::uuid, project_id, 'Anonymized', type, start_time, end_time, value_rating, impact_level FROM entries
            )
            INSERT INTO log_entry_tags (log_entry_id, tag_id, position)
            SELECT entries.copy, et.tag_id, et.position FROM entries JOIN log_entry_tags et ON et.log_entry_id = entries.id
            JOIN tags t ON t.id = et.tag_id AND t.user_id IS NULL`
        }),

        remove: Effect.fn("LeavingRepo.remove")(function*({ organization_id, user_id }) {
          // Most of what there is: in portions, so that no statement takes longer than one may.
          const portion = sql`
            DELETE FROM log_entries WHERE id IN (SELECT id FROM log_entries WHERE user_id = ${user_id} LIMIT ${PORTION}::int) RETURNING id`
          yield* Effect.repeat(portion, { until: (rows) => rows.length < PORTION })
          const chunks = sql`
            DELETE FROM document_chunks WHERE id IN (SELECT id FROM document_chunks WHERE organization_id = ${organization_id} LIMIT ${PORTION}::int) RETURNING id`
          yield* Effect.repeat(chunks, { until: (rows) => rows.length < PORTION })
          const uploads = sql`
            DELETE FROM document_uploads WHERE id IN (
              SELECT id FROM document_uploads WHERE organization_id = ${organization_id} OR user_id = ${user_id} LIMIT ${UPLOADS}::int) RETURNING id`
          yield* Effect.repeat(uploads, { until: (rows) => rows.length < UPLOADS })
          yield* sql`DELETE FROM users WHERE id = ${user_id}`
        }),

        schedule: Effect.fn("LeavingRepo.schedule")(function*(user, delete_after) {
          return yield* planned(yield* sql`
            INSERT INTO scheduled_deletions (user_id, delete_after) SELECT id, ${DateTime.toDateUtc(delete_after)} FROM users WHERE id = ${user}
            ON CONFLICT (user_id) DO UPDATE SET delete_after = excluded.delete_after, requested_at = now()
            RETURNING requested_at, delete_after`)
        }),
        scheduled: Effect.fn("LeavingRepo.scheduled")(function*(user) {
          return yield* planned(yield* sql`SELECT requested_at, delete_after FROM scheduled_deletions WHERE user_id = ${user}`)
        }),
        unschedule: Effect.fn("LeavingRepo.unschedule")((user) =>
          Effect.map(sql`DELETE FROM scheduled_deletions WHERE user_id = ${user} RETURNING user_id`, (rows) => rows.length > 0)),
        lockDue: Effect.fn("LeavingRepo.lockDue")(function*(except) {
          const rows = yield* sql`
            SELECT user_id FROM scheduled_deletions
            WHERE delete_after <= now() AND NOT user_id = ANY (ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(except)}::jsonb)::uuid))
            ORDER BY delete_after, user_id LIMIT 1 FOR UPDATE SKIP LOCKED`
          return rows[0] === undefined ? Option.none() : Option.some((yield* Effect.orDie(decodeDue(rows[0]))).user_id)
        })
      })
    })
  )
}

const PORTION = 5_000
/** Up to 1 GiB. */
const UPLOADS = 20

const decodeLeaving = Schema.decodeUnknownEffect(Schema.Struct({ user_id: UserId, organization_id: OrganizationId }))
const decodeDue = Schema.decodeUnknownEffect(Schema.Struct({ user_id: UserId }))
const decodePlanned = Schema.decodeUnknownEffect(
  Schema.Struct({ requested_at: Schema.DateTimeUtcFromDate, delete_after: Schema.DateTimeUtcFromDate })
)
const decodeWaiting = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ task_id: TaskId })))
