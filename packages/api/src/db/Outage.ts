/**
 * Tells a PostgreSQL that cannot do its work at the moment from a statement that is wrong: the former passes, and whoever
 * asked may try again; the latter is our fault.
 */
import { Cause, Effect, Predicate, Schedule } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"

/**
 * `away`: unreachable, starting, stopping, without connections. `slow`: a statement took longer than it may. `full`: no space
 * left, so that nothing can be written. `contended`: a transaction lost against another and left nothing behind.
 */
export type Outage = "away" | "slow" | "full" | "contended"

/** SQLSTATE (PostgreSQL, Appendix A). */
const byCode: ReadonlyMap<string, Outage> = new Map([
  // Shut down by an administrator, crashed, starting or stopping, dropped, idle for too long, too many connections.
  ...["57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "53300"].map((code) => [code, "away"] as const),
  // Disk full; read-only, which the embedded database becomes before its disk is full.
  ...["53100", "25006"].map((code) => [code, "full"] as const)
])

const byReason: Readonly<Record<string, Outage>> = {
  ConnectionError: "away",
  StatementTimeoutError: "slow",
  DeadlockError: "contended",
  SerializationError: "contended",
  LockTimeoutError: "contended"
}

/** Undefined where it is no error of the database, or one that trying again does not cure. */
export const outageOf = (error: unknown): Outage | undefined =>
  isSqlError(error) ? byReason[error.reason._tag] ?? byCode.get(codeOf(error)) : undefined

/** Warns, but not of an outage: OutageWatch tells that once, and every loop and request would repeat it. */
export const warnUnlessOutage = <E>(message: string, cause: Cause.Cause<E>): Effect.Effect<void> => {
  const outage = outageOf(Cause.squash(cause))
  return outage === undefined || outage === "contended" ? Effect.logWarning(message, cause) : Effect.logDebug(message, cause)
}

/** For what a process has to ask while it starts: an outage that passes within half a minute is waited for. */
export const waitedOut = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(effect, {
    while: (error) => outageOf(error) !== undefined,
    schedule: Schedule.spaced("1 second").pipe(Schedule.upTo({ duration: "30 seconds" }))
  })

const codeOf = (error: SqlError): string =>
  "cause" in error.reason && Predicate.hasProperty(error.reason.cause, "code") ? String(error.reason.cause.code) : ""
