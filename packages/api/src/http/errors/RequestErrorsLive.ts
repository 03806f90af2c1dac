/**
 * The server's side of RequestErrors: refuses what no endpoint can read or store, turns schema errors into a 400 that
 * names the field, and answers the failures of all endpoints.
 */
import { BodyLimit, usualBodyLimit } from "@englog/rpc/http/BodyLimit"
import { BadRequest, isHttpFailure } from "@englog/rpc/http/HttpErrors"
import { RequestErrors } from "@englog/rpc/http/RequestErrors"
import { Context, Effect, Layer } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { bodyProblem } from "./BodyProblem.ts"
import { errorBody, failureBody } from "./ErrorBody.ts"
import { shortened } from "./FieldName.ts"
import { describeIssue } from "./RequestProblems.ts"

export const RequestErrorsLive: Layer.Layer<RequestErrors> = Layer.succeed(
  RequestErrors,
  RequestErrors.of((httpEffect, { endpoint }) =>
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const [stray] = endpoint.query === undefined ? parametersOf(request.url) : []
      if (stray !== undefined) return failureBody(unknownParameter(shortened(stray)))
      if (endpoint.payload.size > 0) {
        const type = request.headers["content-type"]
        const unread = mediaProblem(type, [...endpoint.payload.keys()])
        if (unread !== undefined) return errorBody(415, unread)
        // What comes as a stream, or is larger than usual, is for its endpoint to look at.
        const judgesItself = mediaOf(type) !== JSON_MEDIA || Context.get(endpoint.annotations, BodyLimit) > usualBodyLimit
        const problem = judgesItself ? undefined : bodyProblem(new Uint8Array(yield* Effect.orDie(request.arrayBuffer)))
        if (problem !== undefined) return failureBody(new BadRequest(problem))
      }
      return yield* Effect.catch(httpEffect, answer)
    })
  )
)

const answer = Effect.fnUntraced(function*<E>(failure: E) {
  if (isHttpFailure(failure)) return failureBody(failure)
  if (!HttpApiError.HttpApiSchemaError.is(failure)) return yield* Effect.fail(failure)
  // What we answer does not fit its own schema: our fault, not the caller's.
  if (failure.kind === "Body" || failure.kind === "ResponseHeaders") return yield* Effect.die(failure.cause)
  return failureBody(new BadRequest(describeIssue(failure.cause.issue, failure.kind)))
})

const unknownParameter = (field: string) =>
  new BadRequest({ error: `unknown query parameter "${field}"`, details: [{ field, reason: "is unknown" }] })

/** The names of its query parameters. */
const parametersOf = (url: string): ReadonlyArray<string> => [...new URLSearchParams(url.split("?", 2)[1] ?? "").keys()]

const JSON_MEDIA = "application/json"

const mediaOf = (type = ""): string => type.toLowerCase().split(";", 1)[0]?.trim() ?? ""

/** JSON is UTF-8 (RFC 8259, section 8.1), whether the header says so or not; other text is read so as well. */
const mediaProblem = (type: string | undefined, media: ReadonlyArray<string>): string | undefined => {
  const [, ...parameters] = (type ?? "").toLowerCase().split(";").map((part) => part.trim())
  if (!media.includes(mediaOf(type))) return `content-type: ${type === undefined ? "none" : shortened(type)} is not supported here; send ${media.join(" or ")}`
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length).replaceAll("\"", "")
  return charset === undefined || charset === "utf-8" || charset === "utf8"
    ? undefined
    : `content-type: charset ${shortened(charset)} is not supported here; send UTF-8`
}
