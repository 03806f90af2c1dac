/**
 * Tasks that wait for other tasks. Whoever is waited for has its queue row marked, so that its end takes the path that looks for
 * those that wait; all others stay on the fast one.
 */
import type { OrganizationId, TaskId } from "@englog/domain/Ids"
import { numberOf } from "@englog/domain/tasks/TaskNumber"
import { Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { int8s, texts } from "./Columns.ts"

/** A task cannot wait for that one. `unknown`: there is none in this organization. `ended`: it ended without being completed. */
export class DependencyProblem extends Schema.TaggedError<DependencyProblem>()("DependencyProblem", {
  reason: Schema.Literals(["unknown", "ended"]),
  message: Schema.String
}) {}

/**
 * Inside the transaction that inserts the task: marks what it waits for and answers how many of those are still open.
 * `whateverEnd`: it goes on however they end; else it is cancelled where one of them does not complete.
 */
export const link = Effect.fn("TaskDependencies.link")(function*(
  sql: SqlClient.SqlClient,
  organization_id: OrganizationId,
  number: bigint,
  after: ReadonlyArray<TaskId>,
  whateverEnd: boolean
) {
  const wanted = [...new Set(after)]
  const numbers = wanted.flatMap((task_id) => numberOf(task_id) ?? [])
  // In the order of their numbers, so that two submissions never wait for each other.
  yield* sql`SELECT id FROM task_queue WHERE id = ANY (${int8s(numbers)}) ORDER BY id FOR UPDATE`
  const found = yield* sql<{ id: bigint; task_id: TaskId; outcome: string | null }>`
    SELECT id, task_id, outcome FROM tasks
    WHERE id = ANY (${int8s(numbers)}) AND task_id = ANY (${texts(wanted)}) AND organization_id = ${organization_id}::uuid`
  const missing = wanted.filter((task_id) => !found.some((row) => row.task_id === task_id))
  if (missing.length > 0) {
    return yield* new DependencyProblem({ reason: "unknown", message: `after: there is no task ${missing.join(", ")}` })
  }
  const broken = found.filter(({ outcome }) => outcome !== null && outcome !== "completed")
  if (broken.length > 0 && !whateverEnd) {
    const what = broken.map(({ outcome, task_id }) => `${task_id} (${outcome})`).join(", ")
    return yield* new DependencyProblem({ reason: "ended", message: `after: will never complete: ${what}` })
  }
  const open = found.filter(({ outcome }) => outcome === null).map(({ id }) => id)
  if (open.length > 0) {
    yield* sql`UPDATE task_queue SET dependents = true WHERE id = ANY (${int8s(open)}) AND NOT dependents`
    yield* sql`
      INSERT INTO task_dependencies (task, waits_for, whatever_end) SELECT ${number}::int8, id, ${whateverEnd}::bool FROM unnest(${int8s(open)}) AS o (id)`
  }
  return open.length
})

/**
 * Inside the transaction that ends a task: those that waited for nothing else go on, where it did not complete only those that
 * wait for whatever end. Answers the limit keys they ask for.
 */
export const release = Effect.fn("TaskDependencies.release")(function*(sql: SqlClient.SqlClient, number: bigint, completed: boolean) {
  const rows = yield* sql<{ limit_key: string | null; organization_id: OrganizationId }>`
    WITH d AS (DELETE FROM task_dependencies WHERE waits_for = ${number}::int8 AND (${completed}::bool OR whatever_end) RETURNING task)
    UPDATE task_queue q SET pending_tasks = q.pending_tasks - 1,
      waits_for = CASE WHEN q.pending_tasks > 1 THEN 'tasks' WHEN q.run_at > clock_timestamp() THEN 'time' WHEN q.limit_key IS NOT NULL THEN 'limit' END
    FROM d WHERE q.id = d.task
    RETURNING CASE WHEN q.waits_for = 'limit' THEN q.limit_key END AS limit_key, q.organization_id`
  return rows.flatMap(({ limit_key, organization_id }) => limit_key === null ? [] : [{ limit_key, organization_id }])
})

/** Who waits in vain for a task that will never complete. */
export const bereft = Effect.fn("TaskDependencies.bereft")(function*(sql: SqlClient.SqlClient, number: bigint) {
  const rows = yield* sql<{ task_id: TaskId }>`
    WITH d AS (DELETE FROM task_dependencies WHERE waits_for = ${number}::int8 RETURNING task)
    SELECT t.task_id FROM d JOIN tasks t ON t.id = d.task WHERE t.outcome IS NULL ORDER BY t.id`
  return rows.map(({ task_id }) => task_id)
})
