/**
 * The number under which a task is stored, 63 bits: 41 bits of milliseconds since 1970, 10 of the process that made
 * it, 12 of a counter. So numbers follow the order of submission, on many servers too, and nobody has to ask the database for
 * them. The public task id carries its number in front of its unguessable part, and is found by it.
 */
import type { TaskId } from "../Ids.ts"

/** Processes that make numbers at the same time. */
export const WRITERS = 1024
const PER_MILLISECOND = 4096

/** Makes the numbers of one process; `writer` in 0..1023 tells it from the others. Never the same twice, and always rising. */
export const makeTaskNumbers = (writer: number): (now: number) => bigint => {
  let last = 0
  let count = 0
  return (now) => {
    // A clock that was set back, or more than 4,096 numbers in a millisecond: borrow from the next one.
    if (now > last) {
      last = now
      count = 0
    } else if (++count === PER_MILLISECOND) {
      last += 1
      count = 0
    }
    return (BigInt(last) << 22n) | BigInt((writer << 12) | count)
  }
}

/** The first number of a moment, in milliseconds since 1970. */
export const firstNumberAt = (millis: number): bigint => BigInt(Math.max(0, Math.floor(millis))) << 22n

const DIGITS = 16

/** How a number stands in a task id. */
export const inTaskId = (number: bigint): string => number.toString(16).padStart(DIGITS, "0")

/** The number of a task id; none for ids of earlier versions, and for those that nobody ever gave out. */
export const numberOf = (task_id: TaskId): bigint | undefined => {
  const suffix = task_id.slice(-2 * DIGITS - 1)
  if (suffix.length !== 2 * DIGITS + 1 || suffix[0] !== "_") return undefined
  const digits = suffix.slice(1, DIGITS + 1)
  return /^[0-7][0-9a-f]{15}$/.test(digits) ? BigInt(`0x${digits}`) : undefined
}
