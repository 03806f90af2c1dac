/**
 * What lists of entries are put in order by, and cursors that go on in the order they were given for. Ties are by id, so every
 * order is total.
 */
import type { EntrySort, SortDirection } from "@englog/rpc/http/EntriesApi"
import { BadRequest } from "@englog/rpc/http/HttpErrors"
import { Effect } from "effect"
import { type Cursor, decodeCursor } from "../http/Cursor.ts"

export interface EntryOrder {
  readonly sort: EntrySort
  readonly direction: SortDirection
}

export const newestFirst: EntryOrder = { sort: "start_time", direction: "desc" }

const microseconds = (column: string) => ({
  key: column,
  text: `(EXTRACT(EPOCH FROM ${column}) * 1000000)::bigint::text`,
  place: { before: "timestamptz 'epoch' +", after: "* interval '1 microsecond'" }
})

/** SQL of the key that is compared, of the number that a cursor has for it, and of what stands around that number to make it a key again. */
export const sortKeys = {
  start_time: microseconds("e.start_time"),
  created_at: microseconds("e.created_at"),
  updated_at: microseconds("e.updated_at"),
  duration: {
    key: "COALESCE(e.duration_minutes, -1)::bigint",
    text: "COALESCE(e.duration_minutes, -1)::text",
    place: { before: "", after: "" }
  }
} as const

const nameOf = ({ direction, sort }: EntryOrder): string => `${sort}.${direction}.`

/** The cursor of the default order has no name: it is what it was before there were others. */
const prefixOf = (order: EntryOrder): string => nameOf(order) === nameOf(newestFirst) ? "" : nameOf(order)

export const namedCursor = (order: EntryOrder, cursor: string | null): string | null => cursor === null ? null : `${prefixOf(order)}${cursor}`

export const cursorOf = (order: EntryOrder, text: string): Effect.Effect<Cursor, BadRequest> => {
  const prefix = prefixOf(order)
  const other = prefix === "" ? text.includes(".") : !text.startsWith(prefix)
  return other
    ? Effect.fail(new BadRequest({ error: "cursor: is not a next_cursor of a page in this order" }))
    : decodeCursor(text.slice(prefix.length))
}
