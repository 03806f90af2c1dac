/** An import as its owner sees it: where it read, how far it is, and what it came to. */
import { Schema } from "effect"
import { ImportId, TaskId } from "../Ids.ts"
import { PublicTaskState } from "../tasks/TaskState.ts"
import { ImportProblem } from "./ImportedItem.ts"

const Count = (description: string) => Schema.Int.annotate({ description })

export class ImportRecord extends Schema.Class<ImportRecord>("ImportRecord")({
  id: ImportId,
  source: Schema.String,
  /** Of the part that is read now, or that was the last. */
  task_id: TaskId,
  state: PublicTaskState,
  part: Schema.Int,
  outcome: Schema.NullOr(Schema.Literals(["completed", "partial"])).annotate({
    description: "partial: there is more than an import may hold; import a shorter period. null: it has not completed"
  }),
  error: Schema.NullOr(Schema.String),
  period_from: Schema.NullOr(Schema.DateTimeUtcFromString),
  period_to: Schema.NullOr(Schema.DateTimeUtcFromString),
  created: Count("New proposals."),
  updated: Count("Open proposals whose source has changed."),
  corrections: Count("Accepted or changed proposals that are proposed again, because their source has changed since."),
  removed: Count("Proposals whose source is cancelled, declined or gone."),
  unchanged: Count("Known already, or decided already."),
  skipped: Count("Outside the period."),
  problem_count: Count("What could not be read."),
  problems: Schema.Array(ImportProblem).annotate({ description: "The first 100 of them." }),
  created_at: Schema.DateTimeUtcFromString,
  completed_at: Schema.NullOr(Schema.DateTimeUtcFromString)
}) {}
