/**
 * Goals in PostgreSQL, their titles and descriptions encrypted, and what entries come to them. Every method joins a transaction
 * that is open.
 */
import { ActivityType } from "@englog/domain/entries/LogEntry"
import { GoalMeasure } from "@englog/domain/goals/Goal"
import type { Measured } from "@englog/domain/goals/Progress"
import { EntryId, GoalId, ProjectId, UserId } from "@englog/domain/Ids"
import type { Period } from "@englog/domain/users/LocalDays"
import type { GoalPayload } from "@englog/rpc/http/GoalsApi"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher } from "../crypto/FieldCipher.ts"
import { TagNameRepo } from "../tags/TagNameRepo.ts"

/** Local days that a goal's period has one of, both inclusive. */
export interface Overlapping {
  readonly first: string
  readonly last: string
}

/** All that is given must hold. */
export interface GoalFilter {
  readonly overlapping: Option.Option<Overlapping>
  readonly project_id: Option.Option<ProjectId>
  readonly after: Option.Option<{ readonly micros: string; readonly id: string }>
}

/** A part of a goal's period. */
export interface Span extends Period {
  readonly goal: GoalId
}

export class GoalRepo extends Context.Service<GoalRepo, {
  readonly transaction: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SqlError, R>
  readonly insert: (user: UserId, goal: GoalPayload) => Effect.Effect<StoredGoal, SqlError>
  /** None where the user has no such goal; likewise below. */
  readonly find: (user: UserId, id: GoalId) => Effect.Effect<Option.Option<StoredGoal>, SqlError>
  /** As it is until the transaction ends: nobody else changes it meanwhile. */
  readonly lock: (user: UserId, id: GoalId) => Effect.Effect<Option.Option<StoredGoal>, SqlError>
  /** Newest first, at most `limit`. */
  readonly list: (user: UserId, filter: GoalFilter, limit: number) => Effect.Effect<ReadonlyArray<StoredGoal>, SqlError>
  readonly count: (user: UserId) => Effect.Effect<number, SqlError>
  readonly update: (user: UserId, id: GoalId, goal: GoalPayload) => Effect.Effect<Option.Option<StoredGoal>, SqlError>
  readonly remove: (user: UserId, id: GoalId) => Effect.Effect<void, SqlError>
  /** What the goal's entries that start in each span come to, in the order of the spans. */
  readonly measure: (user: UserId, spans: ReadonlyArray<Span>) => Effect.Effect<ReadonlyArray<Measured>, SqlError>
  /** Which entries these are, oldest first. */
  readonly counted: (user: UserId, spans: ReadonlyArray<Span>) => Effect.Effect<ReadonlyArray<ReadonlyArray<EntryId>>, SqlError>
}>()("@englog/api/goals/GoalRepo") {
  static readonly layer: Layer.Layer<GoalRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    GoalRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher
      const names = yield* TagNameRepo

      const fromRow = Effect.fnUntraced(function*(raw: unknown) {
        const row = yield* decodeRow(raw)
        const description = row.description === null ? null : yield* cipher.decrypt(row.description, EncryptedColumn.goalDescription, row.id)
        return { ...row, title: yield* cipher.decrypt(row.title, EncryptedColumn.goalTitle, row.id), description }
      }, Effect.orDie)

      const select = Effect.fnUntraced(function*(user: UserId, where: Statement, more = sql``) {
        const rows = yield* sql`
          SELECT g.id, g.user_id, g.title, g.description, g.measure, g.target::float8 AS target, to_char(g.start_date, 'YYYY-MM-DD') AS start_date,
            to_char(g.end_date, 'YYYY-MM-DD') AS end_date, g.activity_types::text[] AS activity_types,
            CASE WHEN NOT g.any_tag THEN ARRAY(
              SELECT t.name::text FROM goal_tags gt JOIN tags t ON t.id = gt.tag_id WHERE gt.goal_id = g.id ORDER BY t.name
            ) END AS tags,
            CASE WHEN NOT g.any_project THEN ARRAY(
              SELECT gp.project_id::text FROM goal_projects gp WHERE gp.goal_id = g.id ORDER BY gp.project_id
            ) END AS project_ids,
            g.created_at, g.updated_at, (EXTRACT(EPOCH FROM g.created_at) * 1000000)::bigint::text AS micros
          FROM goals g WHERE g.user_id = ${user} AND ${where} ${more}`
        return yield* Effect.forEach(rows, fromRow)
      })
      const find = (user: UserId, id: GoalId) => Effect.map(select(user, sql`g.id = ${id}`), ([found]) => Option.fromUndefinedOr(found))

      const link = Effect.fnUntraced(function*(user: UserId, id: GoalId, { project_ids = null, tags = null }: GoalPayload) {
        if (tags !== null) {
          yield* names.ensure(user, tags)
          yield* sql`
            INSERT INTO goal_tags (goal_id, tag_id)
            SELECT ${id}::uuid, t.id FROM jsonb_array_elements_text(${JSON.stringify(tags)}::jsonb) AS n (name)
            JOIN tags t ON t.name = n.name AND (t.user_id IS NULL OR t.user_id = ${user}::uuid)`
        }
        if (project_ids !== null) {
          // One that was removed at this moment is left out, as if it had been removed a moment later.
          yield* sql`
            INSERT INTO goal_projects (goal_id, project_id)
            SELECT ${id}::uuid, p.id FROM projects p
            WHERE p.id IN (SELECT value::uuid FROM jsonb_array_elements_text(${JSON.stringify(project_ids)}::jsonb)) FOR KEY SHARE`
        }
      })
      const columns = Effect.fnUntraced(function*(id: GoalId, { activity_types = null, description = null, ...goal }: GoalPayload) {
        return {
          title: yield* cipher.encrypt(goal.title, EncryptedColumn.goalTitle, id),
          description: description === null ? null : yield* cipher.encrypt(description, EncryptedColumn.goalDescription, id),
          types: activity_types === null
            ? sql`NULL::activity_type[]`
            : sql`ARRAY(SELECT value::activity_type FROM jsonb_array_elements_text(${JSON.stringify(activity_types)}::jsonb))`,
          any_tag: goal.tags === undefined || goal.tags === null,
          any_project: goal.project_ids === undefined || goal.project_ids === null
        }
      })

      /** Spans `s` and the entries `e` that start in each and count for its goal; a running one counts nowhere. */
      const counting = (user: UserId, spans: ReadonlyArray<Span>) => {
        const limits = JSON.stringify(spans.map(({ from, goal, to }) => ({ goal, lower: DateTime.formatIso(from), upper: DateTime.formatIso(to) })))
        return sql`
          ROWS FROM (jsonb_to_recordset(${limits}::jsonb) AS (goal uuid, lower timestamptz, upper timestamptz)) WITH ORDINALITY
            AS s (goal, lower, upper, number)
          JOIN goals g ON g.id = s.goal AND g.user_id = ${user}
          LEFT JOIN log_entries e ON e.user_id = g.user_id AND e.start_time >= s.lower AND e.start_time < s.upper AND e.end_time IS NOT NULL
            AND (g.activity_types IS NULL OR e.type = ANY (g.activity_types))
            AND (g.any_project OR e.project_id IN (SELECT gp.project_id FROM goal_projects gp WHERE gp.goal_id = g.id))
            AND (g.any_tag OR EXISTS (
              SELECT 1 FROM log_entry_tags et JOIN goal_tags gt ON gt.tag_id = et.tag_id WHERE et.log_entry_id = e.id AND gt.goal_id = g.id))`
      }

      return GoalRepo.of({
        transaction: sql.withTransaction,
        insert: Effect.fn("GoalRepo.insert")((user, goal) =>
          sql.withTransaction(Effect.gen(function*() {
            const id = GoalId.make(randomUUID())
            const c = yield* columns(id, goal)
            yield* sql`
              INSERT INTO goals (id, user_id, title, description, measure, target, start_date, end_date, activity_types, any_tag, any_project)
              VALUES (${id}, ${user}, ${c.title}, ${c.description}, ${goal.measure}, ${goal.target}::float8::numeric, ${goal.start_date}::text::date,
                ${goal.end_date}::text::date, ${c.types}, ${c.any_tag}, ${c.any_project})`
            yield* link(user, id, goal)
            return yield* Effect.flatMap(find(user, id), Option.match({
              onNone: () => Effect.die(new Error("a goal vanished within its own transaction")),
              onSome: Effect.succeed
            }))
          }))
        ),
        find: Effect.fn("GoalRepo.find")(find),
        lock: Effect.fn("GoalRepo.lock")(function*(user, id) {
          // Not against those who refer to it: a merge of tags, which the goal's own tags wait for, links goals.
          yield* sql`SELECT 1 FROM goals WHERE id = ${id} AND user_id = ${user} FOR NO KEY UPDATE`
          return yield* find(user, id)
        }),
        list: Effect.fn("GoalRepo.list")((user, { after, overlapping, project_id }, limit) => {
          const conditions = [
            Option.map(overlapping, ({ first, last }) => sql`g.start_date <= ${last}::text::date AND g.end_date >= ${first}::text::date`),
            Option.map(project_id, (project) => sql`EXISTS (SELECT 1 FROM goal_projects gp WHERE gp.goal_id = g.id AND gp.project_id = ${project})`),
            Option.map(after, ({ id, micros }) =>
              sql`(g.created_at, g.id) < (timestamptz 'epoch' + ${micros}::text::bigint * interval '1 microsecond', ${id}::uuid)`)
          ].flatMap(Option.toArray)
          return select(user, sql.and([sql`TRUE`, ...conditions]), sql`ORDER BY g.created_at DESC, g.id DESC LIMIT ${limit}`)
        }),
        count: Effect.fn("GoalRepo.count")(function*(user) {
          const rows = yield* sql`SELECT count(*)::int AS count FROM goals WHERE user_id = ${user}`
          return (yield* Effect.orDie(decodeCount(rows[0]))).count
        }),
        update: Effect.fn("GoalRepo.update")((user, id, goal) =>
          sql.withTransaction(Effect.gen(function*() {
            const c = yield* columns(id, goal)
            const updated = yield* sql`
              UPDATE goals SET title = ${c.title}, description = ${c.description}, measure = ${goal.measure},
                target = ${goal.target}::float8::numeric, start_date = ${goal.start_date}::text::date, end_date = ${goal.end_date}::text::date,
                activity_types = ${c.types}, any_tag = ${c.any_tag}, any_project = ${c.any_project}, updated_at = now()
              WHERE id = ${id} AND user_id = ${user} RETURNING id`
            if (updated.length === 0) return Option.none()
            yield* sql`DELETE FROM goal_tags WHERE goal_id = ${id}`
            yield* sql`DELETE FROM goal_projects WHERE goal_id = ${id}`
            yield* link(user, id, goal)
            return yield* find(user, id)
          }))
        ),
        remove: Effect.fn("GoalRepo.remove")((user, id) =>
          Effect.asVoid(sql`DELETE FROM goals WHERE id = ${id} AND user_id = ${user}`)
        ),
        measure: Effect.fn("GoalRepo.measure")(function*(user, spans) {
          if (spans.length === 0) return []
          const rows = yield* sql`
            SELECT count(e.id)::int AS entries, coalesce(sum(e.duration_minutes), 0)::float8 AS minutes
            FROM ${counting(user, spans)} GROUP BY s.number ORDER BY s.number`
          return yield* Effect.orDie(decodeMeasured(rows))
        }),
        counted: Effect.fn("GoalRepo.counted")(function*(user, spans) {
          if (spans.length === 0) return []
          const rows = yield* sql`
            SELECT coalesce(array_agg(e.id::text ORDER BY e.start_time, e.id) FILTER (WHERE e.id IS NOT NULL), '{}') AS ids
            FROM ${counting(user, spans)} GROUP BY s.number ORDER BY s.number`
          return (yield* Effect.orDie(decodeCounted(rows))).map(({ ids }) => ids)
        })
      })
    })
  ).pipe(Layer.provide(TagNameRepo.layer))
}

type Statement = ReturnType<SqlClient.SqlClient["and"]>

const StoredGoal = Schema.Struct({
  id: GoalId,
  user_id: UserId,
  title: Schema.String,
  description: Schema.NullOr(Schema.String),
  measure: GoalMeasure,
  target: Schema.Finite,
  start_date: Schema.String,
  end_date: Schema.String,
  activity_types: Schema.NullOr(Schema.Array(ActivityType)),
  tags: Schema.NullOr(Schema.Array(Schema.String)),
  project_ids: Schema.NullOr(Schema.Array(ProjectId)),
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate,
  micros: Schema.String
})
export type StoredGoal = typeof StoredGoal.Type

const decodeRow = Schema.decodeUnknownEffect(StoredGoal)
const decodeCount = Schema.decodeUnknownEffect(Schema.Struct({ count: Schema.Int }))
const decodeCounted = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ ids: Schema.Array(EntryId) })))
const decodeMeasured = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ entries: Schema.Int, minutes: Schema.Int })))
