/**
 * The failures of services, as RPC tells them: the same reasons as the REST API's statuses.
 */
import {
  BadRequest, Conflict, Forbidden, NotFound, PayloadTooLarge, PreconditionFailed, ServiceUnavailable, TooManyRequests, Unauthorized
} from "@englog/rpc/http/HttpErrors"
import { RpcFailure } from "@englog/rpc/rpc/RpcFailure"
import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"

type Failure =
  | BadRequest | Conflict | Forbidden | NotFound | PayloadTooLarge | PreconditionFailed | ServiceUnavailable | TooManyRequests | Unauthorized

export const toRpcFailure = (failure: Failure): RpcFailure =>
  new RpcFailure({
    reason: reasonOf(failure),
    message: failure.error,
    retry_after: failure instanceof ServiceUnavailable || failure instanceof TooManyRequests ? failure.retry_after : null
  })

/** An absent database is `unavailable`; any other database error is a defect. */
export const orRpcFailure = <A, R>(effect: Effect.Effect<A, Failure | SqlError, R>): Effect.Effect<A, RpcFailure, R> =>
  orUnavailable(effect).pipe(Effect.mapError(toRpcFailure))

const reasonOf = (failure: Failure): RpcFailure["reason"] => {
  if (failure instanceof BadRequest || failure instanceof PayloadTooLarge) return "bad_request"
  if (failure instanceof Conflict) return "conflict"
  if (failure instanceof Forbidden) return "forbidden"
  if (failure instanceof NotFound) return "not_found"
  if (failure instanceof PreconditionFailed) return "precondition_failed"
  if (failure instanceof TooManyRequests) return "too_many_requests"
  if (failure instanceof Unauthorized) return "unauthorized"
  return "unavailable"
}
