/**
 * The failures of services, as RPC tells them: the same reasons as the REST API's statuses.
 */
import {
  BadRequest, Conflict, Forbidden, NotFound, PayloadTooLarge, PreconditionFailed, ServiceUnavailable, TooManyRequests, Unauthorized
} from "@englog/rpc/http/HttpErrors"
import { RpcFailure, rpcFailure } from "@englog/rpc/rpc/RpcFailure"
import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { type StreamCut, streamEnd } from "../http/OpenStreams.ts"

type Failure =
  | BadRequest | Conflict | Forbidden | NotFound | PayloadTooLarge | PreconditionFailed | ServiceUnavailable | TooManyRequests | Unauthorized

export const toRpcFailure = (failure: Failure): RpcFailure =>
  rpcFailure({
    reason: reasonOf(failure),
    message: failure.error,
    code: failure.code,
    details: failure.details,
    retry_after: failure instanceof ServiceUnavailable || failure instanceof TooManyRequests ? failure.retry_after : null
  })

/** An absent database is `unavailable`; any other database error is a defect. */
export const orRpcFailure = <A, R>(effect: Effect.Effect<A, Failure | SqlError, R>): Effect.Effect<A, RpcFailure, R> =>
  orUnavailable(effect).pipe(Effect.mapError(toRpcFailure))

/** What cuts a stream that can be resumed; `resume` says how. */
export const streamCut = (error: SqlError | StreamCut | RpcFailure, resume: string): RpcFailure =>
  error instanceof RpcFailure
    ? error
    : error._tag === "StreamCut"
    ? rpcFailure({ reason: cutReason[error.reason], ...streamEnd(error), retry_after: error.retry_after })
    : rpcFailure({ reason: "unavailable", message: `the database does not answer; ${resume}`, retry_after: 2 })

const cutReason = { stopping: "unavailable", unauthorized: "unauthorized" } as const

/** What ends an export that was under way. */
export const streamFailure = (error: SqlError | StreamCut | RpcFailure): RpcFailure => streamCut(error, "export again")

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
