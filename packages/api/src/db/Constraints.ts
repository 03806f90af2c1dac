/** Tells which constraint a statement met: what somebody else did at the same moment shows as one. */
import { Predicate } from "effect"
import { isSqlError } from "effect/sql/SqlError"

/** Undefined where the error is no violation of a constraint that has a name. */
export const violatedConstraint = (error: unknown): string | undefined => {
  if (!isSqlError(error)) return undefined
  if (error.reason._tag === "UniqueViolation") return error.reason.constraint
  return error.reason._tag === "ConstraintError" && Predicate.hasProperty(error.reason.cause, "constraint")
    ? String(error.reason.cause.constraint)
    : undefined
}
