/**
 * Tells a PostgreSQL that is away (unreachable, starting, stopping, full) from a fault of ours. The former is answered with
 * 503 and `Retry-After`, the latter is a defect.
 */
import { ServiceUnavailable } from "@englog/rpc/http/HttpErrors"
import { Effect, Predicate } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"

/** SQLSTATE: shut down by an administrator, crashed, starting or stopping, dropped, too many connections. */
const away = new Set(["57P01", "57P02", "57P03", "57P04", "53300", "25006"])

/** The transaction lost against another and left nothing behind: the caller may simply try again. */
const lost = new Set(["DeadlockError", "SerializationError", "LockTimeoutError"])

const codeOf = (error: SqlError): string =>
  "cause" in error.reason && Predicate.hasProperty(error.reason.cause, "code") ? String(error.reason.cause.code) : ""

export const databaseOutage = (error: unknown): ServiceUnavailable | undefined => {
  if (!isSqlError(error)) return undefined
  return error.reason._tag === "ConnectionError" || lost.has(error.reason._tag) || away.has(codeOf(error))
    ? new ServiceUnavailable({ error: "the database does not answer at the moment; nothing was written", retry_after: 2 })
    : undefined
}

/** An absent database becomes `ServiceUnavailable`; any other database error is a defect. Other failures pass. */
export const orUnavailable = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catchIf(
    effect,
    (error): error is Extract<E, SqlError> => isSqlError(error),
    (error) => Effect.suspend(() => databaseOutage(error) ?? Effect.die(error))
  )
