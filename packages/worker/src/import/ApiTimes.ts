/** Times as APIs write them. */
import { DateTime, Option } from "effect"

const first = DateTime.makeUnsafe("1900-01-02T00:00:00Z")
const last = DateTime.makeUnsafe("2199-12-30T00:00:00Z")

/** Nothing else becomes an item: one that is refused would cost all the others. */
export const isStorable = (at: DateTime.DateTime): boolean => DateTime.isGreaterThan(at, first) && DateTime.isLessThan(at, last)

const WRITTEN = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(?:(Z)|([+-]\d{2}):?(\d{2}))$/

/** RFC 3339, and ISO 8601's offsets without a colon, as in `2026-01-05T09:00:00.000+0200`. */
export const instantOf = (text: string | null | undefined): DateTime.Utc | undefined => {
  const [, local, z, hours, minutes] = WRITTEN.exec(text ?? "") ?? []
  if (local === undefined) return undefined
  const at = DateTime.make(`${local}${z ?? `${hours}:${minutes}`}`)
  return Option.getOrUndefined(Option.filter(Option.map(at, DateTime.toUtc), isStorable))
}
