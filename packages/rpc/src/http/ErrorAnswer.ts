/**
 * What every error answer is: `{error, code, details}`. `error` is the sentence for people, `<field>: <reason>` where it is about
 * one field; `code` and `details` say the same to programs. All of them are made by `errorAnswer`, so that none lacks a part.
 */
import { Schema } from "effect"
import { TokenScope } from "./RequiredScope.ts"
import { ErrorCode } from "./ErrorCodes.ts"

/** `field` as in the sentence: `tags[1]`, `context.goal`, a parameter, a header, or `body` for the whole of it. */
export const FieldProblem = Schema.Struct({ field: Schema.String, reason: Schema.String }).annotate({
  identifier: "FieldProblem",
  description: "`field` is the way to a field of the body (`tags[1]`, `context.goal`), the name of a parameter or a header, or `body`."
})
export type FieldProblem = typeof FieldProblem.Type

export const ErrorDetail = Schema.Union([
  FieldProblem,
  Schema.Struct({ retry_after: Schema.Int }).annotate({ identifier: "RetryDetail", description: "Seconds to wait before trying again." }),
  Schema.Struct({ scope: TokenScope }).annotate({ identifier: "ScopeDetail", description: "The scope that the API token lacks." })
])
export type ErrorDetail = typeof ErrorDetail.Type

export const ErrorDetails = Schema.Array(ErrorDetail).annotate({
  description: "What there is to say for programs beside `code`; empty where there is nothing."
})

export const ErrorAnswer = Schema.Struct({ error: Schema.String, code: ErrorCode, details: ErrorDetails })
export type ErrorAnswer = typeof ErrorAnswer.Type

/** What the last event of a stream says that was cut: `stopping` or `unauthorized`. */
export const StreamEnd = Schema.Struct({ message: Schema.String, code: ErrorCode, details: ErrorDetails }).annotate({ identifier: "StreamEnd" })
export type StreamEnd = typeof StreamEnd.Type

/** What somebody says who refuses something: the rest follows from it. */
export interface Refusal {
  readonly error: string
  readonly code?: ErrorCode
  readonly details?: ReadonlyArray<ErrorDetail>
  /** Seconds. */
  readonly retry_after?: number
}

/** `usual`: the code where none is given. A request that is wrong in no field is wrong as a whole. */
export const errorAnswer = ({ code, details, error, retry_after }: Refusal, usual: ErrorCode): ErrorAnswer => {
  const told = details === undefined || details.length === 0 ? fieldsIn(error) : details
  const said = code ?? usual
  return {
    error,
    code: said === "invalid_field" && told.length === 0 ? "invalid_request" : said,
    details: retry_after === undefined || told.some((detail) => "retry_after" in detail) ? told : [...told, { retry_after: wholeSeconds(retry_after) }]
  }
}

export const wholeSeconds = (seconds: number): number => Math.max(1, Math.ceil(seconds))

/** The field that a sentence begins with. Names that callers made up are told apart by whoever knows them. */
const fieldsIn = (error: string): ReadonlyArray<FieldProblem> => {
  const [, field, reason] = /^([a-z_][\w-]*(?:\.[\w-]+|\[\d+\])*): (.+)$/is.exec(error) ?? []
  return field === undefined || reason === undefined ? [] : [{ field, reason }]
}
