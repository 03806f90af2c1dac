/**
 * What a figure may stand on besides a fact: the words of an entry, and the request's context.
 */
import { DateTime } from "effect"
import type { Schema } from "effect"
import type { FactEntry } from "../facts/Fact.ts"
import { isoDate } from "../facts/LocalTime.ts"
import type { LocalClock } from "../facts/LocalTime.ts"
import type { InsightContext } from "../insights/Insight.ts"
import { figuresIn } from "./Figures.ts"

/** What of an entry a figure may stand on. */
export type CitedEntry = Pick<FactEntry, "id" | "title" | "description" | "project_name" | "tags" | "start_time">

/**
 * Every field a reader would call the entry's text, and the local date on which it starts (`YYYY-MM-DD`). The length and
 * the clock times are left to facts: as bare numbers they would vouch for any claim of the same size.
 */
export const entryFigures = (entry: CitedEntry, clock: LocalClock): ReadonlySet<string> =>
  union([
    entry.title,
    entry.description ?? "",
    entry.project_name ?? "",
    ...entry.tags,
    isoDate(clock.at(DateTime.toEpochMillis(entry.start_time)).day)
  ].map((text) => figuresIn(text, true)))

/** Any string within the context: text, keys, values and numbers. */
export const contextFigures = (context: InsightContext | null): ReadonlySet<string> =>
  context === null ? new Set() : union(stringsIn(context).map((text) => figuresIn(text, true)))

/** Walks with a list of its own: the depth of a JSON value is the requester's choice. */
const stringsIn = (context: Schema.Json): ReadonlyArray<string> => {
  const found: Array<string> = []
  const open: Array<Schema.Json> = [context]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === "string") found.push(value)
    else if (typeof value === "number") found.push(String(value))
    else if (typeof value === "object" && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        if (!Array.isArray(value)) found.push(key)
        open.push(inner)
      }
    }
  }
  return found
}

export const union = (sets: Iterable<ReadonlySet<string>>): ReadonlySet<string> => {
  const all = new Set<string>()
  for (const set of sets) for (const figure of set) all.add(figure)
  return all
}
