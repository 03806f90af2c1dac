/**
 * The built-in embedding, where no model is configured: needs nothing, knows no meanings, but forms of words. Texts that share
 * words, or parts of words, have a high cosine: "refreshes" is near "refresh", which a word index does not find.
 *
 * Each word, and each run of three characters of `^word$`, is hashed to one of 512 dimensions and a sign (feature hashing,
 * Weinberger et al. 2009). Each counts once in a text; no frequencies of a collection are known, so short words, which mostly
 * are articles and the like, count a third. The sum has length 1, or is all zeros where there are no words.
 */
import { wordsOf } from "./Words.ts"

/** Part of what is stored with each vector: vectors of two models are never compared. */
export const LEXICAL_MODEL = "builtin-lexical-1"
export const LEXICAL_DIMENSION = 512

const WORD_WEIGHT = 1
const SHORT_WORD_WEIGHT = 1 / 3
const GRAM_WEIGHT = 0.35
const SHORT = 3

export const lexicalEmbedding = (text: string): ReadonlyArray<number> => {
  const vector = new Float64Array(LEXICAL_DIMENSION)
  const grams = new Set<string>()
  for (const word of wordsOf(text)) {
    add(vector, word, [...word].length <= SHORT && /^[a-z]+$/.test(word) ? SHORT_WORD_WEIGHT : WORD_WEIGHT)
    for (const gram of gramsOf(word)) grams.add(gram)
  }
  for (const gram of grams) add(vector, gram, GRAM_WEIGHT)
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return Array.from(vector, (value) => length === 0 ? 0 : value / length)
}

const add = (vector: Float64Array, feature: string, weight: number): void => {
  const hash = fnv1a(feature)
  const at = hash % LEXICAL_DIMENSION
  vector[at] = (vector[at] ?? 0) + ((hash & 0x8000_0000) === 0 ? weight : -weight)
}

/** Of words that have more than one character; those of scripts without spaces are pairs already. */
const gramsOf = (word: string): ReadonlyArray<string> => {
  const characters = [...`^${word}$`]
  return characters.length <= SHORT + 1 ? [] : characters.slice(2).map((_, index) => characters.slice(index, index + 3).join(""))
}

/** FNV-1a over UTF-16 units, 32 bits, with the finalizer of MurmurHash3 for its low bits. */
const fnv1a = (text: string): number => {
  let hash = 0x811c_9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
