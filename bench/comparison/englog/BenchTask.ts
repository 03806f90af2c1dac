/** The kind of task that the comparison submits: as small as the jobs of the others. */
import * as TaskKind from "@englog/domain/tasks/TaskKind"
import { Priority } from "@englog/domain/tasks/TaskPolicy"
import { Schema } from "effect"

const HOUR = 3_600_000

export const BenchTask = TaskKind.make({
  kind: "BENCH",
  payload: Schema.Struct({ n: Schema.Int, ms: Schema.Int }),
  result: Schema.Null,
  policy: {
    queue: "default",
    priority: Priority.make(5),
    attempt_timeout: HOUR,
    deadline: 24 * HOUR,
    retry: { max_retries: 3, base_delay: 60_000, backoff_factor: 2, max_delay: HOUR }
  }
})
