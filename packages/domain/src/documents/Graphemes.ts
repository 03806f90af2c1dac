/**
 * Boundaries between characters as people see them (grapheme clusters, UAX 29), found near a position without looking at the
 * whole text. A cluster of more than 4,096 UTF-16 units may be taken for several.
 */

const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" })

const WINDOW = 4_096

/** Two of these never make one cluster: printable ASCII, ideographs, and kana without their combining marks. */
const isPlain = (unit: number): boolean =>
  (unit >= 0x20 && unit < 0x7f) || (unit >= 0x4e00 && unit < 0xa000) || (unit >= 0x3041 && unit < 0x3097) || (unit >= 0x30a1 && unit < 0x30fb)

/** A boundary at or before `position` from which segmentation may begin. */
const safeBefore = (text: string, position: number): number => {
  const least = Math.max(0, position - WINDOW)
  for (let at = position - 1; at > least; at--) {
    if (text[at - 1] === "\n" || (isPlain(text.charCodeAt(at)) && isPlain(text.charCodeAt(at - 1)))) return at
  }
  return least
}

/** The cluster that holds the unit at `position`. */
const clusterAt = (text: string, position: number): { readonly start: number; readonly end: number } => {
  const from = safeBefore(text, position)
  const found = segmenter.segment(text.slice(from, position + WINDOW)).containing(position - from)
  return found === undefined ? { start: position, end: position } : { start: from + found.index, end: from + found.index + found.segment.length }
}

export const graphemeAtOrBefore = (text: string, position: number): number =>
  position <= 0 ? 0 : position >= text.length ? text.length : clusterAt(text, position).start

export const graphemeAtOrAfter = (text: string, position: number): number => {
  if (position <= 0) return 0
  if (position >= text.length) return text.length
  const { end, start } = clusterAt(text, position)
  return start === position ? position : end
}
