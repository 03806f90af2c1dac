import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { wordsOf } from "../../src/search/Words.ts"

/** Whether a search for the second finds the first. */
const finds = (text: string, query: string): boolean => wordsOf(query).every((word) => wordsOf(text).includes(word))

describe("the words of a text", () => {
  it("are what stands between anything that is neither a letter nor a digit", () => {
    assert.deepStrictEqual(wordsOf("Fix user_id in p1-high (OAuth2.0), fix #123!"), ["fix", "user", "id", "in", "p1", "high", "oauth2", "0", "123"])
    assert.deepStrictEqual(wordsOf(" ,;\n\t…— '\" "), [])
    assert.deepStrictEqual(wordsOf(""), [])
  })

  it("are the same in either case and with or without accents", () => {
    for (
      const [text, query] of [
        ["Reunião código", "REUNIAO CODIGO"], ["Straße", "STRASSE"], ["ΣΊΣΥΦΟΣ", "σισυφος"], ["İstanbul", "istanbul"], ["Ärger", "arger"],
        ["ﬁnal", "final"], ["ｆｕｌｌ", "full"], ["cafe\u0301", "café"]
      ] as const
    ) {
      assert.isTrue(finds(text, query), `${text} ${query}`)
      assert.isTrue(finds(query, text), `${query} ${text}`)
    }
  })

  it("keep the marks that make another letter outside Latin and Greek", () => {
    assert.isFalse(finds("が", "か"))
    assert.isFalse(finds("й", "и"))
    assert.isFalse(finds("कि", "क"))
  })

  it("are pairs of neighbours where a script has no spaces", () => {
    assert.deepStrictEqual(wordsOf("東京都"), ["東京", "京都"])
    assert.deepStrictEqual(wordsOf("API設計"), ["api", "設計"])
    assert.isTrue(finds("今日は東京都で会議", "東京"))
    assert.isTrue(finds("การประชุมทีม", "ประชุม"))
    assert.isTrue(finds("회의를 했다", "회의"))
    assert.deepStrictEqual(wordsOf("水"), ["水"])
  })

  it("count a picture as a word, without what only changes its looks", () => {
    assert.deepStrictEqual(wordsOf("🚀 shipped ❤️"), ["🚀", "shipped", "❤"])
  })

  it("of any text find that text, and are their own words", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      const words = wordsOf(text)
      assert.isTrue(finds(text, text))
      assert.strictEqual(new Set(words).size, words.length)
      for (const word of words) assert.include(wordsOf(word), word)
    }), { numRuns: 2_000 })
  })
})
