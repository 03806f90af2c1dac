/** Overlaps and gaps of what lies on a timeline. Pure; times in milliseconds since the epoch, half-open. */

export interface Span {
  readonly start: number
  readonly end: number
}

export interface Overlapping<A> {
  readonly other: A
  /** Milliseconds. */
  readonly shared: number
}

/** Told of one span at most. */
const MAX_OVERLAPS = 20

/** For each span, in the order given, those that share some of its time; the earliest first. */
export const overlapsOf = <A extends Span>(spans: ReadonlyArray<A>): ReadonlyMap<A, ReadonlyArray<Overlapping<A>>> => {
  const ordered = spans.toSorted((a, b) => a.start - b.start || a.end - b.end)
  const found = new Map<A, Array<Overlapping<A>>>(spans.map((span) => [span, []]))
  let open: Array<A> = []
  for (const span of ordered) {
    open = open.filter(({ end }) => end > span.start)
    for (const other of open) {
      const shared = Math.min(other.end, span.end) - span.start
      note(found.get(span), { other, shared })
      note(found.get(other), { other: span, shared })
    }
    open.push(span)
  }
  return found
}

const note = <A>(list: Array<Overlapping<A>> | undefined, overlap: Overlapping<A>) => {
  if (list !== undefined && list.length < MAX_OVERLAPS && overlap.shared > 0) list.push(overlap)
}

/** Shorter ones are between two meetings, not missing work. */
const SHORTEST_GAP = 60_000

/** What no span covers between the first and the last of them, within `day`. */
export const gapsWithin = (day: Span, spans: ReadonlyArray<Span>): ReadonlyArray<Span> => {
  const clipped = spans
    .map(({ end, start }) => ({ start: Math.max(start, day.start), end: Math.min(end, day.end) }))
    .filter(({ end, start }) => end > start)
    .toSorted((a, b) => a.start - b.start)
  const gaps: Array<Span> = []
  let covered = clipped[0]?.start ?? day.start
  for (const { end, start } of clipped) {
    if (start - covered >= SHORTEST_GAP) gaps.push({ start: covered, end: start })
    covered = Math.max(covered, end)
  }
  return gaps
}
