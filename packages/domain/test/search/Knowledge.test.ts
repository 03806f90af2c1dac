/** The built-in embedding, and the joining of rankings. */
import { assert, describe, it } from "@effect/vitest"
import { LEXICAL_DIMENSION, lexicalEmbedding } from "@englog/domain/search/LexicalEmbedding"
import { fuse } from "@englog/domain/search/RankFusion"

const cosine = (one: string, other: string) => {
  const [a, b] = [lexicalEmbedding(one), lexicalEmbedding(other)]
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
}

describe("the lexical embedding", () => {
  it("has one length and one dimension for every text, and is nothing for no words", () => {
    for (const text of ["a", "Refresh the token.", "数据库备份", "🚀", "word ".repeat(5_000)]) {
      const vector = lexicalEmbedding(text)
      assert.lengthOf(vector, LEXICAL_DIMENSION)
      assert.closeTo(vector.reduce((sum, value) => sum + value * value, 0), 1, 1e-9)
    }
    assert.isTrue(lexicalEmbedding(" … ").every((value) => value === 0))
  })

  it("puts a text near one with other forms of its words, and far from one with none of them", () => {
    const text = "The session refreshes its tokens and rotates keys."
    assert.isAbove(cosine("refresh token rotation", text), cosine("lunch in the garden", text) + 0.1)
    assert.isAbove(cosine("reunião de equipe", "REUNIAO da equipe amanhã"), 0.4)
  })
})

describe("reciprocal rank fusion", () => {
  it("puts first what both rankings place well, and keeps what only one of them has", () => {
    assert.deepStrictEqual(fuse([["a", "b", "c"], ["b", "d"]]).map(({ id }) => id), ["b", "a", "d", "c"])
    assert.closeTo(fuse([["a"], ["a"]])[0]?.score ?? 0, 2 / 61, 1e-12)
    assert.deepStrictEqual(fuse([]), [])
  })
})
