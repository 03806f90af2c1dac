/**
 * Facts about one group of entries beside the whole: its time, its share of all minutes, its size.
 */
import type { Fact } from "./Fact.ts"
import type { PlacedEntry } from "./LocalTime.ts"
import { makeFact } from "./MakeFact.ts"

export interface Group<K> {
  readonly key: K
  readonly members: ReadonlyArray<PlacedEntry>
  readonly minutes: number
}

export const minutesOf = (members: ReadonlyArray<PlacedEntry>): number =>
  members.reduce((sum, { entry }) => sum + entry.duration_minutes, 0)

/** An entry may belong to several groups (tags) or to none. Most minutes first; among equals the one that began earliest. */
export const groupBy = <K>(
  placed: ReadonlyArray<PlacedEntry>,
  keys: (entry: PlacedEntry) => Iterable<K>
): ReadonlyArray<Group<K>> => {
  const groups = new Map<K, Array<PlacedEntry>>()
  for (const one of placed) {
    for (const key of new Set(keys(one))) {
      const members = groups.get(key)
      if (members === undefined) groups.set(key, [one])
      else members.push(one)
    }
  }
  return [...groups]
    .map(([key, members]) => ({ key, members, minutes: minutesOf(members) }))
    .sort((a, b) => b.minutes - a.minutes)
}

/** `<prefix>.time` and `<prefix>.share`. */
export const groupFacts = (
  prefix: string,
  what: string,
  members: ReadonlyArray<PlacedEntry>,
  total: number
): ReadonlyArray<Fact> => {
  const minutes = minutesOf(members)
  const share = shareOf(minutes, total)
  return [
    makeFact({ id: `${prefix}.time`, label: `Time ${what}`, value: minutes, unit: "minutes", on: members }),
    makeFact({ id: `${prefix}.share`, label: `Share of all time ${what}`, value: share, unit: "percent", on: members })
  ]
}

/** `<prefix>.entries`: how many entries the group has. */
export const groupSize = (prefix: string, what: string, members: ReadonlyArray<PlacedEntry>): Fact =>
  makeFact({ id: `${prefix}.entries`, label: `Entries ${what}`, value: members.length, unit: "count", on: members })

/** Percent, 0..100; 0 of nothing. */
export const shareOf = (minutes: number, total: number): number => total === 0 ? 0 : minutes / total * 100
