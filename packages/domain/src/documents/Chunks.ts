/**
 * Cuts a document into chunks by its structure: at headings first, then between paragraphs, lines, sentences and words, and
 * only where there is none of these between two characters as people see them (grapheme clusters, UAX 29). Offsets count
 * UTF-16 units, as JavaScript does.
 *
 * - Every character that is not white space is in the own part (`core` … `end`) of exactly one chunk.
 * - No chunk is longer than `chunk_size`, its overlap included.
 * - A code fence stays whole, unless it alone is longer than `chunk_size`; then it is cut between its lines.
 * - A chunk repeats the last `overlap` units before its own part (`start` … `core`): less where its section begins later, where
 *   a character or a fence would be cut, or where a whole fence needs the room.
 *
 * A document may come piece by piece: its chunks are the same, and no more of its text is kept than the next ones need.
 */
import { type Chunk, type ChunkLimits, cutChunk, fenceFinder, reachBackOf, reachOf, type Span } from "./ChunkCuts.ts"

export interface Heading extends Span {
  /** 1 … 6. Start and end are those of its line, or lines. */
  readonly level: number
  readonly title: string
}

/** A document as its parser understood it, or the next piece of one; headings and fences in the order of the text. */
export interface StructuredText {
  readonly text: string
  /** Those that begin in the piece; they end in it, too. Offsets count from the beginning of the document. */
  readonly headings: ReadonlyArray<Heading>
  readonly fences: ReadonlyArray<Span>
}

export interface TextChunk extends Chunk {
  readonly text: string
}

export interface ChunkCutter {
  /** The next piece; answers what is certain by now. */
  readonly push: (piece: StructuredText) => ReadonlyArray<TextChunk>
  /** There is no more. */
  readonly end: () => ReadonlyArray<TextChunk>
}

export const chunksOf = (document: StructuredText, limits: ChunkLimits): ReadonlyArray<TextChunk> => {
  const cutter = chunkCutter(limits)
  return [...cutter.push(document), ...cutter.end()]
}

export const chunkCutter = (limits: ChunkLimits): ChunkCutter => {
  /** The text that is kept, and where in the document it begins. */
  let text = ""
  let base = 0
  let fences: ReadonlyArray<Span> = []
  /** The section that is being cut: where it begins, its headings, and how far it is cut. */
  let start = 0
  let path: ReadonlyArray<Heading> = []
  let core = 0
  /** Whether only white space has come since the heading before, or since the section began. */
  let bare = true
  /** How far the text was looked through for that. */
  let seen = 0

  const lookUntil = (position: number) => {
    bare &&= text.slice(Math.max(0, seen - base), position - base).trim() === ""
    seen = position
  }

  /** Chunks of the section, which ends at `last`; those that might still end elsewhere are left where `open`. */
  const cut = (last: number, open: boolean): ReadonlyArray<TextChunk> => {
    const chunks: Array<TextChunk> = []
    const fenceAt = (position: number) => {
      const fence = fenceFinder(fences)(position + base)
      return fence === undefined ? undefined : shifted(fence, -base)
    }
    const section = { start: start - base, end: last - base, heading_path: path.map(({ title }) => title) }
    const certain = open ? last - reachOf(limits) : last
    while (core < certain) {
      const chunk = cutChunk(text, section, core - base, limits, fenceAt)
      if (text.slice(chunk.core, chunk.end).trim() !== "") {
        chunks.push({ ...shifted(chunk, base), core: chunk.core + base, text: text.slice(chunk.start, chunk.end) })
      }
      core = chunk.end + base
    }
    return chunks
  }

  /** A heading with nothing under it but a deeper heading goes with that one. */
  const enter = (heading: Heading): ReadonlyArray<TextChunk> => {
    if (heading.start < start || fenceFinder(fences)(heading.start) !== undefined) return []
    lookUntil(heading.start)
    const stays = bare && heading.level > (path.at(-1)?.level ?? 0)
    const chunks = stays ? [] : cut(heading.start, false)
    if (!stays) {
      start = heading.start
      core = heading.start
    }
    path = [...path.filter(({ level }) => level < heading.level), heading]
    bare = true
    seen = heading.end
    return chunks
  }

  const forget = () => {
    const kept = Math.max(base, Math.min(core, seen) - reachBackOf(limits))
    text = text.slice(kept - base)
    base = kept
    fences = fences.filter(({ end }) => end > kept)
  }

  return {
    push: (piece) => {
      text += piece.text
      fences = [...fences, ...piece.fences]
      const chunks = piece.headings.flatMap(enter)
      lookUntil(base + text.length)
      const more = cut(base + text.length, true)
      forget()
      return [...chunks, ...more]
    },
    end: () => cut(base + text.length, false)
  }
}

const shifted = <A extends Span>(span: A, by: number): A => ({ ...span, start: span.start + by, end: span.end + by })
