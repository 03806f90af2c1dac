/** The digests of an insight's basis. It is sealed as a whole: they need no key of their own. */
import type { FactEntry } from "@englog/domain/facts/Fact"
import type { ProjectId } from "@englog/domain/Ids"
import { type Basis, DIGEST_LENGTH, type EntryDigest, type GoalDigest } from "@englog/domain/verification/Basis"
import { DateTime, type Schema } from "effect"
import { createHash } from "node:crypto"
import type { StoredGoal } from "../goals/GoalRepo.ts"
import type { Question } from "./Questions.ts"

export const recordsOf = (question: Question): Basis => {
  const entries = new Map(question.resting_on.map((entry) => [entry.id, entry]))
  return {
    timezone: question.sheet.timezone,
    working_hours: question.working_hours,
    entries: [...entries.values()].map(entryDigest),
    goals: question.goals.map(goalDigest)
  }
}

/** An entry that runs has no end. */
export const entryDigest = (entry: Omit<FactEntry, "end_time" | "duration_minutes"> & { readonly end_time: DateTime.Utc | null }): EntryDigest => ({
  id: entry.id,
  digests: [
    entry.title, entry.description, entry.type, entry.project_name, entry.tags, DateTime.formatIso(entry.start_time),
    entry.end_time === null ? null : DateTime.formatIso(entry.end_time), entry.value_rating, entry.impact_level
  ].map(digest).join("")
})

const goalDigest = (goal: StoredGoal): GoalDigest => ({
  id: goal.id,
  digests: [
    goal.title, goal.measure, goal.target, goal.start_date, goal.end_date, goal.activity_types, goal.tags, goal.project_ids
  ].map(digest).join("")
})

/** The digests of a goal whose projects have got other ids, and nothing else was changed. */
export const withRenamedProjects = (digests: string, was: ReadonlyArray<ProjectId> | null, is: ReadonlyArray<ProjectId> | null): string => {
  const before = digest(was)
  return digests.endsWith(before) ? `${digests.slice(0, -before.length)}${digest(is)}` : digests
}

const digest = (value: Schema.Json): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, DIGEST_LENGTH)
