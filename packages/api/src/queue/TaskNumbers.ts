/** Numbers for new tasks, made here without asking anybody; this process's place among those that make them comes from the database. */
import { type TaskId } from "@englog/domain/Ids"
import { makeTaskNumbers, numberOf, WRITERS } from "@englog/domain/tasks/TaskNumber"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { waitedOut } from "../db/Outage.ts"

export class TaskNumbers extends Context.Service<TaskNumbers, {
  /** The next one; `now` in milliseconds since 1970. */
  readonly next: (now: number) => bigint
}>()("@englog/api/queue/TaskNumbers") {
  static readonly layer = Layer.effect(
    TaskNumbers,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const [row] = yield* Effect.orDie(decodeWriter(yield* waitedOut(sql`SELECT nextval('task_number_writers')::int AS writer`)))
      return TaskNumbers.of({ next: makeTaskNumbers(row.writer % WRITERS) })
    })
  )
}

const decodeWriter = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ writer: Schema.Int })]))

/** SQL that finds the record `t` of a task by its public id: through the number in it, or as one of an earlier version. */
export const isTask = (sql: SqlClient.SqlClient, task_id: TaskId) => {
  const number = numberOf(task_id)
  return number === undefined
    ? sql`t.task_id = ${task_id} AND t.id < 1099511627776`
    : sql`t.id = ${number}::int8 AND t.task_id = ${task_id}`
}
