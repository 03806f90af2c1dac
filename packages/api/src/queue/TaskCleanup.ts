/**
 * Clears away the records of tasks that ended long ago, with their events and dead letters. In portions, each of its own
 * transaction and with a pause after it, so that nobody waits for a lock of it; two sweeps at once do no harm.
 */
import { firstNumberAt } from "@englog/domain/tasks/TaskNumber"
import { Clock, Context, Effect, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { type Age, EndedTaskRepo } from "./EndedTaskRepo.ts"

/** Failed ones include those that expired. */
export interface CleanupCounts {
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

export interface Sweep {
  readonly age: Age
  readonly dry_run?: boolean
}

export class TaskCleanup extends Context.Service<TaskCleanup, {
  /** Everything that is old enough. */
  readonly sweep: (sweep: Sweep) => Effect.Effect<CleanupCounts, SqlError>
  /** The oldest of it, as much as one transaction may hold, inside the caller's; `more` says whether there may be further ones. */
  readonly sweepSome: (sweep: Sweep) => Effect.Effect<CleanupCounts & { readonly more: boolean }, SqlError>
}>()("@englog/api/queue/TaskCleanup") {
  static readonly layer = Layer.effect(
    TaskCleanup,
    Effect.gen(function*() {
      const repo = yield* EndedTaskRepo

      const walk = Effect.fnUntraced(function*({ age, dry_run = false }: Sweep, most: number, pause: Effect.Effect<void>) {
        // A task ended after it was submitted.
        const below = firstNumberAt((yield* Clock.currentTimeMillis) + 1 - (age === "result_ttl" ? 0 : age * 1_000))
        const sum = { completed: 0, failed: 0, cancelled: 0, more: false }
        let after = "-1"
        while (true) {
          const portion = yield* repo.removePortion({ age, after, below, dry_run, size: PORTION })
          sum.completed += portion.completed
          sum.failed += portion.failed
          sum.cancelled += portion.cancelled
          if (portion.last === null) return sum
          after = portion.last
          if (sum.completed + sum.failed + sum.cancelled >= most) return { ...sum, more: true }
          yield* pause
        }
      })

      return TaskCleanup.of({
        sweep: Effect.fn("TaskCleanup.sweep")(function*(sweep) {
          const { cancelled, completed, failed } = yield* walk(sweep, Infinity, Effect.sleep(PAUSE))
          if (sweep.dry_run !== true && completed + failed + cancelled > 0) {
            yield* Effect.logInfo("removed the records of tasks that ended long ago").pipe(
              Effect.annotateLogs({ component: "queue", operation: "cleanup", completed, failed, cancelled })
            )
          }
          return { completed, failed, cancelled }
        }),
        sweepSome: Effect.fn("TaskCleanup.sweepSome")((sweep) => walk(sweep, MOST_AT_ONCE, Effect.void))
      })
    })
  ).pipe(Layer.provide(EndedTaskRepo.layer))
}

/** Tasks that one statement looks at. */
const PORTION = 2_000

/** Tasks that one transaction removes, give or take a portion. */
const MOST_AT_ONCE = 10_000

const PAUSE = "10 millis"
