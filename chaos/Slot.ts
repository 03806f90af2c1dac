/**
 * A place in the cluster that one process at a time fills: started, ended, started again. A process that ends without
 * having been told to is started again as well, and remembered: nothing that happens in a run excuses it.
 */
import { ProgramError, type RunningProgram } from "@englog/e2e/RunningProgram"
import { Deferred, Effect, Exit, Ref, Schedule, Scope, Semaphore } from "effect"

export interface Slot {
  readonly name: string
  readonly signal: (name: NodeJS.Signals) => Effect.Effect<void>
  /** Answers when it has said that it is up; tries again where it ends before, as a process manager does. */
  readonly start: Effect.Effect<void, ProgramError>
  /** Prepares, ends what runs, and starts it again after `between`. Two of them wait for each other, preparations included. */
  readonly restart: (name: "SIGTERM" | "SIGKILL", between: Effect.Effect<void>, before?: Effect.Effect<void>) => Effect.Effect<void, ProgramError>
  readonly lines: Effect.Effect<ReadonlyArray<string>>
  /** A sentence for each process that ended by itself. */
  readonly accidents: Effect.Effect<ReadonlyArray<string>>
}

interface Running {
  readonly program: RunningProgram
  readonly scope: Scope.Closeable
  /** Done when it is to end. */
  readonly told: Deferred.Deferred<void>
}

/** While its database is away, on a machine that is busy. */
const STARTS = 5

export const make = Effect.fnUntraced(function*(
  name: string,
  launch: Effect.Effect<RunningProgram, ProgramError, Scope.Scope>
): Effect.fn.Return<Slot, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const none: Running | undefined = undefined
  const current = yield* Ref.make<Running | undefined>(none)
  const earlier = yield* Ref.make<ReadonlyArray<string>>([])
  const oneAtATime = yield* Semaphore.make(1)
  const accidents = yield* Ref.make<ReadonlyArray<string>>([])

  const start: Slot["start"] = Effect.gen(function*() {
    const own = yield* Scope.fork(scope)
    const program = yield* launch.pipe(Scope.provide(own), Effect.onError(() => Scope.close(own, Exit.void)))
    const running: Running = { program, scope: own, told: yield* Deferred.make<void>() }
    yield* Ref.set(current, running)
    yield* Effect.forkIn(watch(running), scope)
  }).pipe(Effect.retry({ times: STARTS - 1, schedule: Schedule.spaced("1 second") }))

  const watch = Effect.fnUntraced(function*({ program, told }: Running) {
    const code = yield* program.exit
    yield* Ref.update(earlier, (before) => [...before, ...program.lines])
    if (yield* Deferred.isDone(told)) return
    const said = program.lines.slice(-3).join(" | ").slice(0, 600)
    yield* Ref.update(accidents, (before) => [...before, `${name} ended by itself with ${code}: ${said}`])
    yield* Effect.ignore(start)
  })

  const end = Effect.fnUntraced(function*(signal: "SIGTERM" | "SIGKILL") {
    const running = yield* Ref.getAndSet(current, undefined)
    if (running === undefined) return
    yield* Deferred.succeed(running.told, undefined)
    yield* running.program.end(signal)
    yield* Scope.close(running.scope, Exit.void)
  })

  return {
    name,
    signal: (signal) => Effect.flatMap(Ref.get(current), (running) => running?.program.signal(signal) ?? Effect.void),
    start,
    restart: (signal, between, before = Effect.void) =>
      oneAtATime.withPermits(1)(before.pipe(Effect.andThen(end(signal)), Effect.andThen(between), Effect.andThen(start))),
    lines: Effect.gen(function*() {
      const running = yield* Ref.get(current)
      return [...yield* Ref.get(earlier), ...running?.program.lines ?? []]
    }),
    accidents: Ref.get(accidents)
  }
})
