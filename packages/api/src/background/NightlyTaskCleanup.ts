/** Clears away the records of tasks whose time is over, every night. */
import { Effect } from "effect"
import { TaskCleanup } from "../queue/TaskCleanup.ts"
import { nightly } from "../replicas/Nightly.ts"

export const NightlyTaskCleanup = nightly({
  name: "task-cleanup",
  minute: 30,
  what: "records of ended tasks",
  // The sweep tells itself how many.
  run: TaskCleanup.use((cleanup) => Effect.as(cleanup.sweep({ age: "result_ttl" }), 0))
})
