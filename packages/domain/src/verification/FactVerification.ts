/**
 * Every fact as it was stored beside the same fact as today's records give it, with the changes that explain a difference.
 *
 * Between the two lies a third computation: today's records in the time zone and with the working hours of then. What differs from
 * the stored fact there is owed to records; what differs between there and today is owed to the zone and, where a fact is about
 * working hours, to them.
 *
 * A difference that records made is explained by the changes of entries on which the fact stood or stands and, where the
 * figure relates these to a whole (a share, an average), by every change that alters the time or the kind of an entry of that
 * whole. What is ranked or found among others (highlights, the busiest day) may change because of an entry on which it never
 * stood: where none of its own explains it, all changes within the whole do.
 */
import type { Fact, FactId } from "../facts/Fact.ts"
import { goalOfFact, goalSlug } from "../facts/GoalFacts.ts"
import { OUTSIDE_HOURS } from "../facts/OutsideFacts.ts"
import type { EntryId } from "../Ids.ts"
import type { EntryChange, GoalChange, RecordChange, VerifiedFact } from "./Verification.ts"

export interface FactVerificationInput {
  readonly was: ReadonlyArray<Fact>
  readonly inOldSettings: ReadonlyArray<Fact>
  readonly now: ReadonlyArray<Fact>
  readonly changes: ReadonlyArray<RecordChange>
}

export const verifyFacts = ({ changes, inOldSettings, now, was }: FactVerificationInput): ReadonlyArray<VerifiedFact> => {
  const [stored, between, today] = [byId(was), byId(inOldSettings), byId(now)]
  const explain = makeExplain(stored, between, changes)
  const settings = (id: FactId) => changes.flatMap(({ kind }, i) =>
    kind === "time_zone_changed" || (kind === "working_hours_changed" && familyOf(id) === OUTSIDE_HOURS) ? [i] : [])
  const ids = [...new Set([...stored.keys(), ...today.keys()])]
  return ids.flatMap((id): ReadonlyArray<VerifiedFact> => {
    const [old, mid, current] = [stored.get(id), between.get(id), today.get(id)]
    const shown = current ?? old
    if (shown === undefined) return []
    const why = [
      ...(same(old, mid) ? [] : explain(id)),
      ...(same(mid, current) ? [] : settings(id))
    ]
    return [{
      id,
      label: shown.label,
      unit: shown.unit,
      status: old === undefined ? "new" : current === undefined ? "gone" : same(old, current) ? "unchanged" : "changed",
      was: stated(old),
      now: stated(current),
      why: same(old, current) ? [] : why
    }]
  })
}

const byId = (facts: ReadonlyArray<Fact>): ReadonlyMap<FactId, Fact> => new Map(facts.map((fact) => [fact.id, fact]))

/** What a fact states. Which entries it rests on may differ: a title in its label is no figure. */
const same = (a: Fact | undefined, b: Fact | undefined): boolean =>
  a === undefined || b === undefined ? a === b : a.value === b.value && a.unit === b.unit && a.text === b.text

const stated = (fact: Fact | undefined) => fact === undefined ? null : { value: fact.value, text: fact.text }

const makeExplain = (was: ReadonlyMap<string, Fact>, is: ReadonlyMap<string, Fact>, changes: ReadonlyArray<RecordChange>) => {
  const entriesOf = (id: string) => [...was.get(id)?.entry_ids ?? [], ...is.get(id)?.entry_ids ?? []]
  const [present, previous] = [new Set(entriesOf("total.time")), new Set(entriesOf("previous.total.time"))]
  const where = (chosen: (change: EntryChange | GoalChange) => boolean) =>
    changes.flatMap((change, i) => "fields" in change && chosen(change) ? [i] : [])

  return (id: FactId): ReadonlyArray<number> => {
    const own = new Set(entriesOf(id))
    const goal = goalOfFact(id)
    const family = familyOf(id)
    const unit = (is.get(id) ?? was.get(id))?.unit
    const inWhole = (entry: EntryId) =>
      goal === undefined && ((family !== "previous" && present.has(entry)) || (/^(previous|change)$/.test(family) && previous.has(entry)))
    const relates = unit !== "minutes" && unit !== "count"
    const direct = where((change) =>
      "goal_id" in change
        ? goal === goalSlug(change.goal_id)
        : own.has(change.entry_id) || ((relates || family === "average") && inWhole(change.entry_id) && altersTime(change)))
    if (direct.length > 0) return direct
    // Without any entry a period has no facts at all, not even those that rest on none.
    if (!was.has(id) || !is.has(id)) return where((change) => "entry_id" in change)
    return FOUND_AMONG_OTHERS.has(family) ? where((change) => "entry_id" in change && inWhole(change.entry_id)) : []
  }
}

const familyOf = (id: FactId): string => id.split(".", 1)[0] ?? ""

const FOUND_AMONG_OTHERS = new Set(["highlight", "longest", "focus", "switch", "meeting_free", "busiest_day", "busiest_week", "metric"])

const altersTime = ({ fields, kind }: EntryChange): boolean =>
  kind !== "entry_changed" || fields.some((field) => field !== "title" && field !== "description")
