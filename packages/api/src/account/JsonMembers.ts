/**
 * A large JSON object of lists, taken apart without parsing it as a whole: each item is told as the bytes that it stands in. What
 * ends a value is ASCII, and no byte of another character in UTF-8 is: nothing has to be decoded for that. Whether an item is JSON
 * by itself is for whoever reads it.
 */
import { isUtf8 } from "node:buffer"
import { jsonProblem } from "../http/errors/JsonProblem.ts"

/** A value of the object; `index` where it is one of a list. */
export interface Member {
  readonly name: string
  readonly index: number | undefined
  readonly bytes: Uint8Array
}

/** `begun` is told of each name once its value begins: a list may be empty. Ends with what is wrong, if anything is. */
export function* membersOf(bytes: Uint8Array, begun: (name: string) => void): Generator<Member, string | undefined, void> {
  const scan = new Members(bytes)
  if (!scan.take(OPEN_OBJECT)) return scan.broken()
  if (scan.take(CLOSE_OBJECT)) return scan.atEnd()
  do {
    const quoted = scan.name()
    if (quoted === undefined) return scan.broken()
    const problem = nameProblem(quoted)
    if (problem !== undefined) return problem
    const name = String(JSON.parse(decoder.decode(quoted)))
    if (!scan.take(COLON)) return scan.broken()
    begun(name)
    if (!scan.take(OPEN_LIST)) {
      yield { name, index: undefined, bytes: scan.value() }
    } else if (!scan.take(CLOSE_LIST)) {
      let index = 0
      do yield { name, index: index++, bytes: scan.value() }
      while (scan.take(COMMA))
      if (!scan.take(CLOSE_LIST)) return scan.broken(`, after ${name}[${index - 1}]`)
    }
  } while (scan.take(COMMA))
  return scan.take(CLOSE_OBJECT) ? scan.atEnd() : scan.broken()
}

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x22, 0x5c, 0x2c, 0x3a, 0x7b, 0x7d, 0x5b, 0x5d]
const spaces: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d])
const afterScalar: ReadonlySet<number | undefined> = new Set([...spaces, COMMA, CLOSE_OBJECT, CLOSE_LIST, undefined])

const decoder = new TextDecoder()

const nameProblem = (quoted: Uint8Array): string | undefined => {
  if (!isUtf8(quoted)) return "is not valid UTF-8"
  const problem = jsonProblem(decoder.decode(quoted))
  return problem === undefined || problem.reason.startsWith("is not valid JSON") ? problem?.reason : `a field's name ${problem.reason}`
}

class Members {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The byte, if it comes next. */
  take(byte: number | undefined): boolean {
    this.#skipSpace()
    if (this.#bytes[this.#at] !== byte) return false
    this.#at++
    return true
  }

  /** With its quotes; undefined where none comes next. */
  name(): Uint8Array | undefined {
    this.#skipSpace()
    return this.#bytes[this.#at] === QUOTE ? this.value() : undefined
  }

  /** Up to where the next value ends, or all that is left where it does not end. */
  value(): Uint8Array {
    this.#skipSpace()
    const start = this.#at
    const first = this.#bytes[start]
    if (first === QUOTE) this.#string()
    else if (first === OPEN_OBJECT || first === OPEN_LIST) this.#container()
    else while (!afterScalar.has(this.#bytes[this.#at])) this.#at++
    return this.#bytes.subarray(start, this.#at)
  }

  atEnd(): string | undefined {
    this.#skipSpace()
    return this.#at === this.#bytes.length ? undefined : this.broken()
  }

  /** `place`: behind which it is broken. */
  broken(place = ""): string {
    this.#skipSpace()
    const { length } = this.#bytes
    const what = this.#at < length ? `unexpected ${this.#found()}` : length === 0 ? "it is empty" : "it ends too early"
    return `is not valid JSON: ${what} at byte ${this.#at + 1}${place}`
  }

  #found(): string {
    return JSON.stringify(decoder.decode(this.#bytes.subarray(this.#at, this.#at + 4)).slice(0, 1))
  }

  #container(): void {
    let depth = 0
    do {
      const byte = this.#bytes[this.#at]
      if (byte === QUOTE) {
        this.#string()
        continue
      }
      if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++
      if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth--
      this.#at++
    } while (depth > 0 && this.#at < this.#bytes.length)
  }

  /** Behind the closing quote, or at the end. */
  #string(): void {
    this.#at++
    while (this.#at < this.#bytes.length && this.#bytes[this.#at] !== QUOTE) this.#at += this.#bytes[this.#at] === BACKSLASH ? 2 : 1
    this.#at = Math.min(this.#at + 1, this.#bytes.length)
  }

  #skipSpace(): void {
    while (spaces.has(this.#bytes[this.#at])) this.#at++
  }
}
