/**
 * Puts the checked blocks together again as Markdown: no heading without a section, no lead-in without its list, list numbers
 * that count from one, nested items no deeper than what they hang on.
 */
import type { CheckedBlock } from "./CheckedBlocks.ts"

/** Structure that lost all it stood for goes without being counted as a removed sentence. */
export const dropOrphans = (blocks: ReadonlyArray<CheckedBlock>): void => {
  const had = new Set<number>()
  const has = new Set<number>()
  for (let i = blocks.length - 1; i >= 0; i--) {
    const one = blocks[i]
    if (one === undefined || one.block.kind === "rule") continue
    if (one.block.kind === "heading") {
      const { level } = one.block
      if (had.has(level) && !has.has(level)) one.kept = []
      LEVELS.filter((below) => below >= level).forEach((below) => {
        had.delete(below)
        has.delete(below)
      })
      continue
    }
    if (one.block.kind === "table" && one.kept.length === 1 && one.total > 1) one.kept = []
    if (introducesNothing(blocks, i)) one.kept = one.kept.slice(0, -1)
    LEVELS.forEach((level) => {
      had.add(level)
      if (one.kept.length > 0) has.add(level)
    })
  }
}

const LEVELS = [1, 2, 3, 4, 5, 6]

/** A text or item that ends in a colon, followed by a list or table of which nothing is left. */
const introducesNothing = (blocks: ReadonlyArray<CheckedBlock>, at: number): boolean => {
  const one = blocks[at]
  if (one === undefined || (one.block.kind !== "text" && one.block.kind !== "item")) return false
  if (!/:[*_]{0,3}$/.test((one.kept.at(-1) ?? "").slice(-80).trimEnd())) return false
  let found = false
  for (let i = at + 1; i < blocks.length; i++) {
    const next = blocks[i]
    const belongs = next !== undefined && (next.block.kind === "table" ? one.block.kind === "text"
      : next.block.kind === "item" && (one.block.kind === "text" || next.block.indent > one.block.indent))
    if (next === undefined || !belongs) return found
    if (next.kept.length > 0) return false
    found = true
  }
  return found
}

/** The Markdown of each paragraph of the draft, empty where nothing is left of it. */
export const layOut = (blocks: ReadonlyArray<CheckedBlock>, paragraphs: number): ReadonlyArray<string> => {
  const lines: Array<Array<string>> = Array.from({ length: paragraphs }, () => [])
  const list = makeListState()
  let pendingBreak: { readonly into: Array<string>; readonly at: number } | undefined
  for (const one of blocks) {
    const into = lines[one.paragraph]
    if (into === undefined) continue
    const { block } = one
    if (block.kind === "item" && one.kept.length === 0) list.removed(block.indent)
    if (block.kind === "heading" || (block.kind === "text" && block.indent === 0)) list.reset()
    const text = block.kind === "rule" ? "---" : one.kept.join(block.kind === "table" ? "\n" : "").trim()
    if (text === "") continue
    if (pendingBreak?.into === into) into[pendingBreak.at] = `${into[pendingBreak.at] ?? ""}  `
    pendingBreak = undefined
    into.push(...asLines(one, text, list).map((line) => `${block.quote}${line}`))
    if (block.kind === "text" && block.hardBreak) pendingBreak = { into, at: into.length - 1 }
  }
  return withoutLooseRules(lines.map((paragraph) => paragraph.join("\n")))
}

const asLines = ({ block, kept }: CheckedBlock, text: string, list: ListState): ReadonlyArray<string> => {
  const lines = text.split("\n")
  switch (block.kind) {
    case "heading": return [`${"#".repeat(block.level)} ${lines.join(" ")}`]
    case "item": {
      const { indent, marker } = list.item(block.indent, block.ordered)
      const margin = " ".repeat(indent)
      return lines.map((line, i) => i === 0 ? `${margin}${marker} ${line}` : `${margin}${" ".repeat(marker.length + 1)}${line}`)
    }
    case "text": return lines.map((line) => `${" ".repeat(block.indent)}${line}`)
    case "table": return [lines[0] ?? "", block.delimiter, ...kept.slice(1)]
    case "code": return [...lines, block.fence.startsWith("~") ? block.fence.replace(/[^~].*$/, "") : block.fence.replace(/[^`].*$/, "")]
    case "rule": return lines
  }
}

interface ListState {
  readonly reset: () => void
  readonly removed: (indent: number) => void
  readonly item: (indent: number, ordered: boolean) => { readonly indent: number; readonly marker: string }
}

/** Numbers are ours: a list number is no place to keep a figure. Children of a removed item move up to its level. */
const makeListState = (): ListState => {
  const counters = new Map<number, number>()
  let gone: Array<number> = []
  const leave = (indent: number) => {
    for (const deeper of [...counters.keys()].filter((key) => key > indent)) counters.delete(deeper)
    gone = gone.filter((removed) => removed < indent)
  }
  return {
    reset: () => {
      counters.clear()
      gone = []
    },
    removed: (indent) => {
      leave(indent)
      gone.push(indent)
    },
    item: (indent, ordered) => {
      leave(indent)
      const number = ordered ? (counters.get(indent) ?? 0) + 1 : 0
      counters.set(indent, number)
      return { indent: gone[0] ?? indent, marker: ordered ? `${number}.` : "-" }
    }
  }
}

/** A rule parts two things: at an end, or beside another rule, it parts nothing. */
const withoutLooseRules = (paragraphs: ReadonlyArray<string>): ReadonlyArray<string> => {
  const last = paragraphs.findLastIndex((text) => text !== "" && text !== "---")
  let rule = true
  return paragraphs.map((text, i) => {
    if (text === "") return text
    const loose = text === "---" && (rule || i > last)
    rule = text === "---"
    return loose ? "" : text
  })
}
