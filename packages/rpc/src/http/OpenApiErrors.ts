/**
 * Errors in the OpenAPI document: an example of each, `Retry-After` as the header and detail that it is, and no 413 or 415 where
 * no body is read.
 */
import { errorAnswer, type Refusal } from "./ErrorAnswer.ts"
import { codeOfStatus } from "./ErrorCodes.ts"
import { children, type Json, mapValues } from "./JsonTree.ts"

const retryAfter = { "retry-after": { required: true, schema: { type: "integer", description: "Seconds to wait." } } }

const isRetried = (status: string, response: unknown): boolean =>
  status === "429" || (status === "503" && JSON.stringify(response).includes("/ServiceUnavailable"))

const bodyOnly = new Set(["413", "415"])

const refusals: Readonly<Record<string, string | Refusal>> = {
  400: {
    error: "title: must not be empty; unknown field \"titel\"",
    details: [{ field: "title", reason: "must not be empty" }, { field: "titel", reason: "is unknown" }]
  },
  401: "authorization: the token has expired",
  403: "user_id: must be your own id",
  404: "you have no entry 3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11",
  409: "email: this address already has an account",
  412: "if-match: the entry has changed since; read it again",
  413: "body: must be at most 1048576 bytes",
  415: "content-type: text/plain is not supported here; send application/json",
  422: "idempotency-key: was used for another request; use a new one",
  429: { error: "too many attempts; try again in 90 seconds", retry_after: 90 },
  500: "internal error",
  503: { error: "the database does not answer at the moment; try again", retry_after: 2 }
}

const errors = new Map(Object.entries(refusals).map(([status, refusal]) =>
  [status, errorAnswer(typeof refusal === "string" ? { error: refusal } : refusal, codeOfStatus(Number(status)))] as const))

const errorNames = "BadRequest|Unauthorized|Forbidden|NotFound|Conflict|PreconditionFailed|PayloadTooLarge|UnsupportedMediaType|UnprocessableContent|TooManyRequests|"
  + "InternalError|ServiceUnavailable"

const isErrorBody = (content: unknown): boolean => new RegExp(`/schemas/(${errorNames})"`).test(JSON.stringify(content))

const withExample = (response: unknown, status: string): Json => {
  const example = errors.get(status)
  const content = mapValues(children(response)["content"], (media) =>
    example !== undefined && isErrorBody(media) ? { ...children(media), example } : media)
  return { ...children(response), ...(Object.keys(content).length === 0 ? {} : { content }) }
}

export const responses = (value: unknown, readsBody: boolean): Json =>
  Object.fromEntries(
    Object.entries(children(value))
      .filter(([status]) => readsBody || !bodyOnly.has(status))
      .map(([status, response]) => {
        const described = withExample(response, status)
        return [
          status,
          isRetried(status, response)
            ? { ...described, headers: { ...children(described["headers"]), ...retryAfter } }
            : described
        ]
      })
  )

const retried = new Set(["TooManyRequests", "ServiceUnavailable"])

/** `retry_after` stands among the details, and in the header. */
export const errorBody = (schema: unknown, name: string): unknown => {
  if (!retried.has(name)) return schema
  const { retry_after: _, ...properties } = children(children(schema)["properties"])
  return { ...children(schema), properties, required: Object.keys(properties) }
}
