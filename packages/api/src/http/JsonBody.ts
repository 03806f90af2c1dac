/**
 * What is wrong with a JSON body before any schema sees it: where it stops being JSON, and text that cannot be stored.
 */
import { Predicate } from "effect"

/** Line and column of the first character that no JSON text could have there, from 1; undefined where the text is JSON. */
export const jsonError = (text: string): string | undefined => {
  if (failure(text) === undefined) return undefined
  if (text.trim() === "") return "it is empty"
  let viable = 0
  let broken = text.length + 1
  // Every beginning of a viable text is viable, so the first error can be found by halving.
  while (broken - viable > 1) {
    const middle = Math.floor((viable + broken) / 2)
    if (isViable(text.slice(0, middle))) viable = middle
    else broken = middle
  }
  const before = text.slice(0, viable)
  const line = before.split("\n").length
  const what = viable >= text.length ? "it ends too early" : `unexpected ${JSON.stringify(text[viable])}`
  return `${what} at line ${line}, column ${viable - before.lastIndexOf("\n")}`
}

const failure = (text: string): string | undefined => {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Could this be the beginning of a JSON text? So it is when its only error is that it ends. */
const isViable = (beginning: string): boolean => {
  const message = failure(beginning)
  if (message === undefined || message === "Unexpected end of JSON input") return true
  const position = /at position (\d+)/.exec(message)?.[1]
  return message.startsWith("Unterminated string") || (position !== undefined && Number(position) >= beginning.length)
}

/** In JSON, both can only be written as an escape; looking for it costs little. */
const suspicious = /\\u(0000|[dD][89a-fA-F])/

/** Names the first value (or key) with a NUL or half of a surrogate pair, which PostgreSQL does not store. */
export const unstorableText = (text: string): string | undefined => {
  if (!suspicious.test(text) || failure(text) !== undefined) return undefined
  return search(JSON.parse(text), "")
}

const search = (value: unknown, path: string): string | undefined => {
  if (typeof value === "string") {
    const problem = unstorable(value)
    return problem === undefined ? undefined : `${path === "" ? "body" : path}: ${problem}`
  }
  if (Array.isArray(value)) return firstProblem(value.map((item, index) => [`${path}[${index}]`, item]))
  if (!Predicate.isObject(value)) return undefined
  const badKey = Object.keys(value).find((key) => unstorable(key) !== undefined)
  if (badKey !== undefined) return `${path === "" ? "body" : path}: a field's name ${unstorable(badKey)}`
  return firstProblem(Object.entries(value).map(([key, item]) => [path === "" ? key : `${path}.${key}`, item]))
}

const firstProblem = (items: ReadonlyArray<readonly [string, unknown]>): string | undefined => {
  for (const [path, item] of items) {
    const problem = search(item, path)
    if (problem !== undefined) return problem
  }
  return undefined
}

export const unstorable = (text: string): string | undefined =>
  text.includes("\u0000")
    ? "must not contain the NUL character"
    : text.isWellFormed()
    ? undefined
    : "must not contain half of a surrogate pair"
