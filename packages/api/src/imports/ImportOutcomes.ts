/**
 * IMPORT tasks: what a worker may read is the import's input, and what it hands in becomes proposals in the transaction of the task's
 * completion. Where it says that there is more, the next part is another task, accepted with this one's completion.
 */
import type { ImportId, OrganizationId, TaskId, UserId } from "@englog/domain/Ids"
import { ImportJob } from "@englog/domain/imports/ImportInput"
import { Import } from "@englog/domain/tasks/Import"
import { Effect, Layer, Option, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { InvalidResult, OutcomeEffectError, TaskKinds } from "../queue/TaskKinds.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { ImportRepo, type OpenImport, type PartCounts } from "./ImportRepo.ts"
import { ProposalMerge } from "./ProposalMerge.ts"
import { ProposalRepo, type WritingImport } from "./ProposalRepo.ts"

/** Of one import: it ends as `partial` after them. */
export const MAX_PARTS = 50
/** Kept of one import; the others are counted. */
const MAX_PROBLEMS = 100

export const ImportOutcomesLive = Layer.effectDiscard(Effect.gen(function*() {
  const kinds = yield* TaskKinds
  const imports = yield* ImportRepo
  const proposals = yield* ProposalRepo
  const { merge } = yield* ProposalMerge
  const queue = yield* TaskQueue

  /** Accepted with what the transaction writes; a queue that is full has the worker report again. */
  const nextPart = (task: CompletedTask, source: string, import_id: ImportId, part: number, resume: string) =>
    Effect.gen(function*() {
      const job = yield* Effect.orDie(decodeJob(task.private_input ?? ""))
      const { task_id } = yield* queue.enlist({
        ...taskOf({ import_id, source, part }, { ...job, resume }),
        organization_id: task.organization_id,
        user_id: task.user_id
      }).pipe(Effect.catchTags({
        QueueFull: (cause) => Effect.fail(new OutcomeEffectError({ kind: Import.kind, cause })),
        DependencyProblem: Effect.die
      }))
      yield* imports.goOn(import_id, task_id)
    })

  /** Something may be missing only from what was read whole. */
  const missingFrom = (by: WritingImport, { part, period_from, period_to, problem_count }: OpenImport, result: Handed) =>
    by.feed_digest === null || period_from === null || period_to === null || part > 1 || problem_count + result.problem_count > 0
      ? Effect.succeed(0)
      : proposals.removeMissing(by, { from: period_from, to: period_to })

  const store = Effect.fnUntraced(function*(task: CompletedTask, payload: typeof Import.payload.Type, result: Handed, open: OpenImport) {
    const { import_id, part, source } = payload
    const by: WritingImport = { id: import_id, user_id: task.user_id, feed_digest: open.feed_digest }
    const { ignored, ...fates } = yield* merge(by, result.items)
    const more = result.resume !== null && part < MAX_PARTS
    const missing = result.resume === null ? yield* missingFrom(by, open, result) : 0
    const counts: PartCounts = {
      ...fates,
      removed: fates.removed + missing,
      skipped: result.skipped + ignored,
      problem_count: result.problem_count
    }
    yield* imports.add(import_id, counts, [...open.problems, ...result.problems].slice(0, MAX_PROBLEMS))
    if (result.resume !== null && more) yield* nextPart(task, source, import_id, part + 1, result.resume)
    else yield* imports.complete(import_id, result.resume === null ? "completed" : "partial")
    return summary(import_id, counts, result)
  })

  yield* kinds.register({
    kind: Import.kind,
    data: ({ private_input }) => Effect.succeed(private_input ?? ""),
    onCompleted: Effect.fn("ImportOutcomes.onCompleted")(function*(task, result): Effect.fn.Return<string, InvalidResult | OutcomeEffectError | SqlError> {
      const handed = yield* decodeResult(result).pipe(Effect.mapError((error) => new InvalidResult({ message: `result: ${error.message}` })))
      const payload = yield* Effect.orDie(decodePayload(task.payload))
      const open = yield* imports.lock(task.user_id, payload.import_id)
      if (Option.isNone(open)) return yield* Effect.die(new Error(`import ${payload.import_id} of a task is gone`))
      return yield* store(task, payload, handed, open.value)
    })
  })
}))

interface CompletedTask {
  readonly task_id: TaskId
  readonly organization_id: OrganizationId
  readonly user_id: UserId
  readonly payload: string
  readonly private_input: string | null
}

type Handed = typeof Import.result.Type

/** A task that reads one part. */
export const taskOf = (payload: typeof Import.payload.Type, job: ImportJob) => ({
  kind: Import.kind,
  prefix: "import",
  payload: JSON.stringify(payload),
  private_input: JSON.stringify(encodeJob(job)),
  policy: Import.policy
})

/** Names of seed 004's batchImportCalendar first. */
const summary = (import_id: ImportId, counts: PartCounts, { items, problem_count, problems }: Handed): string =>
  JSON.stringify({ processed: items.length, errors: problem_count, error_details: problems, import_id, ...counts })

const decodePayload = Schema.decodeEffect(Schema.fromJsonString(Import.payload))
const decodeResult = Schema.decodeEffect(Schema.fromJsonString(Import.result))
const decodeJob = Schema.decodeEffect(Schema.fromJsonString(ImportJob))
const encodeJob = Schema.encodeSync(ImportJob)
