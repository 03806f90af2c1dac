/** The insight: its Markdown as headings, paragraphs, lists and rows, each paragraph with the marks of the entries it stands on. */
import type { PerformanceReview } from "@englog/domain/exports/PerformanceReview"
import type { Nodes, PhrasingContent, RootContent } from "mdast"
import { fromMarkdown } from "mdast-util-from-markdown"
import { type Element, ink, type Sheet } from "./Sheet.ts"
import type { Span } from "./TextLayout.ts"

export const noteName = (number: number): string => `entry-${number}`

const body = { size: 9.5, leading: 1.5 } as const

export const narrative = (sheet: Sheet, parent: Element, { paragraphs }: NonNullable<PerformanceReview["insight"]>) => {
  for (const { notes, text } of paragraphs) {
    const blocks = fromMarkdown(text).children
    blocks.forEach((block, index) => write(sheet, parent, block, index === blocks.length - 1 ? marksOf(notes) : []))
  }
}

const marksOf = (notes: ReadonlyArray<number>): ReadonlyArray<Span> =>
  notes.map((number, index) => ({ text: `${number}${index === notes.length - 1 ? "" : ","}`, note: noteName(number) }))

const write = (sheet: Sheet, parent: Element, block: RootContent, marks: ReadonlyArray<Span>): void => {
  switch (block.type) {
    case "heading":
      sheet.ensure(60)
      sheet.skip(6)
      sheet.element(parent, "H3", () => sheet.flow([...spansOf(block).map((span) => ({ ...span, bold: true })), ...marks], { size: block.depth === 1 ? 12 : 10.5, color: ink.strong }))
      sheet.skip(3)
      return
    case "list":
      sheet.group(parent, "L", (list) =>
        block.children.forEach((item, index) =>
          sheet.element(list, "LI", () => {
            const bullet = block.ordered === true ? `${(block.start ?? 1) + index}.` : "•"
            sheet.flow([...spansOf(item), ...index === block.children.length - 1 ? marks : []], body, { bullet, indent: 18 })
          })))
      sheet.skip(6)
      return
    case "blockquote":
      block.children.forEach((child, index) => write(sheet, parent, child, index === block.children.length - 1 ? marks : []))
      return
    case "code":
      for (const line of block.value.split("\n")) sheet.element(parent, "P", () => sheet.flow([{ text: line }], { size: 8.5 }, { indent: 10 }))
      return
    case "thematicBreak":
      return
    default: {
      const rows = rowsOf(textOf(block))
      for (const row of rows) sheet.element(parent, "P", () => sheet.flow(row === rows.at(-1) && rows.length === 1 ? [...spansOf(block), ...marks] : [{ text: row }, ...row === rows.at(-1) ? marks : []], body))
      sheet.skip(6)
    }
  }
}

/** A table of Markdown stands as its rows: what it says, without its bars. */
const rowsOf = (text: string): ReadonlyArray<string> => {
  const lines = text.split("\n")
  return lines.every((line) => line.trim().startsWith("|"))
    ? lines.filter((line) => !/^[\s|:-]+$/.test(line)).map((line) => line.split("|").map((cell) => cell.trim()).filter((cell) => cell !== "").join(" · "))
    : [text]
}

const textOf = (node: Nodes): string => "value" in node ? node.value : "children" in node ? node.children.map(textOf).join("") : ""

const spansOf = (node: Nodes): ReadonlyArray<Span> =>
  "children" in node ? node.children.flatMap((child) => child.type === "strong" ? [{ text: textOf(child), bold: true }] : isInline(child) ? [{ text: textOf(child) }] : spansOf(child)) : [{ text: textOf(node) }]

const inline: ReadonlySet<string> = new Set<PhrasingContent["type"]>(["text", "emphasis", "inlineCode", "link", "html", "break"])
const isInline = ({ type }: Nodes): boolean => inline.has(type)
