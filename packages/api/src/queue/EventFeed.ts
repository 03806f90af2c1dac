/**
 * A task's history as a stream: everything after a given number, then what happens from now on, until the task ends.
 * Readers take events from the database, so nothing that was committed is missed; wake-ups only say when to look. All who
 * follow one task here share one reader of it.
 */
import type { TaskId } from "@englog/domain/Ids"
import type { TaskEventRecord } from "@englog/domain/tasks/Task"
import { Cause, Context, Effect, Layer, RcMap, Ref, Stream } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { EventRepo } from "./EventRepo.ts"
import * as SharedHistory from "./SharedHistory.ts"
import { Wakeups } from "./Wakeups.ts"

export class EventFeed extends Context.Service<EventFeed, {
  readonly after: (task_id: TaskId, seq: number) => Effect.Effect<ReadonlyArray<TaskEventRecord>, SqlError>
  /** Ends after the task's last event, at once where that was seen already. Fails only when the database does. */
  readonly follow: (task_id: TaskId, afterSeq: number) => Stream.Stream<TaskEventRecord, SqlError>
}>()("@englog/api/queue/EventFeed") {
  static readonly layer = Layer.effect(
    EventFeed,
    Effect.gen(function*() {
      const repo = yield* EventRepo
      const wakeups = yield* Wakeups
      const histories = yield* RcMap.make({ lookup: (task_id: TaskId) => SharedHistory.make(task_id, repo, wakeups) })

      const follow = (task_id: TaskId, afterSeq: number) =>
        Stream.unwrap(Effect.gen(function*() {
          const history = yield* RcMap.get(histories, task_id)
          const seen = yield* Ref.make(afterSeq)
          const next = Ref.get(seen).pipe(
            Effect.flatMap(history.next),
            Effect.tap((page) => Ref.update(seen, (before) => page?.at(-1)?.seq ?? before)),
            // Whoever comes after a failure gets a reader that has not failed.
            Effect.tapCause((cause) => Cause.hasInterruptsOnly(cause) ? Effect.void : RcMap.invalidate(histories, task_id))
          )
          return Stream.fromEffectRepeat(next).pipe(
            Stream.takeWhile((page) => page !== undefined),
            Stream.flatMap((page) => Stream.fromIterable(page)),
            Stream.takeUntil((event) => isLast(event))
          )
        }))

      return EventFeed.of({
        after: (task_id, seq) => Effect.map(repo.read(task_id, seq), ({ events }) => events),
        follow
      })
    })
  ).pipe(Layer.provide(EventRepo.layer))
}

/** The event that ends a task's history. */
export const isLast = (event: TaskEventRecord): boolean =>
  event.type === "completed" || event.type === "failed" || event.type === "cancelled" || event.type === "expired"
