/**
 * Finds the figures in a text. A figure is a maximal run that holds a digit of any script (with what belongs to it: sign,
 * currency, separators, letters, a percent sign, a scale word), or a number word. Two figures are the same only when they
 * are written the same, but for letter case, kinds of space and dash, and "percent" for "%".
 */
import { isCountedNoun, numberWord } from "./NumberWords.ts"
import type { NumberWord } from "./NumberWords.ts"

/** Letters and digits; between digits also separators, and a space before a group of three. Each character is tried once. */
const RUN =
  /(?:[\p{L}\p{M}\p{N}💯🔟]|(?<=\p{N})[.,:/^×*'’٫٬⁄\-‐‑–—−](?=\p{N})|(?<=(?<!\p{N})\p{N}{1,3}) (?=\p{N}{3}(?!\p{N})))+/gu
const DIGIT = /[\p{N}💯🔟]/u
const LETTER_OR_DIGIT = /[\p{L}\p{N}\p{M})\]]/u
const CURRENCY = /\p{Sc}/u
const PERCENT = /^ ?([%％﹪٪‰‱])/
const INVISIBLE = /[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]/g

interface Run {
  readonly text: string
  readonly start: number
  readonly end: number
  readonly kind: NumberWord | "digits" | "word"
}

/**
 * The figures of a plain text, each in its canonical writing. `source` reads the text as evidence: ordinals then count
 * wherever they stand, since a claim may quote them elsewhere.
 */
export const plainFigures = (raw: string, source = false): ReadonlyArray<string> => {
  const text = raw.replace(INVISIBLE, "").replace(/\s+/g, " ")
  const runs = [...text.matchAll(RUN)].map((match) => toRun(match[0], match.index))
  const figures: Array<string> = []
  for (let i = 0; i < runs.length; i++) {
    const length = amountLength(text, runs, i)
    const figure = length > 0 ? amount(text, runs.slice(i, i + length)) : loneFigure(text, runs, i, source)
    if (figure !== undefined) figures.push(figure)
    if (length > 1) i += length - 1
  }
  return figures
}

const toRun = (text: string, start: number): Run => {
  const lower = text.toLowerCase()
  const end = start + text.length
  if (DIGIT.test(text)) return { text: lower.replace(/[‐‑–—−]/g, "-").replace(/’/g, "'"), start, end, kind: "digits" }
  const word = /^[a-z]+$/.test(lower) ? lower : lower.normalize("NFKD").replace(/\p{M}+/gu, "")
  return { text: word, start, end, kind: numberWord(word) ?? "word" }
}

/** How many runs from `at` on form one amount: "two hundred and fifty", "twenty-one", "3 million", "12". 0: none begins here. */
const amountLength = (text: string, runs: ReadonlyArray<Run>, at: number): number => {
  const first = runs[at]
  if (first === undefined) return 0
  const scaled = first.kind === "one" && kindAfter(text, runs, at) === "scale"
  if (first.kind !== "digits" && first.kind !== "cardinal" && first.kind !== "scale" && !scaled) return 0
  let last = at
  for (;;) {
    const next = kindAfter(text, runs, last)
    const current = runs[last]?.kind
    if (next === "scale" || next === "fraction" || (next === "quarter" && first.kind === "cardinal")) last += 1
    else if (current !== "digits" && (next === "cardinal" || next === "one" || next === "ordinal")) last += 1
    else if (current === "scale" && next === "word" && runs[last + 1]?.text === "and" && isSmall(kindAfter(text, runs, last + 1))) last += 2
    else return last - at + 1
  }
}

const isSmall = (kind: Run["kind"] | undefined): boolean => kind === "cardinal" || kind === "one" || kind === "digits"

/** The kind of the next run, where nothing but a space or hyphen lies between. */
const kindAfter = (text: string, runs: ReadonlyArray<Run>, at: number): Run["kind"] | undefined => {
  const [one, next] = [runs[at], runs[at + 1]]
  return one !== undefined && next !== undefined && /^[ \-‐‑]$/.test(text.slice(one.end, next.start)) ? next.kind : undefined
}

const amount = (text: string, runs: ReadonlyArray<Run>): string | undefined => {
  const [first, last] = [runs[0], runs.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const percent = PERCENT.exec(text.slice(last.end, last.end + 2))?.[1]
    ?? (/^[ -](?:per ?cent|pct)(?![\p{L}])/iu.test(text.slice(last.end, last.end + 12)) ? "%" : "")
  const words = runs.map((run) => run.text).join(" ")
  return `${first.kind === "digits" ? prefix(text, first.start) : ""}${words}${percent === "％" || percent === "﹪" ? "%" : percent}`
}

/** A sign counts unless it joins the figure to what stands before ("PR-12"); a currency always does. */
const prefix = (text: string, start: number): string => {
  const skipped = text[start - 1] === " " ? 1 : 0
  const before = text[start - 1 - skipped] ?? ""
  if (CURRENCY.test(before)) return before
  const sign = text[start - 1] ?? ""
  if (!/[-−+±]/.test(sign) || sign === "" || LETTER_OR_DIGIT.test(text[start - 2] ?? "")) return ""
  return sign === "−" ? "-" : sign
}

const loneFigure = (text: string, runs: ReadonlyArray<Run>, at: number, source: boolean): string | undefined => {
  const run = runs[at]
  const next = runs[at + 1]
  if (run === undefined) return undefined
  switch (run.kind) {
    case "multiple": return run.text === "double" && (next?.text ?? "").startsWith("check") ? undefined : run.text
    case "fraction": return run.text
    case "ordinal": return !source && (isListOrdinal(text, run, at) || next?.text === "party") ? undefined : run.text
    case "quarter": return source || isFraction(runs, at) ? run.text : undefined
    case "one": return oneOf(text, runs, at)
    default: return undefined
  }
}

/** "Third, …" at the head of a sentence or after a semicolon enumerates; anywhere else an ordinal states a number. */
const isListOrdinal = (text: string, run: Run, at: number): boolean =>
  /^[,:]/.test(text.slice(run.end, run.end + 1)) && (at === 0 || /;\s?$/.test(text.slice(Math.max(0, run.start - 2), run.start)))

/** "A quarter of the time", "by a quarter"; not "the first quarter of the year". */
const isFraction = (runs: ReadonlyArray<Run>, at: number): boolean => {
  const [before, earlier, next] = [runs[at - 1]?.text ?? "", runs[at - 2]?.text ?? "", runs[at + 1]?.text ?? ""]
  return (before === "a" || before === "one")
    && (next === "of" || /^(by|about|nearly|almost|over|roughly|around|than)$/.test(earlier))
}

/** "One hour", "one-hour", "one long meeting": the noun belongs to the figure. */
const oneOf = (text: string, runs: ReadonlyArray<Run>, at: number): string | undefined => {
  const [run, next, after] = [runs[at], runs[at + 1], runs[at + 2]]
  if (run === undefined || next === undefined || kindAfter(text, runs, at) === undefined) return undefined
  if (isCountedNoun(next.text)) return `one ${next.text}`
  const adjective = kindAfter(text, runs, at + 1) !== undefined && !/^(of|on|at|to|in|by|for|and|or|the|a|is|was|per)$/.test(next.text)
  return adjective && after !== undefined && isCountedNoun(after.text) ? `one ${after.text}` : undefined
}

const MARKUP = /(?<!\\)(?:[*_~`]+|<[^<>]{0,200}>)/g
const ENTITY = /(?<!\\)&#(?:(\d{1,7})|[xX]([0-9a-fA-F]{1,6}));|(?<!\\)&percnt;/g
const ESCAPE = /\\(?=[!-/:-@[-`{-~])/g

/**
 * The figures a reader of this Markdown sees: those of the text as it stands and those that appear once emphasis and tags
 * are gone ("1**2**" shows twelve) and character references are read ("&#53;" shows five).
 */
export const figuresIn = (markdown: string, source = false): ReadonlySet<string> => {
  const written = markdown.replace(ESCAPE, "")
  const shown = markdown.replace(MARKUP, "").replace(ENTITY, decoded).replace(ESCAPE, "")
  return new Set([...plainFigures(written, source), ...(shown === written ? [] : plainFigures(shown, source))])
}

const decoded = (whole: string, decimal: string | undefined, hex: string | undefined): string => {
  const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : 0x25
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
}
