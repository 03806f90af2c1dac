/** Tables: as many pages as they take, with their head on each. */
import { type Element, ink, innerWidth, page, type Sheet } from "./Sheet.ts"

export interface Column {
  readonly title: string
  /** In parts of all columns together. */
  readonly width: number
  readonly align?: "left" | "right"
}

const SIZE = 8
const PADDING = 4

export const table = (sheet: Sheet, parent: Element, columns: ReadonlyArray<Column>, rows: ReadonlyArray<ReadonlyArray<string>>) => {
  const whole = columns.reduce((sum, { width }) => sum + width, 0)
  const widths = columns.map(({ width }) => width / whole * innerWidth)
  const lefts = widths.map((_, index) => page.left + widths.slice(0, index).reduce((sum, width) => sum + width, 0))

  const row = (element: Element, tag: "TH" | "TD", cells: ReadonlyArray<string>) => {
    const style = { size: SIZE, leading: 1.35, most: 3 }
    const heights = cells.map((text, index) => sheet.linesOf([{ text, bold: tag === "TH" }], (widths[index] ?? 0) - 2 * PADDING, style).length * sheet.lineHeight(style))
    const height = Math.max(...heights) + 2 * PADDING
    const top = sheet.y()
    sheet.artifact(() => {
      if (tag === "TH") sheet.doc.rect(page.left, top, innerWidth, height).fill(ink.pale)
      sheet.doc.moveTo(page.left, top + height).lineTo(page.left + innerWidth, top + height).lineWidth(0.5).strokeColor(ink.rule).stroke()
    })
    sheet.group(element, "TR", (line) =>
      cells.forEach((text, index) =>
        sheet.element(line, tag, () =>
          sheet.place([{ text, bold: tag === "TH" }], (lefts[index] ?? 0) + PADDING, top + PADDING, (widths[index] ?? 0) - 2 * PADDING, {
            ...style, align: columns[index]?.align ?? "left", color: tag === "TH" ? ink.strong : ink.text
          }))))
    sheet.moveTo(top + height)
  }

  sheet.group(parent, "Table", (element) => {
    const head = () => row(element, "TH", columns.map(({ title }) => title))
    sheet.ensure(60)
    head()
    for (const cells of rows) {
      if (sheet.y() + 45 > page.height - page.bottom) {
        sheet.breakPage()
        head()
      }
      row(element, "TD", cells)
    }
  })
}
