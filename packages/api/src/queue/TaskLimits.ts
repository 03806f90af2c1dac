/**
 * Limits by key: how many tasks of an organization that name the same key run at once, and how closely they follow each other.
 *
 * A task asks for a permit before it becomes ready, not when it is claimed: so claims never step over tasks that may not run,
 * and no two replicas overshoot together, because permits are given under the lock of the key's row. A permit is held from then
 * until the attempt ends; a retry asks anew. Rates space out the times at which tasks become due.
 */
import type { OrganizationId } from "@englog/domain/Ids"
import type { TaskLimit } from "@englog/domain/tasks/Task"
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"

/** Inside the transaction that inserts the task: whether it has a permit at once, and how long (ms) it has to wait for its turn. */
export const reserve = Effect.fn("TaskLimits.reserve")(function*(
  sql: SqlClient.SqlClient,
  organization_id: OrganizationId,
  limit: TaskLimit,
  delay: number
) {
  const [turn] = yield* sql<{ wait: number }>`
    INSERT INTO task_limits AS l (organization_id, limit_key, max_running, interval_ms, next_at)
    VALUES (${organization_id}::uuid, ${limit.key}, ${limit.max_running}::int, ${limit.interval}::int,
      now() + (${delay}::float8 + coalesce(${limit.interval}::int, 0)) * interval '1 millisecond')
    ON CONFLICT (organization_id, limit_key) DO UPDATE SET max_running = excluded.max_running, interval_ms = excluded.interval_ms,
      next_at = CASE WHEN excluded.interval_ms IS NULL THEN l.next_at ELSE
        greatest(l.next_at, now() + ${delay}::float8 * interval '1 millisecond') + excluded.interval_ms * interval '1 millisecond' END
    RETURNING CASE WHEN interval_ms IS NULL THEN 0 ELSE
      greatest(0, extract(epoch FROM next_at - now()) * 1000 - interval_ms) END::float8 AS wait`
  const wait = Math.max(delay, Math.round(turn?.wait ?? 0))
  if (wait > 0) return { admitted: false, delay: wait }
  if (limit.max_running === null) return { admitted: true, delay: 0 }
  const [held] = yield* sql<{ n: number }>`
    SELECT count(*)::int AS n FROM task_queue
    WHERE organization_id = ${organization_id}::uuid AND limit_key = ${limit.key} AND admitted`
  return { admitted: (held?.n ?? 0) < limit.max_running, delay: 0 }
})

/** Gives what permits are free to those that wait for them, the most urgent and oldest first. Inside a transaction. */
export const admit = Effect.fn("TaskLimits.admit")(function*(sql: SqlClient.SqlClient, organization_id: OrganizationId, key: string) {
  const [limit] = yield* sql<{ max_running: number | null }>`
    SELECT max_running FROM task_limits WHERE organization_id = ${organization_id}::uuid AND limit_key = ${key} FOR UPDATE`
  const rows = yield* sql`
    UPDATE task_queue q SET admitted = true, waits_for = NULL
    FROM (
      SELECT id FROM task_queue WHERE organization_id = ${organization_id}::uuid AND limit_key = ${key} AND waits_for = 'limit'
      ORDER BY rank, id
      LIMIT (SELECT greatest(0, ${limit?.max_running ?? null}::int - count(*)) FROM task_queue
        WHERE organization_id = ${organization_id}::uuid AND limit_key = ${key} AND admitted)
      FOR UPDATE SKIP LOCKED
    ) c
    WHERE q.id = c.id RETURNING q.id`
  return rows.length
})
