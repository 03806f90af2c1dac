/** Errors as HTTP answers, wherever they come from: the shape of ErrorAnswer, with the code of the status where none is given. */
import { errorAnswer, type Refusal, wholeSeconds } from "@englog/rpc/http/ErrorAnswer"
import { codeOfStatus, errorCodes } from "@englog/rpc/http/ErrorCodes"
import type { HttpFailure } from "@englog/rpc/http/HttpErrors"
import { HttpServerResponse } from "effect/http"

export const errorBody = (
  status: number,
  refusal: string | Refusal,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(errorAnswer(typeof refusal === "string" ? { error: refusal } : refusal, codeOfStatus(status)), { status, headers })

/** What a typed failure is as an answer: the status is that of its code; one that says when to try again says so in `Retry-After` too. */
export const failureBody = (failure: HttpFailure): HttpServerResponse.HttpServerResponse =>
  errorBody(
    errorCodes[failure.code].status,
    failure,
    "retry_after" in failure ? { "retry-after": String(wholeSeconds(failure.retry_after)) } : {}
  )
