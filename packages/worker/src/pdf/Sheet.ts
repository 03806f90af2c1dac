/**
 * A document that is written from top to bottom: pages of A4, text that is set by TextLayout, and a structure beside it that screen readers
 * follow (Tagged PDF). What is drawn stands in the structure, or is an artifact.
 */
import Pdf from "pdfkit"
import type { Face, Fonts } from "./Fonts.ts"
import { type Line, makeTextLayout, type Span } from "./TextLayout.ts"

export const page = { width: 595.28, height: 841.89, left: 56, right: 56, top: 60, bottom: 64 } as const
export const innerWidth = page.width - page.left - page.right

export const ink = { text: "#1d2733", dim: "#5c6b7a", strong: "#0f4c5c", accent: "#2a8f9d", pale: "#e6eef0", rule: "#c9d3d8", alert: "#b0552a" } as const

export type Element = PDFKit.PDFStructureElement

export interface TextStyle {
  readonly size: number
  readonly color?: string
  readonly align?: "left" | "right" | "center"
  readonly leading?: number
  readonly most?: number
}

export interface DocumentNames {
  readonly title: string
  readonly author: string
  readonly created: Date
}

export type Sheet = ReturnType<typeof makeSheet>

export const makeSheet = (fonts: Fonts, { author, created, title }: DocumentNames) => {
  const doc = new Pdf({
    size: "A4",
    margins: { top: page.top, bottom: 0, left: page.left, right: page.right },
    bufferPages: true,
    compress: true,
    pdfVersion: "1.7",
    tagged: true,
    lang: "en",
    displayTitle: true,
    autoFirstPage: true,
    info: { Title: title, Author: author, Subject: "Performance review", Creator: "EngLog", Producer: "EngLog", CreationDate: created }
  })
  const registered = new Set<Face>()
  const useFace = (face: Face) => {
    if (!registered.has(face)) {
      doc.registerFont(face, fonts.dataOf(face))
      registered.add(face)
    }
    return doc.font(face)
  }
  const widths = new Map<string, number>()
  const layout = makeTextLayout(fonts, (face, size, text) => {
    const key = `${face} ${text}`
    const known = widths.get(key)
    if (known !== undefined) return known * size
    const width = useFace(face).fontSize(1).widthOfString(text)
    widths.set(key, width)
    return width * size
  })
  const root = doc.struct("Document")
  doc.addStructure(root)
  let y: number = page.top
  /** What is being written when a page ends goes on in the same element on the next. */
  let open: { readonly element: Element; readonly tag: string } | undefined

  const begin = () => {
    if (open !== undefined) open.element.add(doc.markStructureContent(open.tag))
    else doc.markContent("Artifact", { type: "Layout" })
  }

  const breakPage = () => {
    const within = open !== undefined
    if (within) doc.endMarkedContent()
    doc.addPage()
    y = page.top
    if (within) begin()
  }

  const drawLine = ({ pieces, width }: Line, x: number, top: number, { align = "left", color = ink.text, size }: TextStyle & { readonly width?: number }, box: number) => {
    let left = align === "right" ? x + box - width : align === "center" ? x + (box - width) / 2 : x
    for (const piece of pieces) {
      useFace(piece.face).fontSize(piece.size).fillColor(piece.note === undefined ? color : ink.accent)
      doc.text(piece.text, left, top + size * ASCENT - piece.rise, { lineBreak: false, baseline: "alphabetic" })
      if (piece.note !== undefined) doc.goTo(left, top, piece.width, size, piece.note)
      left += piece.width
    }
  }

  const lineHeight = ({ leading = 1.4, size }: TextStyle) => size * leading

  return {
    doc,
    root,
    y: () => y,
    moveTo: (next: number) => void (y = next),
    skip: (height: number) => void (y += height),
    /** A new page where less than this is left on this one. */
    ensure: (height: number) => {
      if (y + height > page.height - page.bottom) breakPage()
    },
    breakPage,
    linesOf: (spans: ReadonlyArray<Span>, width: number, { most, size }: TextStyle) =>
      layout.lines(spans, most === undefined ? { width, size } : { width, size, most }),
    lineHeight,
    /** Text at a place of its own. */
    place: (spans: ReadonlyArray<Span>, x: number, top: number, width: number, style: TextStyle): number => {
      const lines = layout.lines(spans, style.most === undefined ? { width, size: style.size } : { width, size: style.size, most: style.most })
      lines.forEach((line, index) => drawLine(line, x, top + index * lineHeight(style), style, width))
      return lines.length * lineHeight(style)
    },
    /** Text from here on, over as many pages as it takes. */
    flow: (spans: ReadonlyArray<Span>, style: TextStyle, { bullet, indent = 0 }: { readonly indent?: number; readonly bullet?: string } = {}) => {
      let first = true
      for (const line of layout.lines(spans, { width: innerWidth - indent, size: style.size })) {
        if (y + lineHeight(style) > page.height - page.bottom) breakPage()
        if (first && bullet !== undefined) {
          for (const mark of layout.lines([{ text: bullet }], { width: indent, size: style.size })) drawLine(mark, page.left, y, { ...style, align: "right" }, indent - 5)
        }
        first = false
        drawLine(line, page.left + indent, y, style, innerWidth - indent)
        y += lineHeight(style)
      }
    },
    /** What `draw` draws is an element of the structure. */
    element: (parent: Element, tag: string, draw: (element: Element) => void, options: PDFKit.Mixins.StructureElementOptions = {}) => {
      const element = doc.struct(tag, options)
      parent.add(element)
      open = { element, tag }
      begin()
      draw(element)
      doc.endMarkedContent()
      open = undefined
      element.end()
    },
    /** An element that only holds others. */
    group: (parent: Element, tag: string, fill: (element: Element) => void) => {
      const element = doc.struct(tag)
      parent.add(element)
      fill(element)
      element.end()
    },
    /** What only decorates. */
    artifact: (draw: () => void) => {
      doc.markContent("Artifact", { type: "Layout" })
      draw()
      doc.endMarkedContent()
    },
    /** A line at the foot of each page: once everything is written. */
    foot: (textOf: (number: number, count: number) => readonly [left: string, right: string]) => {
      const { count, start } = doc.bufferedPageRange()
      for (let index = 0; index < count; index++) {
        doc.switchToPage(start + index)
        doc.markContent("Artifact", { type: "Pagination" })
        const [left, right] = textOf(index + 1, count)
        const style = { size: 7.5, color: ink.dim, most: 1 } as const
        const top = page.height - 40
        for (const [text, align] of [[left, "left"], [right, "right"]] as const) {
          const box = align === "left" ? innerWidth - 90 : innerWidth
          for (const line of layout.lines([{ text }], { width: box, size: style.size, most: 1 })) drawLine(line, page.left, top, { ...style, align }, box)
        }
        doc.endMarkedContent()
      }
    },
    finish: () => {
      root.end()
      doc.end()
    }
  }
}

/** Where letters stand, from the top of their line, in parts of their size. */
const ASCENT = 0.95
