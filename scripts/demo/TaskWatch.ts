/**
 * A task's steps from the first to the last, over as many connections as it takes: a stream that is cut is resumed after
 * the last step that arrived.
 */
import type { TaskStep } from "@englog/rpc/http/TaskView"
import { Effect, Ref, Schedule, Stream } from "effect"
import { DemoError } from "./DemoError.ts"

/** Connections in a row that may bring nothing. */
const MAX_FRUITLESS = 20

export const isLast = (step: TaskStep): boolean =>
  step.type === "completed" || step.type === "failed" || step.type === "cancelled" || step.type === "expired"

/** `connect` opens the stream of the steps after number `seq`; how it ends does not matter, unless the last step was in it. */
export const watchTask = <E, R>(connect: (seq: number) => Stream.Stream<TaskStep, E, R>): Stream.Stream<TaskStep, DemoError, R> =>
  Stream.unwrap(Effect.gen(function*() {
    const seen = yield* Ref.make(0)
    const fruitless = yield* Ref.make(0)
    const connection = Stream.unwrap(Effect.gen(function*() {
      if ((yield* Ref.getAndUpdate(fruitless, (count) => count + 1)) >= MAX_FRUITLESS) {
        return Stream.fail(new DemoError({ message: "the stream of the task's progress broke and could not be resumed" }))
      }
      return connect(yield* Ref.get(seen)).pipe(
        // A broken connection ends like one that was closed: the next one takes over.
        Stream.catchCause(() => Stream.empty),
        Stream.tap((step) => Effect.andThen(Ref.set(seen, step.seq), Ref.set(fruitless, 0)))
      )
    }))
    return connection.pipe(Stream.repeat(Schedule.spaced("200 millis")), Stream.takeUntil(isLast))
  }))
