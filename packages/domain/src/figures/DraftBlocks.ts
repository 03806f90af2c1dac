/**
 * Reads the Markdown of a draft as paragraphs (parted by blank lines) of blocks (heading, list item, table, text, code, rule).
 * Only what decides where a sentence begins and what hangs on what; inline markup stays text.
 */

/** `quote` is the blockquote prefix a block is written under ("> "), empty outside quotes. */
export type Block =
  | { readonly kind: "heading"; readonly quote: string; readonly level: number; readonly text: string }
  | { readonly kind: "item"; readonly quote: string; readonly indent: number; readonly ordered: boolean; readonly text: string }
  | { readonly kind: "text"; readonly quote: string; readonly indent: number; readonly text: string; readonly hardBreak: boolean }
  | { readonly kind: "table"; readonly quote: string; readonly head: string; readonly delimiter: string; readonly rows: ReadonlyArray<string> }
  | { readonly kind: "code"; readonly quote: string; readonly fence: string; readonly lines: ReadonlyArray<string> }
  | { readonly kind: "rule"; readonly quote: string }

export type Paragraph = ReadonlyArray<Block>

const QUOTE = /^(?: {0,3}> ?){1,8}/
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/
const SETEXT = /^ {0,3}(?:=+|-+)$/
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}$/
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/
const ITEM = /^([ \t]{0,40})([-*+•–]|\d{1,9}[.)])(?:[ \t]+(.*))?$/
const DELIMITER = /^[ \t]*[|:-][|:\- \t]*$/
/** "1. Overview" in a heading or a bold line numbers it and says nothing. */
const NUMBERING = /^(\*\*|__)?\d{1,2}[.)][ \t]+/
const MAX_INDENT = 40

export const parseDraft = (content: string): ReadonlyArray<Paragraph> => {
  const lines = unwrapped(content.replace(/\r\n?|[\u2028\u2029\u0085\v\f]/g, "\n").split("\n"))
  const paragraphs: Array<Paragraph> = []
  let current: Array<Block> = []
  const close = () => {
    if (current.length > 0) paragraphs.push(current)
    current = []
  }
  for (let i = 0; i < lines.length;) {
    const { quote, line } = dequoted(lines[i] ?? "")
    if (line.trim() === "") {
      close()
      i += 1
      continue
    }
    const { block, next } = readBlock(lines, i, quote, line, current.at(-1))
    if (block.merged) current.pop()
    current.push(block.block)
    i = next
  }
  close()
  return paragraphs
}

interface Read {
  readonly block: { readonly block: Block; readonly merged: boolean }
  readonly next: number
}

const readBlock = (
  lines: ReadonlyArray<string>,
  at: number,
  quote: string,
  raw: string,
  before: Block | undefined
): Read => {
  const line = raw.trimEnd()
  const one = (block: Block, merged = false, next = at + 1): Read => ({ block: { block, merged }, next })
  const fence = FENCE.exec(line)?.[1]
  if (fence !== undefined) return readCode(lines, at, quote, line, fence)
  if (before?.kind === "text" && before.quote === quote && !before.text.includes("\n") && SETEXT.test(line)) {
    return one({ kind: "heading", quote, level: line.includes("=") ? 1 : 2, text: unnumbered(before.text) }, true)
  }
  if (RULE.test(line)) return one({ kind: "rule", quote })
  const heading = HEADING.exec(line)
  if (heading !== null) {
    return one({ kind: "heading", quote, level: heading[1]?.length ?? 1, text: unnumbered(withoutClosingHashes(heading[2] ?? "")) })
  }
  const under = dequoted(lines[at + 1] ?? "").line
  if (line.includes("|") && under.includes("|") && under.includes("-") && DELIMITER.test(under)) return readTable(lines, at, quote, line)
  const item = ITEM.exec(line)
  if (item !== null && mayBegin(item[2] ?? "", quote, before)) {
    const indent = Math.min((item[1] ?? "").replace(/\t/g, "    ").length, MAX_INDENT)
    return one({ kind: "item", quote, indent, ordered: /\d/.test(item[2] ?? ""), text: item[3] ?? "" })
  }
  if (before !== undefined && before.quote === quote && (before.kind === "item" || (before.kind === "text" && !before.hardBreak))) {
    const text = `${before.text}\n${line.trimStart()}`
    return one(before.kind === "item" ? { ...before, text } : { ...before, text, hardBreak: isHardBreak(raw) }, true)
  }
  const indent = Math.min(line.length - line.trimStart().length, MAX_INDENT)
  return one({ kind: "text", quote, indent, text: unnumbered(line.trimStart().replace(/\\$/, "")), hardBreak: isHardBreak(raw) })
}

/** CommonMark: only "1." begins a list in the middle of a paragraph, so "14." at the head of a wrapped line is a figure. */
const mayBegin = (marker: string, quote: string, before: Block | undefined): boolean =>
  before === undefined || before.kind !== "text" || before.quote !== quote || !/^\d/.test(marker) || /^1[.)]$/.test(marker)

const isHardBreak = (raw: string): boolean => raw.endsWith("  ") || raw.endsWith("\\")

/** Blank lines inside code are left out, so that paragraphs stay what blank lines part. */
const readCode = (lines: ReadonlyArray<string>, at: number, quote: string, line: string, fence: string): Read => {
  const inside: Array<string> = []
  let next = at + 1
  for (; next < lines.length; next++) {
    const text = dequoted(lines[next] ?? "", quote !== "").line
    const mark = text.trim()
    if (mark.length >= fence.length && mark === fence.charAt(0).repeat(mark.length)) break
    if (mark !== "") inside.push(text)
  }
  return { block: { block: { kind: "code", quote, fence: line.trim(), lines: inside }, merged: false }, next: next + 1 }
}

const readTable = (lines: ReadonlyArray<string>, at: number, quote: string, head: string): Read => {
  const rows: Array<string> = []
  let next = at + 2
  for (; next < lines.length; next++) {
    const { line } = dequoted(lines[next] ?? "")
    if (!line.includes("|")) break
    rows.push(line.trim())
  }
  const delimiter = dequoted(lines[at + 1] ?? "").line.trim()
  return { block: { block: { kind: "table", quote, head: head.trim(), delimiter, rows }, merged: false }, next }
}

const dequoted = (line: string, quoted = true): { readonly quote: string; readonly line: string } => {
  const found = quoted ? QUOTE.exec(line)?.[0] ?? "" : ""
  return { quote: found === "" ? "" : `${found.replace(/ /g, "").split("").join(" ")} `, line: line.slice(found.length) }
}

const unnumbered = (text: string): string => text.replace(NUMBERING, "$1")

const withoutClosingHashes = (text: string): string => {
  let end = text.length
  while (end > 0 && text[end - 1] === "#") end -= 1
  return (end === 0 || /[ \t]/.test(text[end - 1] ?? "") ? text.slice(0, end) : text).trim()
}

/** Models like to hand in the whole answer as one Markdown code block. */
const unwrapped = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const first = lines.findIndex((line) => line.trim() !== "")
  const last = lines.findLastIndex((line) => line.trim() !== "")
  return first >= 0 && last > first && /^```(markdown|md)?\s*$/i.test(lines[first] ?? "") && (lines[last] ?? "").trim() === "```"
    ? lines.slice(first + 1, last)
    : lines
}
