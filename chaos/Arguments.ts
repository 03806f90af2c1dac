/** `npm run chaos [-- --seed N] [-- --minutes M] [-- --quick] [-- --mutate fence]`. */
import { parseArgs } from "node:util"

export interface Arguments {
  readonly seed: number
  /** Of load and faults together with healing and checking, roughly. */
  readonly minutes: number
  readonly mutate: boolean
}

const QUICK_MINUTES = 3

/** A sentence where the words make no sense. */
export const read = (words: ReadonlyArray<string>, fallbackSeed: number): Arguments | string => {
  const values = parsed(words)
  if (typeof values === "string") return values
  const seed = values.seed === undefined ? fallbackSeed : Number(values.seed)
  if (!Number.isSafeInteger(seed) || seed < 0) return `--seed ${values.seed}: must be a whole number, 0 or more`
  const minutes = values.minutes === undefined ? QUICK_MINUTES : Number(values.minutes)
  if (!(minutes >= 2 && minutes <= 24 * 60)) return `--minutes ${values.minutes}: must be from 2 to 1440`
  if (values.mutate !== undefined && values.mutate !== "fence") return `--mutate ${values.mutate}: only "fence" can be removed`
  return { seed, minutes, mutate: values.mutate === "fence" }
}

const options = {
  seed: { type: "string" },
  minutes: { type: "string" },
  // Three minutes, which is the default.
  quick: { type: "boolean" },
  mutate: { type: "string" }
} as const

const parsed = (words: ReadonlyArray<string>) => {
  try {
    return parseArgs({ args: [...words], options }).values
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause)
  }
}
