/** Minutes by group: of what kind, for which project, at which hour. */
import type { Placed } from "../facts/LocalTime.ts"
import type { Measured } from "../metrics/ActivityGroups.ts"

export interface Amount {
  readonly minutes: number
  readonly entries: number
}

export interface Share extends Amount {
  /** Percent of the whole; 0 of nothing. */
  readonly share: number
}

export const amountOf = (placed: ReadonlyArray<Placed<Pick<Measured, "duration_minutes">>>): Amount => ({
  minutes: placed.reduce((sum, { entry }) => sum + entry.duration_minutes, 0),
  entries: placed.length
})

export const shareOf = (part: Amount, whole: Amount): Share => ({ ...part, share: whole.minutes === 0 ? 0 : part.minutes / whole.minutes * 100 })

/** The largest group first; among equals the one that was met first. */
export const sharesBy = <Entry extends Pick<Measured, "duration_minutes">, Key>(
  placed: ReadonlyArray<Placed<Entry>>,
  key: (one: Placed<Entry>) => Key
): ReadonlyArray<Share & { readonly key: Key }> => {
  const whole = amountOf(placed)
  return [...Map.groupBy(placed, key)]
    .map(([key, group]) => ({ key, ...shareOf(amountOf(group), whole) }))
    .sort((a, b) => b.minutes - a.minutes)
}

/** The groups from `first` to `last` in their order, empty ones too. */
export const sharesOfEach = <Entry extends Pick<Measured, "duration_minutes">>(
  placed: ReadonlyArray<Placed<Entry>>,
  key: (one: Placed<Entry>) => number,
  first: number,
  last: number
): ReadonlyArray<Share & { readonly key: number }> => {
  const groups = Map.groupBy(placed, key)
  const whole = amountOf(placed)
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    key: first + index,
    ...shareOf(amountOf(groups.get(first + index) ?? []), whole)
  }))
}
