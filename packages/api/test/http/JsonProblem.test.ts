import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { bodyProblem } from "../../src/http/errors/BodyProblem.ts"
import { jsonProblem, maxDepth, maxMembers } from "../../src/http/errors/JsonProblem.ts"

const problem = (text: string): string | undefined => bodyProblem(Buffer.from(text))?.error

describe("where a text stops being JSON", () => {
  it("is named by line and column", () => {
    const places = [
      ["hello", "unexpected \"h\" at line 1, column 1"],
      ["{\"a\": 1,}", "unexpected \"}\" at line 1, column 9"],
      ["[1,]", "unexpected \"]\" at line 1, column 4"],
      ["[1 2]", "unexpected \"2\" at line 1, column 4"],
      ["[,1]", "unexpected \",\" at line 1, column 2"],
      ["{\"a\": tru}", "unexpected \"}\" at line 1, column 10"],
      ["{\"a\": 1}}", "unexpected \"}\" at line 1, column 9"],
      ["[1,\n 2,\n 'x']", "unexpected \"'\" at line 3, column 2"],
      ["{\"a\": \"x", "it ends too early at line 1, column 9"],
      ["{\"a\": [1, 2", "it ends too early at line 1, column 12"],
      ["{\"a\": -}", "unexpected \"}\" at line 1, column 8"],
      ["{a: 1}", "unexpected \"a\" at line 1, column 2"],
      ["{\"a\" 1}", "unexpected \"1\" at line 1, column 6"],
      ["[NaN]", "unexpected \"N\" at line 1, column 2"],
      ["[01]", "unexpected \"1\" at line 1, column 3"],
      ["[1.]", "unexpected \"]\" at line 1, column 4"],
      ["[1e+]", "unexpected \"]\" at line 1, column 5"],
      ["[\"\t\"]", "unexpected \"\\t\" at line 1, column 3"],
      ["[\"\\x\"]", "unexpected \"x\" at line 1, column 4"],
      ["[\"\\u12g4\"]", "unexpected \"g\" at line 1, column 7"],
      ["[🚀]", "unexpected \"🚀\" at line 1, column 2"],
      ["\uFEFF{}", "unexpected \"\uFEFF\" at line 1, column 1"],
      ["  ", "it is empty"]
    ] as const
    for (const [text, place] of places) assert.strictEqual(problem(text), `body: is not valid JSON: ${place}`)
  })

  it("is nowhere in JSON, and where the only foreign character was put into JSON without strings", () => {
    fc.assert(fc.property(fc.json({ depthSize: "small", stringUnit: "grapheme" }), fc.constantFrom(undefined, 1, "\t"), (text, indent) =>
      refused.test(text) || jsonProblem(JSON.stringify(JSON.parse(text), undefined, indent)) === undefined), { numRuns: 2_000 })
    fc.assert(fc.property(fc.array(fc.integer(), { minLength: 1 }), fc.nat(), (numbers, at) => {
      const text = JSON.stringify(numbers)
      const place = at % text.length
      return jsonProblem(`${text.slice(0, place)}#${text.slice(place)}`)?.reason
        === `is not valid JSON: unexpected "#" at line 1, column ${place + 1}`
    }))
  })

  it("is found in exactly those texts that are no JSON", () => {
    const pieces = fc.constantFrom(..."[]{},:\"\\ntfr1e0.-+u \n".split(""), "true", "null", "\"a\"", "\"b\":", "\\u0041", "12")
    fc.assert(fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join("")
      const parsed = Result.isSuccess(Result.try(() => JSON.parse(text)))
      return jsonProblem(text)?.reason.startsWith("is not valid JSON") === true ? !parsed : parsed
    }), { numRuns: 5_000 })
  })
})

/** What JSON takes and we do not. */
const refused = /__proto__|\\u0000/

describe("a JSON text that would be altered, dropped or impossible to store", () => {
  it("is refused by the name of its field", () => {
    const texts = [
      [JSON.stringify({ a: [{ b: "x\u0000" }] }), "a[0].b: must not contain the NUL character"],
      ["{\"a\": \"\\uDC00\"}", "a: must not contain half of a surrogate pair"],
      ["\"\\u0000\"", "body: must not contain the NUL character"],
      ["{\"a\": {\"\\u0000\": 1}}", "a: a field's name must not contain the NUL character"],
      ["{\"a\": {\"b\": 1, \"\\u0062\": 2}}", "a.b: is given more than once"],
      ["{\"a\": [{}, {\"__proto__\": {}}]}", "a[1]: a field's name must not be \"__proto__\""],
      ["{\"a\": {\"b\": -1e400}}", "a.b: must be a number of at most 1.79e308; send a larger one as text"],
      ["{\"a\": 9007199254740993}", "a: must be a number that comes back as it was sent, as 9007199254740992 does; send it as text"],
      [`{"a": {"b": [${"1,".repeat(maxMembers)}1]}}`, `a.b: must hold at most ${maxMembers} members`],
      [`{"a": ${"[".repeat(10_000)}`, `a: must not be nested more than ${maxDepth} levels deep`]
    ] as const
    for (const [text, reason] of texts) assert.strictEqual(problem(text), reason)
  })

  it("is nothing else", () => {
    for (
      const text of [
        JSON.stringify({ a: "\\u0000", b: "🚀\uFFFF\u2028" }),
        "{\"constructor\": 1, \"prototype\": {}, \"toString\": [1.5e300, -0, 100000000000000000000]}",
        `${"[".repeat(maxDepth)}${"]".repeat(maxDepth)}`,
        `[${"1,".repeat(maxMembers - 1)}1]`
      ]
    ) assert.isUndefined(problem(text))
  })

  it("is found in one pass over a mebibyte", () => {
    const started = performance.now()
    assert.isDefined(problem(`[${`${"[1,2,3],".repeat(9_000)}1],[`.repeat(14)}`))
    assert.isDefined(problem(" ".repeat(1_048_576)))
    assert.isDefined(problem(`["${"\\\"".repeat(524_288)}`))
    assert.isBelow(performance.now() - started, 3_000)
  })
})

describe("bytes", () => {
  it("that are no UTF-8 are refused", () => {
    assert.strictEqual(bodyProblem(Uint8Array.of(0x22, 0xe9, 0x22))?.error, "body: is not valid UTF-8")
    assert.strictEqual(bodyProblem(Buffer.from("{}", "utf16le"))?.error, "body: is not valid JSON: unexpected \"\\u0000\" at line 1, column 2")
  })
})
