/** One request that no server should take, and what came of it. */
import { ErrorAnswer } from "@englog/rpc/http/ErrorAnswer"
import { errorCodes } from "@englog/rpc/http/ErrorCodes"
import { Option, Schema } from "effect"

export interface HostileRequest {
  /** What is wrong with it. */
  readonly attack: string
  readonly operation: string
  readonly method: string
  /** Path and query, sent as they are. */
  readonly target: string
  /** As they are, repeated ones too. */
  readonly headers: ReadonlyArray<readonly [string, string]>
  readonly body?: Uint8Array
  /** Without a content-length. */
  readonly chunked?: boolean
  /** What the error has to name. */
  readonly names?: string
  /** Where the attack has a status of its own. */
  readonly status?: number
}

export type Outcome =
  | { readonly _tag: "Answered"; readonly status: number; readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>; readonly text: string }
  /** The server cut the connection without a word. */
  | { readonly _tag: "Closed"; readonly reason: string }
  /** Nothing came in time. */
  | { readonly _tag: "Hung" }

const readAnswer = Schema.decodeUnknownOption(Schema.fromJsonString(ErrorAnswer), { onExcessProperty: "error" })

/** Error bodies are exactly this, with a code that the registry knows. */
export const answerOf = (outcome: Outcome): ErrorAnswer | undefined =>
  outcome._tag === "Answered" && String(outcome.headers["content-type"]).startsWith("application/json")
    ? Option.getOrUndefined(readAnswer(outcome.text))
    : undefined

export const errorOf = (outcome: Outcome): string | undefined => answerOf(outcome)?.error

/** What is missing for programs in an answer: a code that is that of its status, and the field where the sentence names one. */
export const codeComplaint = (status: number, { code, details, error }: ErrorAnswer): string | undefined => {
  if (errorCodes[code].status !== status) return `answered ${status} with the code ${code}: ${error}`
  const fields = details.flatMap((detail) => "field" in detail ? [detail.field] : [])
  if (/^[a-z_][\w-]*(\.[\w-]+|\[\d+\])*: |unknown (field|query parameter) "/i.test(error) && fields.length === 0) {
    return `answered ${status} without details of the field: ${error}`
  }
  if (fields.some((field) => !error.includes(field))) return `answered ${status} with details of other fields than the sentence: ${error}`
  return (status === 429 || status === 503) && !details.some((detail) => "retry_after" in detail)
    ? `answered ${status} without retry_after among the details: ${error}`
    : undefined
}

/** What is wrong with an answer to a hostile request; undefined where it is as it should be. */
export const complaint = (request: HostileRequest, outcome: Outcome): string | undefined => {
  if (outcome._tag === "Hung") return "hung"
  if (outcome._tag === "Closed") return `closed the connection: ${outcome.reason}`
  const { status } = outcome
  if (status < 400 || status > 499) return `answered ${status}: ${outcome.text.slice(0, 300)}`
  if (request.method === "HEAD") return undefined
  const answer = answerOf(outcome)
  if (answer === undefined) return `answered ${status} without {"error", "code", "details"}: ${outcome.text.slice(0, 300)}`
  const { error } = answer
  const uncoded = codeComplaint(status, answer)
  if (uncoded !== undefined) return uncoded
  if (status === 405 && outcome.headers["allow"] === undefined) return "answered 405 without Allow"
  if (request.status !== undefined && status !== request.status) return `answered ${status} instead of ${request.status}: ${error}`
  return request.names === undefined || error.includes(request.names) ? undefined : `answered ${status} without naming ${request.names}: ${error.slice(0, 300)}`
}

export const describe = ({ attack, body, headers, operation, target, method }: HostileRequest): string =>
  `${operation}, ${attack}: ${method} ${target.slice(0, 200)} ${JSON.stringify(headers.filter(([name]) => name !== "authorization")).slice(0, 300)} `
  + (body === undefined ? "without a body" : `${body.length} bytes ${JSON.stringify(Buffer.from(body.subarray(0, 500)).toString("latin1"))}`)
