/**
 * What is wrong with a JSON text before any schema sees it: where it stops being JSON (RFC 8259), and what `JSON.parse`
 * takes but alters, drops or cannot bound: a field that is given twice, `__proto__`, numbers that no double holds, text that
 * PostgreSQL does not store, nesting that no recursion outlives, and lists without end. One pass, without recursion.
 */
import { unstorable } from "@englog/rpc/http/PlainText"
import { fieldName } from "./FieldName.ts"

export interface JsonProblem {
  /** `tags[1]`; empty for the whole. */
  readonly field: string
  readonly reason: string
}

/** Levels of lists and objects within each other. */
export const maxDepth = 64

/** Of one list or object. What is wrong with each of half a million would take seconds to say. */
export const maxMembers = 10_000

/** `members`: where lists and objects may hold another number of them. */
export const jsonProblem = (text: string, members = maxMembers): JsonProblem | undefined => new Scan(text, members).run()

interface Container {
  readonly closing: "}" | "]"
  /** Those of an object so far. */
  readonly keys: Set<string>
  /** Of the value being read: a key, or its place in the list. */
  at: string | number
  members: number
}

const [quote, backslash, firstPrintable] = [0x22, 0x5c, 0x20]

const literals = ["true", "false", "null"]

class Scan {
  readonly #text: string
  readonly #maxMembers: number
  readonly #open: Array<Container> = []
  #at = 0
  #problem: JsonProblem | undefined

  constructor(text: string, members: number) {
    this.#text = text
    this.#maxMembers = members
  }

  run(): JsonProblem | undefined {
    this.#skipSpace()
    if (this.#at === this.#text.length) return { field: "", reason: "is not valid JSON: it is empty" }
    this.#value()
    for (let last = this.#open.at(-1); last !== undefined && this.#problem === undefined; last = this.#open.at(-1)) {
      this.#member(last)
    }
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#unexpected()
    return this.#problem
  }

  /** The next member of a list or object, or its end. */
  #member(container: Container): void {
    this.#skipSpace()
    if (this.#next() === container.closing) {
      this.#at++
      this.#open.pop()
      return
    }
    if (container.members > 0) this.#expect(",")
    if (container.members === this.#maxMembers) return this.#fail(`must hold at most ${this.#maxMembers} members`, this.#path().slice(0, -1))
    container.at = container.members++
    if (container.closing === "}") this.#key(container)
    this.#skipSpace()
    this.#value()
  }

  #key(container: Container): void {
    this.#skipSpace()
    const key = this.#next() === "\"" ? this.#string() : this.#unexpected()
    if (key === undefined) return
    const problem = unstorable(key) ?? (key === "__proto__" ? "must not be \"__proto__\"" : undefined)
    if (problem !== undefined) return this.#fail(`a field's name ${problem}`, this.#path().slice(0, -1))
    container.at = key
    if (container.keys.has(key)) return this.#fail("is given more than once")
    container.keys.add(key)
    this.#skipSpace()
    this.#expect(":")
  }

  #value(): void {
    const next = this.#next()
    if (next === "{" || next === "[") return this.#begin(next)
    if (next === "-" || isDigit(next)) return this.#number()
    if (next === "\"") {
      const problem = unstorable(this.#string() ?? "")
      return problem === undefined ? undefined : this.#fail(problem)
    }
    const literal = literals.find((one) => one[0] === next)
    if (literal === undefined) this.#unexpected()
    for (const letter of literal ?? "") this.#expect(letter)
  }

  #begin(opening: "{" | "["): void {
    if (this.#problem !== undefined) return
    if (this.#open.length === maxDepth) return this.#fail(`must not be nested more than ${maxDepth} levels deep`, this.#path().slice(0, 1))
    this.#at++
    this.#open.push({ closing: opening === "{" ? "}" : "]", keys: new Set(), at: 0, members: 0 })
  }

  /** Undefined where it is no string. */
  #string(): string | undefined {
    const start = this.#at++
    let escaped = false
    for (let code = this.#code(); code !== quote; code = this.#code()) {
      // Not a number at the end.
      if (!(code >= firstPrintable)) return this.#unexpected()
      if (code === backslash) {
        escaped = true
        this.#escape()
        if (this.#problem !== undefined) return undefined
      } else this.#at++
    }
    this.#at++
    return escaped ? String(JSON.parse(this.#text.slice(start, this.#at))) : this.#text.slice(start + 1, this.#at - 1)
  }

  #escape(): void {
    this.#at++
    const kind = this.#next()
    if (kind === "" || !"\"\\/bfnrtu".includes(kind)) return this.#unexpected()
    this.#at++
    for (let digits = kind === "u" ? 4 : 0; digits > 0; digits--) {
      if (!/^[0-9a-fA-F]$/.test(this.#next())) return this.#unexpected()
      this.#at++
    }
  }

  #number(): void {
    const start = this.#at
    if (this.#next() === "-") this.#at++
    if (this.#next() === "0") this.#at++
    else this.#digits()
    const isInteger = this.#next() !== "." && this.#next().toLowerCase() !== "e"
    if (this.#next() === ".") {
      this.#at++
      this.#digits()
    }
    if (this.#next().toLowerCase() === "e") {
      this.#at++
      if (this.#next() === "+" || this.#next() === "-") this.#at++
      this.#digits()
    }
    if (this.#problem !== undefined) return
    const text = this.#text.slice(start, this.#at)
    const number = Number(text)
    if (!Number.isFinite(number)) return this.#fail("must be a number of at most 1.79e308; send a larger one as text")
    if (isInteger && JSON.stringify(number) !== text && BigInt(text) !== BigInt(number)) {
      this.#fail(`must be a number that comes back as it was sent, as ${number} does; send it as text`)
    }
  }

  /** One or more. */
  #digits(): void {
    if (!isDigit(this.#next())) this.#unexpected()
    while (isDigit(this.#next())) this.#at++
  }

  #expect(letter: string): void {
    if (this.#next() === letter) this.#at++
    else this.#unexpected()
  }

  #skipSpace(): void {
    while (this.#code() <= firstPrintable && " \t\n\r".includes(this.#next())) this.#at++
  }

  #code(): number {
    return this.#text.charCodeAt(this.#at)
  }

  /** Empty at the end. */
  #next(): string {
    return this.#text.charAt(this.#at)
  }

  #unexpected(): undefined {
    const before = this.#text.slice(0, this.#at)
    const found = this.#text.codePointAt(this.#at)
    const what = found === undefined ? "it ends too early" : `unexpected ${JSON.stringify(String.fromCodePoint(found))}`
    const place = `line ${before.split("\n").length}, column ${this.#at - before.lastIndexOf("\n")}`
    this.#fail(`is not valid JSON: ${what} at ${place}`, [])
  }

  /** The first problem is the one that is told. */
  #fail(reason: string, path: ReadonlyArray<string | number> = this.#path()): void {
    this.#problem ??= { field: fieldName(path), reason }
  }

  #path(): ReadonlyArray<string | number> {
    return this.#open.map(({ at }) => at)
  }
}

const isDigit = (letter: string): boolean => letter >= "0" && letter <= "9"
