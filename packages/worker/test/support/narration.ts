/** What the API sends for a narration, small and valid. */
import { FactEntry, FactSheet } from "@englog/domain/facts/Fact"
import { EntryId } from "@englog/domain/Ids"
import { type InsightDraft, NarrationInput } from "@englog/domain/insights/Insight"
import { DateTime, Schema } from "effect"

const entry = new FactEntry({
  id: EntryId.make("550e8400-e29b-41d4-a716-446655440001"),
  title: "Wrote the worker's tests",
  description: null,
  type: "code",
  project_name: "EngLog",
  tags: ["testing"],
  start_time: DateTime.makeUnsafe("2025-07-01T09:00:00Z"),
  end_time: DateTime.makeUnsafe("2025-07-01T10:00:00Z"),
  duration_minutes: 60,
  value_rating: "high",
  impact_level: "team"
})

export const input = (fields: { readonly entry_count?: number; readonly cached?: InsightDraft } = {}) =>
  new NarrationInput({
    insight_type: "productivity",
    context: null,
    sheet: new FactSheet({ period_start: "2025-07-01", period_end: "2025-07-01", timezone: "UTC", facts: [], metrics: null }),
    entries: fields.entry_count === 0 ? [] : [entry],
    entry_count: fields.entry_count ?? 1,
    cached: fields.cached ?? null
  })

/** As GetTaskData carries it. */
export const json = (narration: NarrationInput) => Schema.encodeEffect(Schema.fromJsonString(NarrationInput))(narration)

export const payload = JSON.stringify({
  user_id: "dd72f29f-a51b-4a2d-add8-496537c8e078",
  entry_ids: ["550e8400-e29b-41d4-a716-446655440001"],
  insight_type: "productivity"
})
