/**
 * What an organization's secret is for (docs/decisions/0039): digests of its words, ids of its chunks, and the rotation of its
 * vectors. The database sees which of them are equal or near, and not what they are of.
 */
import type { DocumentKey } from "@englog/domain/Ids"
import { createCipheriv, createHmac, createSecretKey, randomBytes } from "node:crypto"

/** 32 bytes in Base64. */
export const newSecret = (): string => randomBytes(32).toString("base64")

const keyed = (secret: string, purpose: string): Buffer => createHmac("sha256", Buffer.from(secret, "base64")).update(purpose, "utf8").digest()

/** Ids of a document's chunks are made under it. */
export const chunkKey = (secret: string, document: DocumentKey): string => keyed(secret, `chunks/${document}`).toString("base64")

/** Of each word 64 bits in decimal, as JSON cannot hold them. Words that come again are not computed again. */
export const wordDigests = (secret: string): (word: string) => string => {
  const known = new Map<string, string>()
  const key = createSecretKey(secret, "base64")
  return (word) => {
    const digest = known.get(word) ?? createHmac("sha256", key).update(`word/${word}`, "utf8").digest().readBigInt64BE(0).toString()
    known.set(word, digest)
    return digest
  }
}

/**
 * A vector of length 1, turned by a secret orthogonal map: angles between vectors of one model and organization stay what they
 * are. Three rounds of a permutation, signs and a Walsh-Hadamard transform spread each number over all of them; where the
 * dimension is no power of two, the transform runs over both ends.
 */
export const turned = (secret: string, model: string, vector: ReadonlyArray<number>): ReadonlyArray<number> => {
  let values = normalized(vector)
  for (const { order, signs } of roundsOf(secret, model, vector.length)) {
    values = order.map((from, index) => (values[from] ?? 0) * (signs[index] ?? 1))
    const width = 2 ** Math.floor(Math.log2(values.length))
    transform(values, 0, width)
    if (width < values.length) transform(values, values.length - width, width)
  }
  return values
}

interface Round {
  readonly order: ReadonlyArray<number>
  readonly signs: ReadonlyArray<number>
}

const ROUNDS = 3
/** Organizations and models whose rounds are kept: 20 kB each. */
const KEPT = 500
const kept = new Map<string, ReadonlyArray<Round>>()

const roundsOf = (secret: string, model: string, dimension: number): ReadonlyArray<Round> => {
  const name = `${secret} ${dimension} ${model}`
  const known = kept.get(name)
  if (known !== undefined) return known
  const next = randomNumbers(keyed(secret, `vectors/${dimension}/${model}`))
  const rounds = Array.from({ length: ROUNDS }, () => ({ order: shuffled(dimension, next), signs: Array.from({ length: dimension }, () => (next() & 1) === 0 ? 1 : -1) }))
  const [oldest] = kept.keys()
  if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest)
  kept.set(name, rounds)
  return rounds
}

/** Of 32 bits each, from AES-256 in counter mode. */
const randomNumbers = (key: Buffer) => {
  const stream = createCipheriv("aes-256-ctr", key, Buffer.alloc(16))
  let block = Buffer.alloc(0)
  let at = 0
  return (): number => {
    if (at >= block.length) {
      block = stream.update(Buffer.alloc(4_096))
      at = 0
    }
    at += 4
    return block.readUInt32BE(at - 4)
  }
}

/** Fisher and Yates. */
const shuffled = (count: number, next: () => number): ReadonlyArray<number> => {
  const order = Array.from({ length: count }, (_, index) => index)
  for (let index = count - 1; index > 0; index--) {
    const other = next() % (index + 1)
    const [a, b] = [order[index] ?? 0, order[other] ?? 0]
    order[index] = b
    order[other] = a
  }
  return order
}

const normalized = (vector: ReadonlyArray<number>): Array<number> => {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return vector.map((value) => length === 0 ? 0 : value / length)
}

/** In place, over `width` values from `from`; orthogonal. */
const transform = (values: Array<number>, from: number, width: number): void => {
  for (let half = 1; half < width; half *= 2) {
    for (let start = from; start < from + width; start += half * 2) {
      for (let index = start; index < start + half; index++) {
        const [a, b] = [values[index] ?? 0, values[index + half] ?? 0]
        values[index] = (a + b) * Math.SQRT1_2
        values[index + half] = (a - b) * Math.SQRT1_2
      }
    }
  }
}
