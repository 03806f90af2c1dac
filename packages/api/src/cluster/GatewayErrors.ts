/** The status codes by which the gRPC edge answers what went wrong behind it. */
import { GrpcError } from "@englog/rpc/grpc/GrpcError"
import { Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { outageOf } from "../db/Outage.ts"
import type { TooManyCalls } from "./CallLimits.ts"
import type { StreamEnded } from "./WorkerSessions.ts"

export const fail = (code: GrpcError["code"], message: string) => Effect.fail(new GrpcError({ code, message }))

export const exhausted = ({ message, retry_after }: TooManyCalls) =>
  Effect.fail(new GrpcError({ code: "RESOURCE_EXHAUSTED", message, retry_after }))

/** The database is away: nothing was changed, and the worker may simply try again. Any other database error is our fault. */
export const unavailable = (error: SqlError) =>
  outageOf(error) === undefined
    ? Effect.logError("a worker's call failed in the database", error).pipe(Effect.andThen(fail("INTERNAL", "internal error")))
    : fail("UNAVAILABLE", "the database is not available; try again")

export const sessionOver = new GrpcError({ code: "UNAUTHENTICATED", message: "the session is over; register again" })

/** Why a stream ended, as its worker is told. */
export const endOf = (ended: StreamEnded): GrpcError =>
  ended.reason === "replaced" ? new GrpcError({ code: "ABORTED", message: "this session opened another task stream" }) : sessionOver
