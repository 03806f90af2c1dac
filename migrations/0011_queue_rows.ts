/**
 * A row of the queue without its record stops its lane: it is first in line, and nobody can be handed it. Such rows go, and no
 * removal of records leaves one behind. A foreign key would say the same at 10 to 14 µs per submitted task, which is more than
 * half of what the task costs in a bulk; these triggers cost removals alone.
 *
 * A record keeps the limit key that its row in the queue has, so that a replay of the task keeps to the limit.
 *
 * `forget_tasks` goes on to remove the row of the queue first, in the order in which the engine locks the two when a task ends.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`DELETE FROM task_queue q WHERE NOT EXISTS (SELECT 1 FROM tasks t WHERE t.id = q.id)`
  yield* sql`
    CREATE FUNCTION leave_queue_with_record() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        DELETE FROM task_queue WHERE id = ANY (ARRAY(SELECT id FROM gone));
        RETURN NULL;
      END $$`
  yield* sql`
    CREATE TRIGGER queue_rows_go_with_records AFTER DELETE ON tasks REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION leave_queue_with_record()`
  yield* sql`
    CREATE FUNCTION leave_queue_with_all_records() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        DELETE FROM task_queue;
        RETURN NULL;
      END $$`
  yield* sql`
    CREATE TRIGGER queue_rows_go_with_all_records AFTER TRUNCATE ON tasks
    FOR EACH STATEMENT EXECUTE FUNCTION leave_queue_with_all_records()`

  yield* sql`ALTER TABLE tasks ADD COLUMN limit_key text`
  yield* sql`UPDATE tasks t SET limit_key = q.limit_key FROM task_queue q WHERE q.id = t.id AND q.limit_key IS NOT NULL`
})
