/**
 * The one error of gRPC calls, on both sides: a handler fails with it to choose the status, a client receives it.
 *
 * `message` travels to the other side as the status details, so it must say what to do and hold no secrets.
 */
import * as grpc from "@grpc/grpc-js"
import { Schema } from "effect"

/** Status codes by name, as the gRPC specification numbers them. OK is no error. */
const codeNumbers = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16
} as const

export const GrpcCode = Schema.Literals([
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED"
])
export type GrpcCode = typeof GrpcCode.Type

export class GrpcError extends Schema.TaggedError<GrpcError>()("GrpcError", {
  code: GrpcCode,
  message: Schema.String,
  /** Method name, where the error came out of a call. */
  method: Schema.optionalKey(Schema.String),
  /** Milliseconds after which the call may be tried again, where the server says so. */
  retry_after: Schema.optionalKey(Schema.Int),
  cause: Schema.optionalKey(Schema.Defect())
}) {
  /** The numeric status code. */
  get status(): number {
    return codeNumbers[this.code]
  }
}

/** The status code of that number; UNKNOWN for numbers the specification does not have. */
export const codeOfStatus = (status: number): GrpcCode =>
  GrpcCode.literals.find((code) => codeNumbers[code] === status) ?? "UNKNOWN"

/** The trailer of gRPC's retry specification (A6) that carries `retry_after`. */
export const RETRY_TRAILER = "grpc-retry-pushback-ms"

/** The typed form of what grpc-js hands to a caller. */
export const fromServiceError = (error: grpc.ServiceError, method: string): GrpcError =>
  new GrpcError({
    code: codeOfStatus(error.code),
    message: error.details === "" ? `${method}: ${error.message}` : error.details,
    method,
    ...retryAfter(error.metadata),
    cause: error
  })

const retryAfter = (metadata: grpc.Metadata | undefined) => {
  const millis = Number(metadata?.get(RETRY_TRAILER)[0] ?? Number.NaN)
  return Number.isSafeInteger(millis) && millis >= 0 ? { retry_after: millis } : {}
}

/** Whether grpc-js made this error of a status, rather than something having been thrown. */
export const isServiceError = (error: Error): error is grpc.ServiceError =>
  "code" in error && typeof error.code === "number" && "details" in error && typeof error.details === "string"
