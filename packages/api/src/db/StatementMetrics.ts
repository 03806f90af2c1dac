/** Every statement and every wait for a connection, as metrics of this process. */
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Effect, Exit, Option } from "effect"
import type { SqlError } from "effect/sql/SqlError"

const timed = <A, R>(effect: Effect.Effect<A, SqlError, R>, record: (exit: Exit.Exit<A, SqlError>, seconds: number) => Effect.Effect<void>) =>
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

const countFailure = (exit: Exit.Exit<unknown, SqlError>) =>
  Option.match(Exit.findErrorOption(exit), {
    onNone: () => Effect.void,
    onSome: ({ reason }) => Metrics.databaseErrors.add({ reason: reason._tag })
  })
