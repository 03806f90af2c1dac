/** Goals: what each asks for, how far it was, and its state in a word, with a bar that a reached target fills. */
import type { PerformanceReview, ReviewGoal, ReviewGoalState } from "@englog/domain/exports/PerformanceReview"
import { longDay } from "./Charts.ts"
import { type Element, ink, innerWidth, page, type Sheet } from "./Sheet.ts"

const STATE_WIDTH = 70
const GAP = 12
const BAR = 5

const colors: Readonly<Record<ReviewGoalState, string>> = {
  achieved: ink.strong, "on track": ink.accent, behind: ink.alert, missed: ink.alert, upcoming: ink.dim
}

export const goalList = (sheet: Sheet, parent: Element, { goals }: Pick<PerformanceReview, "goals">) =>
  sheet.group(parent, "L", (list) => {
    for (const goal of goals) {
      sheet.ensure(goalHeight(sheet, goal))
      sheet.element(list, "LI", () => row(sheet, goal))
    }
  })

const title = { size: 9 }
const about = { size: 7.5, color: ink.dim }

const titleWidth = innerWidth - STATE_WIDTH - 8

export const goalHeight = (sheet: Sheet, goal: ReviewGoal): number =>
  sheet.linesOf([{ text: goal.title, bold: true }], titleWidth, title).length * sheet.lineHeight(title)
  + sheet.linesOf([{ text: told(goal) }], innerWidth, about).length * sheet.lineHeight(about) + BAR + 3 + GAP

const told = ({ end_date, percent, reached, start_date, target, within }: ReviewGoal): string =>
  `${reached} of ${target} (${percent}) · ${within} in this period · ${longDay(start_date)} – ${longDay(end_date)}`

const row = (sheet: Sheet, goal: ReviewGoal) => {
  const top = sheet.y()
  const under = top + sheet.place([{ text: goal.title, bold: true }], page.left, top, titleWidth, title)
  sheet.place([{ text: goal.state, bold: true }], page.left + innerWidth - STATE_WIDTH, top, STATE_WIDTH, { size: 8.5, color: colors[goal.state], align: "right" })
  const bar = under + sheet.place([{ text: told(goal) }], page.left, under, innerWidth, about) + 3
  sheet.doc.rect(page.left, bar, innerWidth, BAR).fill(ink.pale)
  if (goal.part > 0) sheet.doc.rect(page.left, bar, Math.max(goal.part * innerWidth, 1), BAR).fill(colors[goal.state])
  sheet.moveTo(bar + BAR + GAP)
}
