/** A performance review of so many entries, as the API gathers it. */
import { reviewOf } from "@englog/domain/exports/ReviewOf"
import type { PerformanceReview } from "@englog/domain/exports/PerformanceReview"
import { computeFacts } from "@englog/domain/facts/ComputeFacts"
import { FactEntry } from "@englog/domain/facts/Fact"
import type { GoalWork } from "@englog/domain/facts/GoalFacts"
import { checkFigures } from "@englog/domain/figures/FigureCheck"
import { EntryId } from "@englog/domain/Ids"
import { NarrationInput } from "@englog/domain/insights/Insight"
import { narrate } from "@englog/domain/narrator/Narrator"
import type { WorkingHours } from "@englog/domain/users/WorkingHours"
import { DateTime } from "effect"

const types = ["code", "meeting", "debug", "review"] as const
const values = ["high", "medium", "low"] as const
const impacts = ["company", "product", "team", "personal"] as const

/** One every hour from the first of January 2026 on. */
export const entriesOf = (count: number, more: Partial<FactEntry> = {}): ReadonlyArray<FactEntry> =>
  Array.from({ length: count }, (_, index) => {
    const start_time = DateTime.add(DateTime.makeUnsafe("2026-01-01T08:00:00Z"), { hours: index })
    const id = EntryId.make(`00000000-0000-4000-8000-${String(index).padStart(12, "0")}`)
    return new FactEntry({
      id,
      title: `Task ${index}: move the ledger`,
      description: "What was done, and why it had to be done.",
      type: types[index % 4] ?? "code",
      project_name: index % 3 === 0 ? null : `Project ${index % 3}`,
      tags: ["backend"],
      start_time,
      end_time: DateTime.add(start_time, { minutes: 45 }),
      duration_minutes: 45,
      value_rating: values[index % 3] ?? "low",
      impact_level: impacts[index % 4] ?? "team",
      ...more
    })
  })

interface Asked {
  readonly title?: string
  readonly person?: string
  readonly goals?: ReadonlyArray<GoalWork>
  readonly working_hours?: WorkingHours | null
  readonly generated_at?: string
}

export const review = (entries: ReadonlyArray<FactEntry>, { goals = [], working_hours = null, ...more }: Asked = {}): PerformanceReview => {
  const sheet = computeFacts({ entries, preceding: [], goals, working_hours, timezone: "Europe/Berlin", period: { start: "2026-01-01", end: "2026-12-31" } })
  const input = new NarrationInput({ insight_type: "annual", context: null, sheet, entries: entries.slice(0, 300), entry_count: entries.length, cached: null })
  const { citations, confidence, content } = checkFigures({ draft: narrate(input), sheet, entries, context: null })
  const cited = new Set(citations.flatMap(({ entry_ids }) => entry_ids))
  return reviewOf({
    title: "Performance review",
    person: "Ada Lovelace",
    generated_at: "2027-01-02T08:00:00.000Z",
    sheet,
    entries,
    goals,
    cited: entries.filter(({ id }) => cited.has(id)),
    insight: { insight_type: "annual", period_start: sheet.period_start, period_end: sheet.period_end, model: "builtin", confidence, content, citations },
    ...more
  })
}
