/** What every error answer holds, from what somebody says who refuses something. */
import { assert, describe, it } from "@effect/vitest"
import { errorAnswer } from "@englog/rpc/http/ErrorAnswer"
import { codeOfStatus, errorCodes } from "@englog/rpc/http/ErrorCodes"
import { BadRequest, isHttpFailure, NotFound, TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { rpcFailure } from "@englog/rpc/rpc/RpcFailure"

describe("an error answer", () => {
  it("names the field that its sentence begins with", () => {
    assert.deepStrictEqual(errorAnswer(new BadRequest({ error: "tags[1]: must not be empty" }), "invalid_field"), {
      error: "tags[1]: must not be empty",
      code: "invalid_field",
      details: [{ field: "tags[1]", reason: "must not be empty" }]
    })
    const [detail] = errorAnswer({ error: "if-match: the entry has changed since; read it again" }, "stale_etag").details
    assert.deepStrictEqual(detail, { field: "if-match", reason: "the entry has changed since; read it again" })
  })

  it("names no field where the sentence names none, and is then about the request as a whole", () => {
    for (const error of ["the request was refused", "there is no task a: b", "PostgreSQL does not answer", "\"a: b\" is predefined"]) {
      assert.deepStrictEqual(errorAnswer({ error }, "invalid_field"), { error, code: "invalid_request", details: [] })
    }
  })

  it("says once, in whole seconds, how long to wait", () => {
    const failure = new TooManyRequests({ error: "too many attempts", retry_after: 3 })
    const answer = errorAnswer(failure, failure.code)
    assert.deepStrictEqual(answer, { error: "too many attempts", code: "rate_limited", details: [{ retry_after: 3 }] })
    assert.deepStrictEqual(errorAnswer({ ...answer, retry_after: 3 }, "rate_limited"), answer)
  })

  it("says over RPC what it says over REST", () => {
    const { code, details } = errorAnswer(new NotFound({ error: "parent: there is no task" }), "not_found")
    assert.deepInclude(rpcFailure({ reason: "not_found", message: "parent: there is no task" }), { code, details })
    assert.deepInclude(rpcFailure({ reason: "unavailable", message: "away", retry_after: 2 }), { code: "unavailable", details: [{ retry_after: 2 }] })
  })
})

describe("the registry of codes", () => {
  it("has a code for every status, the most general first", () => {
    assert.deepStrictEqual([404, 409, 403, 400, 429, 503].map(codeOfStatus), [
      "not_found", "conflict", "forbidden", "invalid_field", "rate_limited", "unavailable"
    ])
    assert.deepStrictEqual([502, 418].map(codeOfStatus), ["internal", "invalid_request"])
  })

  it("gives each typed failure the code of its own status", () => {
    assert.strictEqual(errorCodes[new NotFound({ error: "" }).code].status, 404)
    assert.strictEqual(errorCodes[new BadRequest({ error: "" }).code].status, 400)
    assert.isTrue(isHttpFailure(new NotFound({ error: "" })))
    assert.isFalse(isHttpFailure({ error: "" }))
  })
})
