/**
 * One reader of a task's history for all who follow it here. It reads what is new once per wake-up and keeps the newest events;
 * whoever is further behind reads pages of their own until they have caught up. So a slow reader delays nobody, and what is kept
 * in memory is bounded.
 */
import type { TaskId } from "@englog/domain/Ids"
import type { TaskEventRecord } from "@englog/domain/tasks/Task"
import { Deferred, Effect, Exit, Queue, Schedule, type Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { outageOf } from "../db/Outage.ts"
import { type EventRepo, type HistoryPage, PAGE } from "./EventRepo.ts"
import type { Wakeups } from "./Wakeups.ts"

/** Events kept for each task that is followed. */
export const KEPT = 1_000

/** Between two looks while the database is away. */
const RETRY = "1 second"

/** The safety net under the wake-ups. */
const POLL = "10 seconds"

export interface SharedHistory {
  /** Events after `seen`, as soon as there are some; undefined where none will come any more. */
  readonly next: (seen: number) => Effect.Effect<ReadonlyArray<TaskEventRecord> | undefined, SqlError>
}

const nothingMore = Effect.as(Effect.void, undefined)

interface State {
  /** Without gaps; the last of them has number `position`. */
  kept: ReadonlyArray<TaskEventRecord>
  position: number
  over: boolean
  failed: Exit.Exit<never, SqlError> | undefined
  /** Completed at the next change. */
  news: Deferred.Deferred<void>
}

/** Reads as long as the scope lives. It begins where the first of its readers does. */
export const make = Effect.fnUntraced(function*(
  task_id: TaskId,
  repo: EventRepo["Service"],
  wakeups: Wakeups["Service"]
): Effect.fn.Return<SharedHistory, never, Scope.Scope> {
  const state: State = { kept: [], position: 0, over: false, failed: undefined, news: yield* Deferred.make<void>() }
  const begin = yield* Deferred.make<number>()
  const wake = yield* wakeups.subscribe(`task:${task_id}`)

  // A reader waits out an outage: what it has not seen is still there afterwards.
  const read = (seq: number): Effect.Effect<HistoryPage, SqlError> =>
    repo.read(task_id, seq).pipe(Effect.retry({ while: (error) => outageOf(error) !== undefined, schedule: Schedule.spaced(RETRY) }))

  const tell = Effect.suspend(() => {
    const { news } = state
    state.news = Deferred.makeUnsafe<void>()
    return Deferred.succeed(news, undefined)
  })

  const look = Effect.gen(function*() {
    const { ended, events, last } = yield* read(state.position)
    const position = events.at(-1)?.seq ?? Math.min(state.position, last)
    // A history far longer than what is kept is not read to its end here.
    const jumps = last - position > KEPT
    state.kept = jumps ? [] : [...state.kept, ...events].slice(-KEPT)
    state.position = jumps ? last - KEPT : position
    state.over = ended && position >= last
    if (events.length > 0 || state.over || jumps) yield* tell
    if (!state.over && events.length < PAGE && !jumps) yield* Effect.timeoutOption(Queue.take(wake), POLL)
  })

  yield* Deferred.await(begin).pipe(
    Effect.tap((seq) => Effect.sync(() => void (state.position = seq))),
    Effect.andThen(Effect.repeat(look, { until: () => state.over })),
    Effect.onExit((exit) =>
      Exit.isSuccess(exit) ? Effect.void : Effect.andThen(Effect.sync(() => void (state.failed = Exit.failCause(exit.cause))), tell)),
    Effect.exit,
    Effect.forkScoped
  )

  const next: SharedHistory["next"] = (seen) =>
    Effect.suspend(() => {
      if (state.failed !== undefined) return state.failed
      if (seen < state.position) {
        const [first] = state.kept
        if (first !== undefined && first.seq <= seen + 1) return Effect.succeed(state.kept.filter(({ seq }) => seq > seen))
        return Effect.map(read(seen), ({ events }) => events.length === 0 ? undefined : events)
      }
      if (state.over) return nothingMore
      return Effect.andThen(Deferred.await(state.news), next(seen))
    })

  return { next: (seen) => Effect.andThen(Deferred.succeed(begin, seen), next(seen)) }
})
