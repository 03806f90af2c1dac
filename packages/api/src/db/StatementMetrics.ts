/** Every statement and every wait for a connection, as metrics of this process. */
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Effect, Exit, Option } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"

const timed = <A, E, R>(effect: Effect.Effect<A, E, R>, record: (exit: Exit.Exit<A, E>, seconds: number) => Effect.Effect<void>) =>
  Effect.clockWith((clock) => {
    const began = clock.monotonicTimeNanosUnsafe()
    return Effect.onExit(effect, (exit) => record(exit, Number(clock.monotonicTimeNanosUnsafe() - began) / 1e9))
  })

export const statement = <A>(run: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> =>
  timed(run, (exit, seconds) =>
    Exit.isSuccess(exit)
      ? Metrics.statements.record({ outcome: "ok" }, seconds)
      : Effect.andThen(Metrics.statements.record({ outcome: "error" }, seconds), countFailure(exit)))

/** The wait for a free connection of the pool, or a new one. */
export const acquisition = <A, R>(acquire: Effect.Effect<A, SqlError, R>): Effect.Effect<A, SqlError, R> =>
  timed(acquire, (exit, seconds) =>
    Effect.andThen(Metrics.connectionWaits.record({}, seconds), Exit.isFailure(exit) ? countFailure(exit) : Effect.void))

/** The same where one effect waits for a connection and uses it: `begun` is to be called in between. What fails before is told to `failed`. */
export const loan = <A, E, R>(
  use: (begun: () => void) => Effect.Effect<A, E | SqlError, R>,
  failed: (error: SqlError) => Effect.Effect<void>
): Effect.Effect<A, E | SqlError, R> =>
  Effect.clockWith((clock) => {
    const began = clock.monotonicTimeNanosUnsafe()
    const elapsed = () => Number(clock.monotonicTimeNanosUnsafe() - began) / 1e9
    let waited: number | undefined
    return Effect.onExit(use(() => void (waited = elapsed())), (exit) => {
      const recorded = Metrics.connectionWaits.record({}, waited ?? elapsed())
      if (waited !== undefined || Exit.isSuccess(exit)) return recorded
      const error = Option.filter(Exit.findErrorOption(exit), isSqlError)
      return Effect.andThen(recorded, Effect.andThen(countFailure(exit), Option.match(error, { onNone: () => Effect.void, onSome: failed })))
    })
  })

const countFailure = (exit: Exit.Exit<unknown, unknown>) =>
  Option.match(Option.filter(Exit.findErrorOption(exit), isSqlError), {
    onNone: () => Effect.void,
    onSome: ({ reason }) => Metrics.databaseErrors.add({ reason: reason._tag })
  })
