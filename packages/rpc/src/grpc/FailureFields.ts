/** What travels with a failed attempt besides its error, the same in TaskResultRequest and TaskOutcome. */
import type { FailureTerms } from "@englog/domain/tasks/Task"
import { MAX_DELAY } from "@englog/domain/tasks/TaskPolicy"

export interface WireFailure {
  readonly result: string
  readonly notRetryable: boolean
  readonly retryAfter: number
}

export const failureFields = ({ detail = "", retry_after = 0, retryable }: FailureTerms): WireFailure => ({
  result: detail,
  notRetryable: !retryable,
  retryAfter: retry_after
})

/** A time that is none counts as none. */
export const failureTerms = ({ notRetryable, result, retryAfter }: WireFailure): FailureTerms => ({
  retryable: !notRetryable,
  ...(retryAfter > 0 ? { retry_after: Math.min(retryAfter, MAX_DELAY) } : {}),
  ...(result === "" ? {} : { detail: result })
})
