/** A performance review as PDF: what one hands in. It says what the review says and computes nothing. */
import type { PerformanceReview, ReviewEntry, ReviewFigure } from "@englog/domain/exports/PerformanceReview"
import { Effect } from "effect"
import { barsHeight, columnsHeight, longDay, shareBars, weekColumns } from "./Charts.ts"
import { makeFonts } from "./Fonts.ts"
import { goalHeight, goalList } from "./GoalList.ts"
import { narrative, noteName } from "./Narrative.ts"
import { type Element, ink, innerWidth, makeSheet, page, type Sheet } from "./Sheet.ts"
import { table } from "./Table.ts"

export interface RenderedReview {
  readonly pdf: Uint8Array
  readonly pages: number
}

export const renderReview = (review: PerformanceReview): Effect.Effect<RenderedReview> =>
  Effect.callback<RenderedReview>((resume) => {
    const sheet = makeSheet(makeFonts(), { title: `${review.title} – ${review.person}`, author: review.person, created: new Date(review.generated_at) })
    const chunks: Array<Uint8Array> = []
    sheet.doc.on("data", (chunk: Uint8Array) => chunks.push(chunk))
    write(sheet, review)
    const pages = sheet.doc.bufferedPageRange().count
    sheet.doc.on("end", () => resume(Effect.succeed({ pdf: Buffer.concat(chunks), pages })))
    sheet.finish()
  })

const periodOf = ({ period_end, period_start }: { readonly period_start: string; readonly period_end: string }): string =>
  `${longDay(period_start)} – ${longDay(period_end)}`

const write = (sheet: Sheet, review: PerformanceReview) => {
  title(sheet, review)
  section(sheet, "At a glance", (part) => {
    if (review.summary.length === 0) return paragraph(sheet, part, "Nothing was recorded in this period.")
    tiles(sheet, part, review.summary)
    if (review.comparison.length > 0) paragraph(sheet, part, review.comparison.map(({ label, text }) => `${label}: ${text}`).join(" · "))
  })
  if (review.weeks.some(({ minutes }) => minutes > 0)) section(sheet, "Time per week", (part) => weekColumns(sheet, part, review.weeks), columnsHeight)
  if (review.by_project.length > 0) section(sheet, "Projects", (part) => projectsTable(sheet, part, review))
  if (review.by_type.length > 0) section(sheet, "Where the time went", (part) => shares(sheet, part, review), sharesHeight(review))
  const [goal] = review.goals
  if (goal !== undefined) section(sheet, "Goals", (part) => goals(sheet, part, review), goalHeight(sheet, goal))
  if (review.insight !== null) section(sheet, "Summary of the work", (part) => insight(sheet, part, review))
  if (review.highlights.length > 0) section(sheet, "Work of highest value and impact", (part) => entriesTable(sheet, part, review.highlights))
  if (review.metrics.length > 0) section(sheet, "Metrics", (part) => figuresTable(sheet, part, review.metrics), ROW * (review.metrics.length + 1))
  if (review.cited.length > 0) appendix(sheet, review)
  sheet.foot((number, count) => [`${review.person} · ${review.title} · ${periodOf(review)}`, `${number} / ${count}`])
}

const title = (sheet: Sheet, review: PerformanceReview) => {
  const heading = { size: 20, color: "#ffffff", leading: 1.25 }
  const band = 85 + sheet.linesOf([{ text: review.title, bold: true }], innerWidth, heading).length * sheet.lineHeight(heading)
  sheet.artifact(() => sheet.doc.rect(0, 0, page.width, band).fill(ink.strong))
  sheet.moveTo(34)
  sheet.group(sheet.root, "Sect", (part) => {
    sheet.element(part, "H1", () => sheet.flow([{ text: review.title, bold: true }], heading))
    sheet.element(part, "P", () => sheet.flow([{ text: review.person }], { size: 13, color: "#ffffff" }))
    sheet.element(part, "P", () =>
      sheet.flow([{ text: `${periodOf(review)} · days in ${review.timezone} · made on ${longDay(review.generated_at.slice(0, 10))}` }], { size: 8.5, color: "#d6e4e8" }))
  })
  sheet.moveTo(band + 22)
}

/** A heading stands on one page with `together` points of what follows it. */
const section = (sheet: Sheet, heading: string, fill: (part: Element) => void, together = 90) => {
  sheet.ensure(30 + together)
  sheet.group(sheet.root, "Sect", (part) => {
    sheet.doc.outline.addItem(heading)
    sheet.element(part, "H2", () => sheet.flow([{ text: heading, bold: true }], { size: 13, color: ink.strong }))
    sheet.skip(6)
    fill(part)
  })
  sheet.skip(16)
}

const paragraph = (sheet: Sheet, parent: Element, text: string, style: { readonly size: number; readonly color?: string } = { size: 9 }) => {
  sheet.element(parent, "P", () => sheet.flow([{ text }], style))
  sheet.skip(6)
}

/** About the height of a row of a table that has one line. */
const ROW = 20

const TILES = 4
const TILE = 58

const tiles = (sheet: Sheet, parent: Element, figures: ReadonlyArray<ReviewFigure>) => {
  const width = (innerWidth - (TILES - 1) * 8) / TILES
  const top = sheet.y()
  figures.forEach(({ label, text }, index) => {
    const x = page.left + index % TILES * (width + 8)
    const at = top + Math.floor(index / TILES) * (TILE + 8)
    sheet.artifact(() => sheet.doc.roundedRect(x, at, width, TILE, 4).fill(ink.pale))
    sheet.element(parent, "P", () => {
      // A figure that is cut off is another figure.
      const size = [14, 12, 10, 8].find((size) => sheet.linesOf([{ text, bold: true }], width - 16, { size }).length === 1) ?? 6
      sheet.place([{ text, bold: true }], x + 8, at + 8, width - 16, { size, color: ink.strong })
      sheet.place([{ text: label }], x + 8, at + 30, width - 16, { size: 7, color: ink.dim, leading: 1.25, most: 3 })
    })
  })
  sheet.moveTo(top + Math.ceil(figures.length / TILES) * (TILE + 8) + 4)
}

const sharesHeight = ({ by_impact, by_type, by_value }: PerformanceReview): number =>
  Math.max(barsHeight(by_type.length), barsHeight(by_value.length) + barsHeight(by_impact.length) + 10)

/** Two columns: types at the left; values and impacts below each other at the right. */
const shares = (sheet: Sheet, parent: Element, { by_impact, by_type, by_value }: PerformanceReview) => {
  const width = (innerWidth - 24) / 2
  const top = sheet.y()
  shareBars(sheet, parent, "By type", by_type, { x: page.left, width })
  const left = sheet.y()
  sheet.moveTo(top)
  const box = { x: page.left + width + 24, width }
  shareBars(sheet, parent, "By value", by_value, box)
  sheet.skip(10)
  shareBars(sheet, parent, "By level of impact", by_impact, box)
  sheet.moveTo(Math.max(left, sheet.y()))
}

const goals = (sheet: Sheet, parent: Element, review: PerformanceReview) => {
  goalList(sheet, parent, review)
  if (review.goals_left_out > 0) {
    paragraph(sheet, parent, `${review.goals_left_out} more of this period are not shown: those that ended first.`, { size: 7.5, color: ink.dim })
  }
}

const insight = (sheet: Sheet, parent: Element, { insight, uncited }: PerformanceReview) => {
  if (insight === null) return
  narrative(sheet, parent, insight)
  const author = insight.model === "builtin" ? "the built-in narrator" : insight.model
  const missing = uncited === 0 ? "" : ` ${uncited} cited entries are not listed.`
  paragraph(sheet, parent, `Written by ${author} from recorded entries of ${periodOf(insight)}; every figure was computed from them. `
    + `Raised numbers lead to the entries at the end.${missing}`, { size: 7.5, color: ink.dim })
}

const entriesTable = (sheet: Sheet, parent: Element, entries: ReadonlyArray<ReviewEntry>) =>
  table(sheet, parent, [
    { title: "Day", width: 17 }, { title: "Work", width: 42 }, { title: "Project", width: 19 }, { title: "Type", width: 13 },
    { title: "Value · impact", width: 20 }, { title: "Time", width: 13, align: "right" }
  ], entries.map(({ date, impact_level, project, time, title, type, value_rating }) =>
    [longDay(date), title, project ?? "–", type, `${value_rating} · ${impact_level}`, time]))

const figuresTable = (sheet: Sheet, parent: Element, figures: ReadonlyArray<ReviewFigure>) =>
  table(sheet, parent, [{ title: "Metric", width: 75 }, { title: "Figure", width: 25, align: "right" }], figures.map(({ label, text }) => [label, text]))

const projectsTable = (sheet: Sheet, parent: Element, { by_project }: PerformanceReview) =>
  table(sheet, parent, [{ title: "Project", width: 60 }, { title: "Time", width: 20, align: "right" }, { title: "Share", width: 20, align: "right" }],
    by_project.map(({ name, share, time }) => [name, time, share]))

const appendix = (sheet: Sheet, { cited }: PerformanceReview) =>
  section(sheet, "Cited entries", (part) =>
    sheet.group(part, "L", (list) =>
      cited.forEach((entry, index) => {
        sheet.ensure(44)
        sheet.doc.addNamedDestination(noteName(index + 1), "XYZ", page.left, sheet.y() - 4, null)
        sheet.element(list, "LI", () => {
          sheet.flow([{ text: `${index + 1}  `, bold: true }, { text: entry.title, bold: true }], { size: 9 })
          const facts = [longDay(entry.date), entry.time, entry.type, `${entry.value_rating} value`, `${entry.impact_level} impact`, ...entry.project === null ? [] : [entry.project], ...entry.tags.map((tag) => `#${tag}`)]
          sheet.flow([{ text: facts.join(" · ") }], { size: 7.5, color: ink.dim }, { indent: 14 })
          if (entry.description !== null) sheet.flow([{ text: entry.description }], { size: 8.5 }, { indent: 14 })
        })
        sheet.skip(6)
      })))
