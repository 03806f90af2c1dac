/**
 * What a request is told while PostgreSQL cannot do its work: 503 and `Retry-After`. Any other database error is a defect.
 */
import { ServiceUnavailable } from "@englog/rpc/http/HttpErrors"
import { Effect } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { type Outage, outageOf } from "../../db/Outage.ts"

/** A connection may break between a commit and its answer, so none of them says that nothing was written. */
const sentences: Readonly<Record<Outage, string>> = {
  away: "the database does not answer at the moment; try again",
  slow: "the database is too slow at the moment; try again",
  full: "the database's disk is full: nothing can be written until there is space again; what is stored can be read",
  contended: "somebody else changed the same at the same time; try again"
}

export const databaseOutage = (error: unknown): ServiceUnavailable | undefined => {
  const outage = outageOf(error)
  return outage === undefined ? undefined : new ServiceUnavailable({ error: sentences[outage], retry_after: outage === "full" ? 30 : 2 })
}

/** An absent database becomes `ServiceUnavailable`; any other database error is a defect. Other failures pass. */
export const orUnavailable = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catchIf(
    effect,
    (error): error is Extract<E, SqlError> => isSqlError(error),
    (error) => Effect.suspend(() => databaseOutage(error) ?? Effect.die(error))
  )
