/**
 * Errors as logs and traces may tell them. The message of an error that this project defines is a sentence of ours and is
 * kept; every other message may quote what a person or a model wrote (a row that PostgreSQL refused, a value that a schema
 * did not take, a token that did not parse), so that only type, code and the places in the code are told.
 */
import { Cause, Predicate } from "effect"

/** One line, causes included. */
export const describeError = (error: unknown): string =>
  chain(error).map((one) => headline(one)).join("; caused by ")

/** All reasons with their places in the code. */
export const describeCause = (cause: Cause.Cause<unknown>): string =>
  cause.reasons.map((reason) => {
    switch (reason._tag) {
      case "Fail":
        return withFrames(reason.error)
      case "Die":
        return withFrames(reason.defect)
      case "Interrupt":
        return "interrupted"
    }
  }).join("\n")

/** Lines of a stack that name a place in code; a message may have any number of lines before them. */
const FRAME = /^ {4}at (?:[^\s()]+(?: [^\s()]+){0,5} \()?(?:file:\/\/|node:|\/)[^\s()]*:\d+:\d+\)?$/

export const framesOf = (stack: string): string => stack.split("\n").filter((line) => FRAME.test(line)).join("\n")

const withFrames = (error: unknown): string =>
  chain(error).map((one, index) => {
    const frames = one instanceof Error ? framesOf(one.stack ?? "") : ""
    return `${index === 0 ? "" : "[cause]: "}${headline(one)}${frames === "" ? "" : `\n${frames}`}`
  }).join("\n")

const headline = (error: unknown): string => {
  if (!(error instanceof Error)) return `a failure that is no error (${Predicate.hasProperty(error, "_tag") ? String(error._tag) : typeof error})`
  if (isOurs(error)) return `${error.name}: ${error.message}`
  const details = ["code", "constraint"].flatMap((name) => detail(error, name))
  return `${error.name}${details.length === 0 ? "" : ` (${details.join(", ")})`}`
}

/** Classes of Schema.TaggedError carry their identifier; the library's begin with its name. */
const isOurs = (error: Error): boolean =>
  `~effect/Schema/Class/${error.name}` in error && !/^@?effect\//.test(error.name)

/** Names of the system's or the database's own making: ECONNREFUSED, 23505, users_by_email. */
const detail = (error: Error, name: string): ReadonlyArray<string> => {
  const value = Predicate.hasProperty(error, name) ? error[name] : undefined
  return typeof value === "number" || (typeof value === "string" && /^\w{1,63}$/.test(value)) ? [String(value)] : []
}

const chain = (error: unknown, depth = 0): ReadonlyArray<unknown> =>
  error instanceof Error && error.cause !== undefined && error.cause !== null && depth < MAX_DEPTH
    ? [error, ...chain(error.cause, depth + 1)]
    : [error]

/** A chain that runs in a circle ends somewhere. */
const MAX_DEPTH = 8
