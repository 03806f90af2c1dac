/** Charts as vectors. Each is a figure of the structure whose words say what it shows. */
import type { ReviewShare, ReviewWeek } from "@englog/domain/exports/PerformanceReview"
import { type Element, ink, innerWidth, page, type Sheet } from "./Sheet.ts"

const HEIGHT = 130
const AXIS = 34
/** Columns of so many weeks have room for what they come to. */
const TOLD = 14

/** Hours of each week as columns. */
export const weekColumns = (sheet: Sheet, parent: Element, weeks: ReadonlyArray<ReviewWeek>) => {
  const alt = `Hours per week. ${weeks.map(({ start_date, time }) => `${start_date}: ${time}`).join("; ")}`
  sheet.element(parent, "Figure", () => {
    const { doc } = sheet
    const top = sheet.y() + 10
    const { step, top: most } = scaleOf(Math.max(...weeks.map(({ minutes }) => minutes / 60)))
    const heightOf = (hours: number) => most === 0 ? 0 : hours / most * HEIGHT
    for (let mark = 0; mark <= most; mark += step) {
      const at = top + HEIGHT - heightOf(mark)
      doc.moveTo(page.left + AXIS, at).lineTo(page.left + innerWidth, at).lineWidth(0.5).strokeColor(mark === 0 ? ink.dim : ink.rule).stroke()
      sheet.place([{ text: `${mark} h` }], page.left, at - 5, AXIS - 6, { size: 7, color: ink.dim, align: "right" })
    }
    const slot = (innerWidth - AXIS) / weeks.length
    const labelled = Math.ceil(weeks.length / Math.floor((innerWidth - AXIS) / 46))
    weeks.forEach(({ minutes, start_date, time }, index) => {
      const left = page.left + AXIS + index * slot
      const height = heightOf(minutes / 60)
      const width = Math.min(slot * 0.7, 34)
      if (height > 0) doc.rect(left + (slot - width) / 2, top + HEIGHT - height, width, height).fill(ink.accent)
      if (weeks.length <= TOLD && minutes > 0) {
        doc.rect(left + slot / 2 - 22, top + HEIGHT - height - 11, 44, 9).fill("#ffffff")
        sheet.place([{ text: time }], left - 10, top + HEIGHT - height - 11, slot + 20, { size: 6.5, color: ink.strong, align: "center" })
      }
      if (index % labelled === 0) sheet.place([{ text: shortDay(start_date) }], left + slot / 2 - 23, top + HEIGHT + 5, 46, { size: 7, color: ink.dim, align: "center" })
    })
    sheet.moveTo(top + HEIGHT + 24)
  }, { alt })
}

/** Parts of the whole as bars, each with what it comes to; a full bar is the whole. */
export const shareBars = (sheet: Sheet, parent: Element, heading: string, shares: ReadonlyArray<ReviewShare>, box: { readonly x: number; readonly width: number }) => {
  const alt = `${heading}. ${shares.map(({ name, share, time }) => `${name}: ${time}, ${share}`).join("; ")}`
  sheet.element(parent, "Figure", () => {
    const { doc } = sheet
    let top = sheet.y()
    sheet.place([{ text: heading, bold: true }], box.x, top, box.width, { size: 9, color: ink.strong })
    top += 18
    const whole = Math.max(shares.reduce((sum, { minutes }) => sum + minutes, 0), 1)
    for (const { minutes, name, share, time } of shares) {
      sheet.place([{ text: name }], box.x, top, box.width - 112, { size: 8, most: 1 })
      sheet.place([{ text: `${time} · ${share}` }], box.x + box.width - 112, top, 112, { size: 7.5, color: ink.dim, align: "right", most: 1 })
      doc.rect(box.x, top + 12, box.width, 5).fill(ink.pale)
      doc.rect(box.x, top + 12, Math.max(minutes / whole * box.width, 0.5), 5).fill(ink.accent)
      top += ROW
    }
    sheet.moveTo(top)
  }, { alt })
}

const ROW = 25

export const columnsHeight = HEIGHT + 34

export const barsHeight = (count: number): number => 18 + count * ROW

/** Two, four or five steps of 1, 2 or 5 times a power of ten. */
const scaleOf = (most: number): { readonly step: number; readonly top: number } => {
  if (most <= 0) return { step: 1, top: 1 }
  const rough = most / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough) ?? rough
  return { step: Math.max(step, 1), top: Math.ceil(most / Math.max(step, 1)) * Math.max(step, 1) }
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

export const shortDay = (day: string): string => `${Number(day.slice(8))} ${MONTHS[Number(day.slice(5, 7)) - 1] ?? ""}`

export const longDay = (day: string): string => `${shortDay(day)} ${day.slice(0, 4)}`
