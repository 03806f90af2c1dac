/**
 * Splits a paragraph into sentences. Where it is unsure it does not split: a longer unit is removed rather than half a
 * sentence kept.
 */

const ABBREVIATIONS = new Set([
  "e.g", "i.e", "etc", "vs", "cf", "approx", "ca", "no", "nos", "fig", "sec", "ver", "v", "vol", "pp", "ed", "est", "incl",
  "resp", "mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "inc", "ltd", "co", "dept", "al", "a.m", "p.m"
])
const END = /[.!?…]+/g
const CLOSER = /["'”’»)\]*_`~]/
const MAX_WORD = 12

/** The pieces joined give the text again; each keeps the white space that follows it. */
export const splitSentences = (text: string): ReadonlyArray<string> => {
  const sentences: Array<string> = []
  const spans = codeSpans(text)
  let start = 0
  let span = 0
  for (const match of text.matchAll(END)) {
    while ((spans[span]?.end ?? Infinity) <= match.index) span += 1
    if ((spans[span]?.start ?? Infinity) <= match.index) continue
    const next = breakAfter(text, start, match.index, match.index + match[0].length)
    if (next === undefined) continue
    sentences.push(text.slice(start, next))
    start = next
  }
  if (start < text.length) sentences.push(text.slice(start))
  return sentences
}

/** Where the next sentence begins, if the punctuation between `from` and `to` ends the one that began at `start`. */
const breakAfter = (text: string, start: number, from: number, to: number): number | undefined => {
  let end = to
  while (CLOSER.test(text[end] ?? "")) end += 1
  let next = end
  while (/\s/.test(text[next] ?? "")) next += 1
  if (next === end || next >= text.length) return undefined
  if (/\p{Ll}/u.test(text[next] ?? "")) return undefined
  if (text[from] === "." && to - from === 1 && isAbbreviation(text.slice(Math.max(start, from - MAX_WORD), from))) return undefined
  return isBoldLabel(text.slice(start, Math.min(end, start + 200)), end - start) ? undefined : next
}

/** "e.g", an initial, or a lone number ("1. Do this" within a line) before the full stop. */
const isAbbreviation = (before: string): boolean => {
  const word = /[\p{L}\p{N}.]+$/u.exec(before)?.[0] ?? ""
  return ABBREVIATIONS.has(word.toLowerCase()) || /^\p{Lu}$/u.test(word) || (word === before && /^\p{N}{1,2}$/u.test(word))
}

/** "**Meetings.** …" labels what follows and is no sentence of its own. */
const isBoldLabel = (sentence: string, length: number): boolean =>
  sentence.length === length && sentence.startsWith("**") && sentence.endsWith("**")
  && sentence.indexOf("**", 2) === sentence.length - 2

interface Span {
  readonly start: number
  readonly end: number
}

/** CommonMark code spans: a run of backticks closed by the next run of the same length. */
const codeSpans = (text: string): ReadonlyArray<Span> => {
  const runs = [...text.matchAll(/`+/g)].map((match) => ({ start: match.index, end: match.index + match[0].length }))
  const closing = new Map<number, number>()
  const closedBy = runs.map(() => -1)
  for (let i = runs.length - 1; i >= 0; i--) {
    const run = runs[i]
    if (run === undefined) continue
    closedBy[i] = closing.get(run.end - run.start) ?? -1
    closing.set(run.end - run.start, i)
  }
  const spans: Array<Span> = []
  for (let i = 0; i < runs.length; i++) {
    const [open, close] = [runs[i], runs[closedBy[i] ?? -1]]
    if (open === undefined || close === undefined) continue
    spans.push({ start: open.start, end: close.end })
    i = closedBy[i] ?? i
  }
  return spans
}
