/**
 * Submission of tasks of any kind: who may, for which organization, with which payload; one of them, or many in one commit.
 */
import { taskKinds } from "@englog/domain/tasks/TaskKindRegistry"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, type Conflict, Forbidden, NotFound, PayloadTooLarge, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { type BulkTaskRequest, MAX_PAYLOAD_BYTES, type TaskRequest } from "@englog/rpc/http/TaskRequest"
import { Context, DateTime, Effect, Layer, Option, Result } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { type Accepted, type Submission, TaskQueue } from "../queue/TaskQueue.ts"
import { TaskRepo } from "../queue/TaskRepo.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { orConflict, orTooMany } from "../tasks/SubmissionProblem.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { type KnownKind, KnownKinds } from "./KnownKinds.ts"
import { errorAnswer } from "@englog/rpc/http/ErrorAnswer"
import { toSubmission } from "./SubmissionTerms.ts"

type Caller = CurrentUser["Service"]

/** What is wrong with one task of a request. */
export type Problem = BadRequest | Forbidden | NotFound | PayloadTooLarge

export type SubmissionProblem = Problem | Conflict | TooManyRequests | SqlError

export class TaskSubmissions extends Context.Service<TaskSubmissions, {
  /** What would be submitted, or why it would not. */
  readonly prepare: (caller: Caller, request: TaskRequest) => Effect.Effect<Submission, Problem | SqlError>
  readonly submit: (caller: Caller, request: TaskRequest) => Effect.Effect<Accepted, SubmissionProblem>
  /** All or none, in the order of the request. */
  readonly submitAll: (caller: Caller, request: BulkTaskRequest) => Effect.Effect<ReadonlyArray<Accepted>, SubmissionProblem>
}>()("@englog/api/background/TaskSubmissions") {
  static readonly layer = Layer.effect(
    TaskSubmissions,
    Effect.gen(function*() {
      const kinds = yield* KnownKinds
      const access = yield* TaskAccess
      const tasks = yield* TaskRepo
      const queue = yield* TaskQueue
      const { record } = yield* SecurityEvents

      /** What administrators start stands in the audit log. */
      const note = (caller: Caller, submissions: ReadonlyArray<Submission>, answers: ReadonlyArray<Accepted>) =>
        Effect.forEach(submissions, ({ kind }, index) => {
          const { created, task_id } = answers[index] ?? { created: false, task_id: "" }
          return created && administrative.has(kind)
            ? record({ event: "admin_task_submitted", user_id: caller.id, detail: { kind, task_id } })
            : Effect.void
        }, { discard: true })

      const kindOf = Effect.fnUntraced(function*(caller: Caller, { task_type }: TaskRequest): Effect.fn.Return<KnownKind, Problem | SqlError> {
        const kind = yield* kinds.get(task_type)
        if (kind.submittedBy === "everybody" || (kind.submittedBy === "administrators" && caller.is_admin)) return kind
        return yield* kind.submittedBy === "administrators"
          ? new Forbidden({ error: `task_type: ${task_type} is for administrators` })
          : new BadRequest({ error: `task_type: ${task_type} is submitted at ${kind.submittedBy}` })
      })

      /** A task that it is to be a part of exists for the caller, in the same organization. */
      const parentOf = Effect.fnUntraced(function*({ parent, organization_id }: Submission) {
        if (parent == null) return
        const found = yield* tasks.find(parent)
        if (Option.isNone(found) || found.value.organization_id !== organization_id) {
          return yield* new NotFound({ error: `parent: there is no task ${parent}` })
        }
      })

      const prepare = Effect.fnUntraced(function*(
        caller: Caller,
        request: TaskRequest,
        now: DateTime.Utc
      ): Effect.fn.Return<Submission, Problem | SqlError> {
        const kind = yield* kindOf(caller, request)
        const organization_id = yield* access.organization(caller, request.organization_id)
        const checked = kind.check(request.payload === undefined ? {} : request.payload, ["payload"])
        if (Result.isFailure(checked)) return yield* new BadRequest(checked.failure)
        const terms = { request, kind, payload: checked.success, organization_id, user_id: caller.id, now }
        const submission = toSubmission(terms)
        if (Result.isFailure(submission)) return yield* new BadRequest({ error: submission.failure })
        if (Buffer.byteLength(submission.success.payload) > MAX_PAYLOAD_BYTES) {
          return yield* new PayloadTooLarge({ error: `payload: must be at most ${MAX_PAYLOAD_BYTES} bytes as JSON` })
        }
        yield* parentOf(submission.success)
        return submission.success
      })

      return TaskSubmissions.of({
        prepare: Effect.fn("TaskSubmissions.prepare")(function*(caller, request) {
          return yield* prepare(caller, request, yield* DateTime.now)
        }),
        submit: Effect.fn("TaskSubmissions.submit")(function*(caller, request) {
          const submission = yield* prepare(caller, request, yield* DateTime.now)
          // Only a unique key can have the answer that there was one already.
          const answers = submission.unique_key === null
            ? yield* Effect.map(accepted(queue.submit(submission)), (task_id) => [{ task_id, created: true }])
            : yield* accepted(queue.submitAll([submission]))
          yield* note(caller, [submission], answers)
          const [answer] = answers
          return answer ?? (yield* Effect.die(new Error("a submission was not answered")))
        }),
        submitAll: Effect.fn("TaskSubmissions.submitAll")(function*(caller, request) {
          const now = yield* DateTime.now
          const prepared = yield* Effect.forEach(request.tasks, (task) => orProblem(prepare(caller, task, now)))
          const problems = prepared.flatMap((one, index) => Result.isFailure(one) ? [{ index, problem: one.failure }] : [])
          if (problems.length > 0) return yield* together(problems)
          const submissions = prepared.filter(Result.isSuccess).map(({ success }) => success)
          return yield* Effect.tap(accepted(queue.submitAll(submissions)), (answers) => note(caller, submissions, answers))
        })
      })
    })
  )
}

const administrative = new Set(taskKinds.filter(({ submittedBy }) => submittedBy === "administrators").map(({ kind }) => kind))

const accepted = <A, E, R>(effect: Effect.Effect<A, E, R>) => orConflict(orTooMany(effect))

const orProblem = <A>(effect: Effect.Effect<A, Problem | SqlError>): Effect.Effect<Result.Result<A, Problem>, SqlError> =>
  effect.pipe(
    Effect.map((value): Result.Result<A, Problem> => Result.succeed(value)),
    Effect.catchIf(isProblem, (problem) => Effect.succeed(Result.fail(problem)))
  )

const isProblem = (error: Problem | SqlError): error is Problem =>
  error instanceof BadRequest || error instanceof Forbidden || error instanceof NotFound || error instanceof PayloadTooLarge

/** So many are told. */
const MAX_TOLD = 50

/** One answer for all of them: the status of the first, every sentence with its place. */
const together = (problems: ReadonlyArray<{ readonly index: number; readonly problem: Problem }>) => {
  const told = problems.slice(0, MAX_TOLD).map(({ index, problem }) => `tasks[${index}].${problem.error}`).join("; ")
  const error = problems.length > MAX_TOLD ? `${told}; and more` : told
  const details = problems.slice(0, MAX_TOLD).flatMap(({ index, problem }) =>
    errorAnswer(problem, problem.code).details.map((detail) => "field" in detail ? { ...detail, field: `tasks[${index}].${detail.field}` } : detail))
  const [first] = problems
  return Effect.fail(
    first?.problem instanceof Forbidden
      ? new Forbidden({ error, details })
      : first?.problem instanceof NotFound
      ? new NotFound({ error, details })
      : first?.problem instanceof PayloadTooLarge
      ? new PayloadTooLarge({ error, details })
      : new BadRequest({ error, details })
  )
}
