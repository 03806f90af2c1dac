/**
 * Keyset cursors: the sort key of the last item of a page, opaque to clients. Microseconds, because that is what a
 * `timestamptz` holds: a cursor of milliseconds would skip or repeat items.
 */
import { BadRequest } from "@englog/rpc/http/HttpErrors"
import { Effect } from "effect"

export interface Cursor {
  /** Since 1970-01-01T00:00:00Z, in decimal. */
  readonly micros: string
  readonly id: string
}

export const encodeCursor = ({ micros, id }: Cursor): string => Buffer.from(`${micros}.${id}`, "latin1").toString("base64url")

const shape = /^(-?\d{1,16})\.([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/

export const decodeCursor = (text: string): Effect.Effect<Cursor, BadRequest> => {
  const [, micros, id] = shape.exec(Buffer.from(text, "base64url").toString("latin1")) ?? []
  return micros === undefined || id === undefined
    ? Effect.fail(new BadRequest({ error: "cursor: is not a next_cursor of an earlier page" }))
    : Effect.succeed({ micros, id })
}

/** Cuts the row too many that was read to learn whether there is a next page. */
export const toPage = <Row extends Cursor>(
  rows: ReadonlyArray<Row>,
  limit: number
): { readonly rows: ReadonlyArray<Row>; readonly next_cursor: string | null } => {
  const last = rows[limit - 1]
  return { rows: rows.slice(0, limit), next_cursor: rows.length > limit && last !== undefined ? encodeCursor(last) : null }
}
