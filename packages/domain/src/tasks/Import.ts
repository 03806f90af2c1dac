/** IMPORT: reads what was done from another system, and hands it in as proposals. */
import { Schema } from "effect"
import { ImportId } from "../Ids.ts"
import { ImportedItem, ImportProblem } from "../imports/ImportedItem.ts"
import * as TaskKind from "./TaskKind.ts"
import { backgroundPolicy } from "./TaskPolicy.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** Items that one task hands in; what is more, the next part of the import brings. */
export const MAX_ITEMS = 2_000

/** Problems that one task hands in; the others are counted. */
export const MAX_PROBLEMS = 100

export const Import = TaskKind.make({
  kind: "IMPORT",
  payload: Schema.Struct({
    import_id: ImportId,
    source: Schema.String,
    /** From 1: a large import is read in several tasks. */
    part: Schema.Int.check(Schema.isGreaterThan(0))
  }),
  result: Schema.Struct({
    items: Schema.Array(ImportedItem).check(Schema.isMaxLength(MAX_ITEMS)),
    problems: Schema.Array(ImportProblem).check(Schema.isMaxLength(MAX_PROBLEMS)),
    /** With those that are not told. */
    problem_count: Count,
    /** Outside the period. */
    skipped: Count,
    /** Where to go on; null: this is the end. */
    resume: Schema.NullOr(Schema.String.check(Schema.isMaxLength(10_000)))
  }),
  // A week: what an import came to stays with the import, and what was handed in need not.
  policy: { ...backgroundPolicy, result_ttl: 604_800_000 },
  submittedBy: "/v1/import/calendar"
})
