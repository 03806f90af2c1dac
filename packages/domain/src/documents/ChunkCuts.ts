/** Where one chunk ends and the next one begins, in a text whose sections and fences are known; see Chunks. */
import { graphemeAtOrAfter, graphemeAtOrBefore } from "./Graphemes.ts"

export interface Span {
  readonly start: number
  readonly end: number
}

export interface ChunkLimits {
  readonly chunk_size: number
  /** At most half of `chunk_size`. */
  readonly overlap: number
}

/** Part of a text that stands under one heading; it may begin before the text at hand. */
export interface Section extends Span {
  /** Titles of the headings that it stands under, the outermost first. */
  readonly heading_path: ReadonlyArray<string>
}

export interface Chunk extends Section {
  /** Where what it does not repeat begins. */
  readonly core: number
}

/** The fence that a position lies within, not at its edge. */
export type FenceAt = (position: number) => Span | undefined

/** `fences` in the order of the text. */
export const fenceFinder = (fences: ReadonlyArray<Span>): FenceAt => (position) => {
  let low = 0
  let high = fences.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((fences[middle]?.end ?? 0) <= position) low = middle + 1
    else high = middle
  }
  const found = fences[low]
  return found !== undefined && found.start < position ? found : undefined
}

/** How far beyond the beginning of its own part a chunk's end is looked for. */
export const reachOf = ({ chunk_size }: ChunkLimits): number => 2 * chunk_size + NEAR
/** How far before it what it repeats is. */
export const reachBackOf = ({ overlap }: ChunkLimits): number => overlap + NEAR

/** Boundaries of characters are found within 4,096 units; twice that, to be sure. */
const NEAR = 8_192

const overlapStart = (text: string, section: Section, core: number, overlap: number, fenceAt: FenceAt): number => {
  const wanted = Math.max(section.start, core - overlap)
  const fence = fenceAt(wanted)
  // In a fence that is being cut anyway its own lines may be repeated.
  const allowed = fence === undefined || fence.end > core ? wanted : fence.end
  return allowed >= core ? core : Math.min(core, graphemeAtOrAfter(text, allowed))
}

export const cutChunk = (text: string, section: Section, core: number, { chunk_size, overlap }: ChunkLimits, fenceAt: FenceAt): Chunk => {
  const { end: last, heading_path } = section
  const start = overlapStart(text, section, core, overlap, fenceAt)
  if (last - start <= chunk_size) return { start, core, end: last, heading_path }
  const fence = fits(fenceAt(core + 1), chunk_size)
  if (fence !== undefined && fence.end > start + chunk_size) {
    const room = chunk_size - (fence.end - core)
    return { start: overlapStart(text, section, core, room, fenceAt), core, end: fence.end, heading_path }
  }
  const limit = start + chunk_size
  return { start, core, end: bestCut(text, core, limit, (position) => fits(fenceAt(position), chunk_size), fenceAt(limit)), heading_path }
}

/** The fence, where it is one that is not to be cut. */
const fits = (fence: Span | undefined, size: number): Span | undefined => fence === undefined || fence.end - fence.start > size ? undefined : fence

/** The best place in (`from`, `limit`], in no fence that fits into a chunk, and before a fence that begins there and ends later. */
const bestCut = (text: string, from: number, limit: number, wholeFenceAt: FenceAt, last: Span | undefined): number => {
  const whole = last !== undefined && last.start > from ? last.start : limit
  const allowed = (position: number) => wholeFenceAt(position) === undefined
  const least = from + Math.ceil((whole - from) / 2)
  for (const boundary of boundaries) {
    const found = lastBoundary(text, least, whole, boundary, allowed)
    if (found !== undefined) return found
  }
  if (whole < limit) return whole
  const word = lastBoundary(text, from + 1, whole, WORD, allowed)
  if (word !== undefined) return word
  const grapheme = graphemeAtOrBefore(text, whole)
  // One character of more than a whole chunk: only its surrogate pairs stay together.
  return grapheme > from ? grapheme : isSecondHalf(text, whole) ? whole - 1 : whole
}

const isSecondHalf = (text: string, position: number): boolean => /[\udc00-\udfff]/.test(text[position] ?? "")

/** Ends of matches are boundaries. */
const PARAGRAPH = /\n[ \t\r]*\n\s*/g
const LINE = /\n/g
const SENTENCE = /[.!?…]+["'”’»)\]]*\s+|[。！？｡]+[」』”’）]*|[।॥؟۔]+\s*/gu
const WORD = /\s+/g
const boundaries = [PARAGRAPH, LINE, SENTENCE, WORD]

/** The last one in [`least`, `most`] that is allowed and cuts no character. */
const lastBoundary = (text: string, least: number, most: number, boundary: RegExp, allowed: (position: number) => boolean): number | undefined =>
  Array.from(text.slice(least - 1, most).matchAll(boundary), (match) => least - 1 + match.index + match[0].length)
    .findLast((end) => end >= least && allowed(end) && graphemeAtOrBefore(text, end) === end)
