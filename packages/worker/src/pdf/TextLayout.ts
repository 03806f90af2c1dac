/**
 * Text set into lines: words of any of the fonts, broken where the width ends. Words that are written from right to left stand in that order
 * where several follow each other; full bidirectional layout (UAX #9) this is not.
 */
import type { Face, Fonts } from "./Fonts.ts"

export interface Span {
  readonly text: string
  readonly bold?: boolean
  /** A raised mark that leads to a destination of that name. */
  readonly note?: string
}

export interface Piece {
  readonly face: Face
  readonly text: string
  readonly width: number
  readonly size: number
  /** Points above the line on which letters stand. */
  readonly rise: number
  readonly note: string | undefined
}

export interface Line {
  readonly pieces: ReadonlyArray<Piece>
  readonly width: number
}

/** The width of a text in a font. */
export type Measure = (face: Face, size: number, text: string) => number

export interface TextLayout {
  readonly lines: (spans: ReadonlyArray<Span>, box: { readonly width: number; readonly size: number; readonly most?: number }) => ReadonlyArray<Line>
}

const NOTE_SIZE = 0.65
const NOTE_RISE = 0.38

/** Blanks, one character of a script without blanks, or a word. */
const TOKENS = /\s+|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]+/gu
const FROM_RIGHT = /[\p{Script=Arabic}\p{Script=Hebrew}]/u

interface Token {
  readonly pieces: ReadonlyArray<Piece>
  readonly width: number
  readonly blank: boolean
  readonly fromRight: boolean
}

export const makeTextLayout = (fonts: Fonts, measure: Measure): TextLayout => {
  const token = (text: string, { bold = false, note }: Omit<Span, "text">, size: number): Token => {
    const scale = note === undefined ? size : size * NOTE_SIZE
    const pieces = fonts.runsOf(text, bold ? "bold" : "text").map((run) =>
      ({ ...run, size: scale, rise: note === undefined ? 0 : size * NOTE_RISE, note, width: measure(run.face, scale, run.text) }))
    return { pieces, width: pieces.reduce((sum, { width }) => sum + width, 0), blank: /^\s+$/.test(text), fromRight: FROM_RIGHT.test(text) }
  }

  /** What is wider than a line is cut into what is not. */
  const fitting = (text: string, span: Span, size: number, width: number): ReadonlyArray<Token> => {
    const whole = token(text, span, size)
    if (whole.width <= width) return [whole]
    const parts: Array<string> = []
    let part = ""
    for (const character of text) {
      if (part !== "" && token(part + character, span, size).width > width) {
        parts.push(part)
        part = ""
      }
      part += character
    }
    return [...parts, part].map((text) => token(text, span, size))
  }

  return {
    lines: (spans, { most = Number.POSITIVE_INFINITY, size, width }) => {
      const tokens = spans.flatMap((span) => (span.text.match(TOKENS) ?? []).flatMap((text) => fitting(text, span, size, width)))
      const lines = broken(tokens, width)
      if (lines.length <= most) return lines.map(lineOf)
      const ellipsis = token("…", {}, size)
      const last = [...lines[most - 1] ?? []]
      while (last.length > 0 && widthOf(last) + ellipsis.width > width) last.pop()
      return [...lines.slice(0, most - 1), [...last, ellipsis]].map(lineOf)
    }
  }
}

const widthOf = (tokens: ReadonlyArray<Token>): number => tokens.reduce((sum, { width }) => sum + width, 0)

const broken = (tokens: ReadonlyArray<Token>, width: number): ReadonlyArray<ReadonlyArray<Token>> => {
  const lines: Array<Array<Token>> = []
  let line: Array<Token> = []
  let used = 0
  for (const token of tokens) {
    if (used + token.width > width && !token.blank && line.length > 0) {
      lines.push(line)
      line = []
      used = 0
    }
    if (token.blank && line.length === 0) continue
    line.push(token)
    used += token.width
  }
  return line.length > 0 ? [...lines, line] : lines
}

const lineOf = (tokens: ReadonlyArray<Token>): Line => {
  const end = tokens.findLastIndex(({ blank }) => !blank)
  const pieces = ordered(tokens.slice(0, end + 1)).flatMap(({ pieces }) => pieces)
  return { pieces, width: pieces.reduce((sum, { width }) => sum + width, 0) }
}

/** Neighbouring words from right to left, with the blanks between them, change places. */
const ordered = (tokens: ReadonlyArray<Token>): ReadonlyArray<Token> => {
  const placed: Array<Token> = []
  for (let index = 0; index < tokens.length;) {
    let end = index
    for (let next = index; next < tokens.length && (tokens[next]?.fromRight === true || tokens[next]?.blank === true); next++) {
      if (tokens[next]?.fromRight === true) end = next + 1
    }
    if (end > index && tokens[index]?.fromRight === true) {
      placed.push(...tokens.slice(index, end).toReversed())
      index = end
    } else {
      placed.push(...tokens.slice(index, index + 1))
      index++
    }
  }
  return placed
}
