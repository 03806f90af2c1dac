/**
 * Hands in how an attempt ended, for as long as it takes: across reconnects and restarts of the API server, until the
 * outcome is accepted or the server says that this worker does not hold the attempt (then nobody waits for it).
 */
import type { GrpcError } from "@englog/rpc/grpc/GrpcError"
import { MAX_REASON_LENGTH, MAX_RESULT_BYTES } from "@englog/rpc/grpc/WireLimits"
import type { AttemptOutcome, OutcomeReport } from "@englog/rpc/grpc/WorkerMessages"
import { Duration, Effect, Option, Stream, SubscriptionRef } from "effect"
import { ApiLink } from "./ApiLink.ts"
import type { ApiSession } from "./ApiSession.ts"

export type Report = Omit<OutcomeReport, "worker_id" | "session_token">

export const deliver = Effect.fn("OutcomeDelivery.deliver")(function*(report: Report) {
  const link = yield* ApiLink
  let outcome = fitting(report.outcome)
  for (;;) {
    const session = yield* link.awaitSession
    const answer = yield* Effect.result(session.report({ ...report, outcome }))
    if (answer._tag === "Success") {
      const { accepted, message } = answer.success
      if (!accepted) yield* Effect.logWarning("the API server refused an outcome").pipe(Effect.annotateLogs({ reason: message }))
      return accepted ? "accepted" as const : "refused" as const
    }
    const error = answer.failure
    if (error.code === "INVALID_ARGUMENT" && outcome._tag === "Completed") {
      yield* note(Effect.logWarning("the API server refused a result"), error)
      outcome = { _tag: "Failed", error: `the API server refused the result: ${error.message}`, retryable: false }
    } else if (isFinal(error)) {
      yield* note(Effect.logWarning("dropped an outcome that nobody waits for"), error)
      return "refused" as const
    } else {
      yield* note(Effect.logDebug("an outcome could not be handed in yet"), error)
      yield* waitAfter(error, session)
    }
  }
})

const note = (log: Effect.Effect<void>, error: GrpcError) =>
  Effect.annotateLogs(log, { operation: "report_outcome", code: error.code, reason: error.message })

const isFinal = (error: GrpcError): boolean =>
  error.code === "FAILED_PRECONDITION" || error.code === "NOT_FOUND" || error.code === "INVALID_ARGUMENT" ||
  error.code === "PERMISSION_DENIED" || error.code === "UNIMPLEMENTED"

/** Until there is another session, or for a moment where this one may still do. */
const waitAfter = Effect.fnUntraced(function*(error: GrpcError, session: ApiSession) {
  const link = yield* ApiLink
  const replaced = SubscriptionRef.changes(link.session).pipe(
    Stream.filter((current) => Option.isNone(current) || current.value !== session),
    Stream.runHead
  )
  if (error.code === "UNAUTHENTICATED") yield* link.renounce(session)
  const moment = Duration.max(Duration.seconds(1), Duration.millis(error.retry_after ?? 0))
  yield* Effect.timeoutOption(replaced, error.code === "UNAUTHENTICATED" ? Duration.seconds(10) : moment)
})

/** What the server would refuse is not sent: a result that is too large becomes a failure, a reason is cut and cleaned. */
const fitting = (outcome: AttemptOutcome): AttemptOutcome => {
  if (outcome._tag !== "Completed") {
    return { ...outcome, error: outcome.error.slice(0, MAX_REASON_LENGTH).replaceAll("\u0000", "").toWellFormed() }
  }
  return Buffer.byteLength(outcome.result) > MAX_RESULT_BYTES
    ? { _tag: "Failed", error: `the result is larger than ${MAX_RESULT_BYTES} bytes`, retryable: false }
    : outcome
}
