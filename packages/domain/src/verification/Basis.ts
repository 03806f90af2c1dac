/**
 * What an insight rests on: its records, as a short digest of each of their fields. Enough to tell later which record was
 * changed and in what, without keeping what it said.
 */
import { Effect, Schema } from "effect"
import { EntryId, GoalId } from "../Ids.ts"
import { WorkingHours } from "../users/WorkingHours.ts"

/** Digests stand in this order. */
export const ENTRY_FIELDS = [
  "title", "description", "type", "project", "tags", "start_time", "end_time", "value_rating", "impact_level"
] as const

export const GOAL_FIELDS = [
  "title", "measure", "target", "start_date", "end_date", "activity_types", "tags", "project_ids"
] as const

/** Characters of base64url, 36 bits: two different values of a field are taken for equal once in 69 thousand million. */
export const DIGEST_LENGTH = 6

/** The digests of all fields, one after the other. */
const Digests = Schema.String

export const EntryDigest = Schema.Struct({ id: EntryId, digests: Digests })
export type EntryDigest = typeof EntryDigest.Type

export const GoalDigest = Schema.Struct({ id: GoalId, digests: Digests })
export type GoalDigest = typeof GoalDigest.Type

export const Basis = Schema.Struct({
  /** IANA name, as it was the user's. */
  timezone: Schema.String,
  /** As they were the user's. An insight that was stored before they were asked for has none. */
  working_hours: Schema.NullOr(WorkingHours).pipe(Schema.withDecodingDefaultKey(Effect.succeed(null))),
  /** Of the period, of the one before it where both were compared, and those that count for the goals told of. */
  entries: Schema.Array(EntryDigest),
  goals: Schema.Array(GoalDigest)
})
export type Basis = typeof Basis.Type

/** The names of the fields in which two states of a record differ. */
export const changedFields = <Field extends string>(fields: ReadonlyArray<Field>, was: string, is: string): ReadonlyArray<Field> =>
  fields.filter((_, i) => part(was, i) !== part(is, i))

const part = (digests: string, i: number): string => digests.slice(i * DIGEST_LENGTH, (i + 1) * DIGEST_LENGTH)
