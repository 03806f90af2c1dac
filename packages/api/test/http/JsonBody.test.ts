import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { jsonError, unstorableText } from "../../src/http/JsonBody.ts"

describe("where a text stops being JSON", () => {
  it("is named by line and column", () => {
    assert.strictEqual(jsonError("hello"), "unexpected \"h\" at line 1, column 1")
    assert.strictEqual(jsonError("{\"a\": 1,}"), "unexpected \"}\" at line 1, column 9")
    assert.strictEqual(jsonError("{\"a\": tru}"), "unexpected \"}\" at line 1, column 10")
    assert.strictEqual(jsonError("{\"a\": 1}}"), "unexpected \"}\" at line 1, column 9")
    assert.strictEqual(jsonError("[1,\n 2,\n 'x']"), "unexpected \"'\" at line 3, column 2")
    assert.strictEqual(jsonError("{\"a\": \"x"), "it ends too early at line 1, column 9")
    assert.strictEqual(jsonError("{\"a\": [1, 2"), "it ends too early at line 1, column 12")
    assert.strictEqual(jsonError("{\"a\": -}"), "unexpected \"}\" at line 1, column 8")
    assert.strictEqual(jsonError("{a: 1}"), "unexpected \"a\" at line 1, column 2")
    assert.strictEqual(jsonError("  "), "it is empty")
  })

  it("is nowhere in JSON, and where the only foreign character was put into JSON without strings", () => {
    const json = fc.json({ depthSize: "small" })
    fc.assert(fc.property(json, (text) => jsonError(text) === undefined))
    fc.assert(fc.property(fc.array(fc.integer(), { minLength: 1 }), fc.nat(), (numbers, at) => {
      const text = JSON.stringify(numbers)
      const place = at % text.length
      return jsonError(`${text.slice(0, place)}#${text.slice(place)}`) === `unexpected "#" at line 1, column ${place + 1}`
    }))
  })
})

describe("text that cannot be stored", () => {
  it("is named by its path", () => {
    assert.strictEqual(unstorableText(JSON.stringify({ a: [{ b: "x\u0000" }] })), "a[0].b: must not contain the NUL character")
    assert.strictEqual(unstorableText("{\"a\": \"\\uDC00\"}"), "a: must not contain half of a surrogate pair")
    assert.strictEqual(unstorableText("\"\\u0000\""), "body: must not contain the NUL character")
    assert.strictEqual(unstorableText("{\"a\": {\"\\u0000\": 1}}"), "a: a field's name must not contain the NUL character")
  })

  it("is nothing else", () => {
    fc.assert(fc.property(fc.json({ stringUnit: "grapheme" }), (text) => text.includes("\\u0000") || unstorableText(text) === undefined))
    assert.isUndefined(unstorableText(JSON.stringify({ a: "\\u0000", b: "🚀" })))
  })
})
