/** Which entries somebody asks for: days are those of the user's zone, both inclusive. */
import type { ActivityType, ImpactLevel, ValueRating } from "@englog/domain/entries/LogEntry"
import type { ProjectId } from "@englog/domain/Ids"
import { addDays, startOfLocalDay } from "@englog/domain/users/LocalDays"
import { Option } from "effect"
import type { EntryFilter } from "./EntryRepo.ts"

export interface EntrySelection {
  readonly start_date?: string
  readonly end_date?: string
  readonly type?: ActivityType
  readonly project_id?: ProjectId
  readonly tags?: ReadonlyArray<string>
  readonly value_rating?: ValueRating
  readonly impact_level?: ImpactLevel
  readonly running?: boolean
  readonly q?: string
}

/** From the first of them on. */
export const filterOf = (selection: EntrySelection, timezone: string): EntryFilter => ({
  from: Option.map(Option.fromUndefinedOr(selection.start_date), (day) => startOfLocalDay(day, timezone)),
  to: Option.map(Option.fromUndefinedOr(selection.end_date), (day) => startOfLocalDay(addDays(day, 1), timezone)),
  type: Option.fromUndefinedOr(selection.type),
  project_id: Option.fromUndefinedOr(selection.project_id),
  value_rating: Option.fromUndefinedOr(selection.value_rating),
  impact_level: Option.fromUndefinedOr(selection.impact_level),
  running: Option.fromUndefinedOr(selection.running),
  tags: selection.tags ?? [],
  text: Option.fromUndefinedOr(selection.q),
  after: Option.none()
})
