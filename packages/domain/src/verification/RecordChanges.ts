/**
 * Which records changed between two bases, and in what. Records are known by their ids; `elsewhere` tells of entries that the
 * later basis lacks but that still exist.
 */
import { DateTime } from "effect"
import type { EntryId } from "../Ids.ts"
import { type Basis, changedFields, ENTRY_FIELDS, GOAL_FIELDS } from "./Basis.ts"
import type { EntryChange, GoalChange } from "./Verification.ts"

export interface BasisChangesInput {
  readonly was: Basis
  readonly now: Basis
  /** Digests of entries of `was` that are not in `now` and still exist. */
  readonly elsewhere: ReadonlyMap<EntryId, string>
  /** When the entries of `now` were recorded. */
  readonly createdAt: (id: EntryId) => DateTime.Utc | undefined
  /** When `was` was taken. */
  readonly storedAt: DateTime.Utc
}

export const entryChanges = (input: BasisChangesInput): ReadonlyArray<EntryChange> => {
  const { createdAt, elsewhere, now, storedAt, was } = input
  const before = new Map(was.entries.map(({ digests, id }) => [id, digests]))
  const after = new Map(now.entries.map(({ digests, id }) => [id, digests]))
  const kept = was.entries.flatMap(({ digests, id }): ReadonlyArray<EntryChange> => {
    const today = after.get(id) ?? elsewhere.get(id)
    return today === undefined ? [{ kind: "entry_removed", entry_id: id, fields: [] }] : difference(id, digests, today)
  })
  const come = now.entries.filter(({ id }) => !before.has(id)).map(({ id }): EntryChange => {
    const at = createdAt(id)
    const isNew = at !== undefined && DateTime.isGreaterThanOrEqualTo(at, storedAt)
    return { kind: isNew ? "entry_added" : "entry_entered", entry_id: id, fields: [] }
  })
  return [...kept, ...come]
}

const difference = (entry_id: EntryId, was: string, is: string): ReadonlyArray<EntryChange> => {
  const fields = changedFields(ENTRY_FIELDS, was, is)
  if (fields.length === 0) return []
  const redated = fields.includes("start_time") || fields.includes("end_time")
  return [{ kind: redated ? "entry_redated" : "entry_changed", entry_id, fields }]
}

export const goalChanges = (was: Basis, now: Basis): ReadonlyArray<GoalChange> => {
  const before = new Map(was.goals.map(({ digests, id }) => [id, digests]))
  const after = new Map(now.goals.map(({ digests, id }) => [id, digests]))
  const kept = was.goals.flatMap(({ digests, id }): ReadonlyArray<GoalChange> => {
    const today = after.get(id)
    if (today === undefined) return [{ kind: "goal_removed", goal_id: id, fields: [] }]
    const fields = changedFields(GOAL_FIELDS, digests, today)
    return fields.length === 0 ? [] : [{ kind: "goal_changed", goal_id: id, fields }]
  })
  const come = now.goals.filter(({ id }) => !before.has(id)).map(({ id }): GoalChange => ({ kind: "goal_added", goal_id: id, fields: [] }))
  return [...kept, ...come]
}
