/**
 * Every change that ends an attempt: reported, lost, handed back, cancelled, overdue. One path for all of them: lock the
 * task, let the state machine decide, carry it out with the kind's effect in the same transaction, then wake whoever waits.
 *
 * Completions that need none of that (of kinds without an effect, with nobody who waits for the task) share one statement with
 * others; whichever of them turns out not to be plain takes the one path after all.
 */
import type { SessionId, TaskId } from "@englog/domain/Ids"
import type { TaskReport } from "@englog/domain/tasks/Task"
import { decide, type Decision, type TaskEvent } from "@englog/domain/tasks/TaskState"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { Context, Effect, Layer, Option, Random, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { outageOf } from "../db/Outage.ts"
import * as Batcher from "./Batcher.ts"
import { tell, tellCompleted } from "./CommittedChange.ts"
import { LeaseBook } from "./LeaseBook.ts"
import { type EndedTask, LeaseRepo, type LockedTask } from "./LeaseRepo.ts"
import { type Completion, OutcomeRepo, type ProgressAnswer, type ProgressNote } from "./OutcomeRepo.ts"
import { bereft, release } from "./TaskDependencies.ts"
import { TaskEndings } from "./TaskEndings.ts"
import { InvalidResult, type OutcomeEffectError, TaskKinds } from "./TaskKinds.ts"
import { admit } from "./TaskLimits.ts"
import { Wakeups } from "./Wakeups.ts"

/** The session does not hold the attempt (any more); `message` says why. The worker is to drop it. */
export class NotHeld extends Schema.TaggedError<NotHeld>()("NotHeld", { message: Schema.String }) {}

/** What becomes of one of many reports. Invalid: the result does not fit its kind. TryAgain: nothing was changed, through no fault of the worker. */
export type ReportAnswer =
  | { readonly _tag: "Accepted" }
  | { readonly _tag: "Refused" | "Invalid" | "TryAgain"; readonly message: string }

/** An attempt as its session names it; 0 stands for whichever it holds. */
export interface HeldAttempt {
  readonly task_id: TaskId
  readonly attempt: number
}

export interface ReportingSession {
  readonly id: SessionId
  /** Earlier sessions of the same worker. */
  readonly lineage: ReadonlyArray<SessionId>
}

export type CancelAnswer = "cancelled" | "requested" | "already_ended" | "not_found"

export class TaskOutcomes extends Context.Service<TaskOutcomes, {
  /** Records how an attempt ended. `lineage`: earlier sessions of the same worker. Equal reports are accepted again. */
  readonly report: (
    report: TaskReport,
    lineage: ReadonlyArray<SessionId>
  ) => Effect.Effect<void, NotHeld | InvalidResult | OutcomeEffectError | SqlError>
  /** The same for many at once: an answer for each, in their order. Fails only when the database is away. */
  readonly reportAll: (
    session: ReportingSession,
    reports: ReadonlyArray<TaskReport>
  ) => Effect.Effect<ReadonlyArray<ReportAnswer>, SqlError>
  readonly progress: (notes: ReadonlyArray<ProgressNote>) => Effect.Effect<ReadonlyArray<ProgressAnswer>, SqlError>
  /** Takes a task from a session that is gone (`Lost`) or gives it up (`HandedBack`). */
  readonly release: (held: HeldAttempt, session_id: SessionId, how: "Lost" | "HandedBack") => Effect.Effect<void, SqlError>
  readonly cancel: (task_id: TaskId, reason: string) => Effect.Effect<CancelAnswer, SqlError>
  /** The task's deadline passed, one attempt took too long, or nobody confirmed a cancellation in time. */
  readonly overdue: (task_id: TaskId, why: "deadline" | "timeout" | "cancel") => Effect.Effect<void, SqlError>
}>()("@englog/api/queue/TaskOutcomes") {
  static readonly layer = Layer.effect(
    TaskOutcomes,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const leases = yield* LeaseRepo
      const changes = yield* OutcomeRepo
      const kinds = yield* TaskKinds
      const endings = yield* TaskEndings
      const book = yield* LeaseBook
      const wakeups = yield* Wakeups

      /** Carries out a decision, and what follows from it for tasks that waited for this one. */
      const carryOut = (task: LockedTask, decision: Decision, details: Details): Effect.Effect<void, SqlError> =>
        change(task, decision, details).pipe(Effect.andThen(tellEnd(task, decision, details)), Effect.andThen(follow(task, decision)))

      /** The kind's own effect first, then whoever follows all of them. */
      const tellEnd = (task: LockedTask, decision: Decision, details: Details): Effect.Effect<void, SqlError> => {
        if (decision._tag !== "Fail" && decision._tag !== "End") return Effect.void
        const state = decision._tag === "Fail" ? "failed" : decision.state
        const ending = {
          task,
          state,
          reason: decision._tag === "Fail" ? decision.reason : state === "expired" ? "deadline" : null,
          result: state === "completed" ? details.result : null
        } as const
        return Effect.andThen(kinds.find(task.kind)?.onEnded?.(task, state) ?? Effect.void, task.followed ? endings.tell(ending) : Effect.void)
      }

      const follow = Effect.fnUntraced(function*(task: LockedTask, decision: Decision) {
        const ended = decision._tag === "Fail" || decision._tag === "End"
        // A task that goes back to the queue is work again; one that ended may be what others waited for.
        if (decision._tag === "Requeue" || (ended && (task.dependents || task.limit_key !== null))) {
          yield* sql.afterCommit(wakeups.wake("tasks", "delayed"))
        }
        if (ended && task.dependents) {
          const completed = decision._tag === "End" && decision.state === "completed"
          for (const next of yield* release(sql, task.id, completed)) yield* admit(sql, next.organization_id, next.limit_key)
          if (!completed) {
            for (const task_id of yield* bereft(sql, task.id)) {
              yield* apply(task_id, { _tag: "CancelRequested" }, `${task.task_id}, which it waited for, did not complete`)
            }
          }
        }
        if (task.limit_key !== null && (ended || decision._tag === "Requeue")) yield* admit(sql, task.organization_id, task.limit_key)
      })

      const change = Effect.fnUntraced(function*(task: LockedTask, decision: Decision, details: Details) {
        yield* sql.afterCommit(tell(task, decision))
        switch (decision._tag) {
          case "Refuse":
          case "Run":
            return
          case "AwaitCancel":
            return yield* changes.requestCancel(task, details.message ?? "cancelled")
          case "Requeue":
            return yield* changes.requeue(task, {
              event: requeueEvent[decision.cause],
              message: details.message,
              delay: decision.delay,
              max_attempts: decision.max_attempts,
              rescues: decision.rescues
            })
          case "Fail":
            return yield* changes.end(task, {
              outcome: "failed",
              reason: decision.reason,
              result: null,
              error: failureText(decision.reason, details.message)
            })
          case "End":
            return yield* changes.end(task, {
              outcome: decision.state,
              reason: decision.state === "expired" ? "deadline" : null,
              result: decision.state === "completed" ? details.result : null,
              error: decision.state === "completed" ? null : endText(decision.state, task.cancel_reason ?? details.message)
            })
        }
      })

      const decideWith = (task: LockedTask, event: TaskEvent) =>
        Random.next.pipe(Effect.map((random) => decide(task, event, random)))

      const announce = (task_id: TaskId) => wakeups.wake(`task:${task_id}`)

      const reportOne: TaskOutcomes["Service"]["report"] = Effect.fn("TaskOutcomes.report")(function*(report, lineage) {
        yield* Effect.annotateCurrentSpan({
          [Attribute.taskId]: report.task_id,
          [Attribute.taskAttempt]: report.attempt,
          [Attribute.taskOutcome]: report.outcome._tag
        })
        const answer = yield* sql.withTransaction(Effect.gen(function*() {
          const locked = yield* leases.lock(report.task_id)
          if (Option.isNone(locked)) return repeated(yield* leases.ended(report.task_id), report, lineage)
          const task = locked.value
          const refusal = fence(task, report, lineage)
          if (refusal !== undefined) return refusal
          const event = eventOf(kinds, task, report)
          const decision = yield* decideWith(task, event)
          if (decision._tag === "Refuse") return decision.why
          const completes = decision._tag === "End" && decision.state === "completed"
          const result = completes && report.outcome._tag === "Completed"
            ? yield* applyEffect(kinds, task, report.outcome.result)
            : null
          if (report.outcome._tag === "Failed") {
            yield* kinds.find(task.kind)?.onFailed?.(task, { ...report.outcome, message: report.outcome.error, final: decision._tag !== "Requeue" }) ?? Effect.void
          }
          yield* carryOut(task, decision, { message: reportText(report), result })
          return event._tag === "Completed" && !completes ? "the task was cancelled" : undefined
        }))
        book.ended(report.task_id)
        yield* announce(report.task_id)
        if (answer !== undefined) return yield* new NotHeld({ message: answer })
      })

      const apply = (
        task_id: TaskId,
        event: TaskEvent,
        message: string | null,
        only?: { readonly session_id: SessionId; readonly attempt: number }
      ): Effect.Effect<Option.Option<Decision>, SqlError> =>
        sql.withTransaction(Effect.gen(function*() {
          const task = yield* leases.lock(task_id)
          if (Option.isNone(task)) return Option.none<Decision>()
          const held = only === undefined ||
            (task.value.session_id === only.session_id && (only.attempt === 0 || task.value.attempt === only.attempt))
          if (!held) return Option.none<Decision>()
          const decision = yield* decideWith(task.value, event)
          yield* carryOut(task.value, decision, { message, result: null })
          return Option.some(decision)
        })).pipe(Effect.tap((decision) => Option.isSome(decision) ? announce(task_id) : Effect.void))

      const complete = yield* Batcher.make({
        inFlight: 1,
        maxSize: 1_000,
        run: (completions: ReadonlyArray<Completion>) =>
          Effect.map(changes.completePlain(completions), (done) => completions.map(({ task_id }) => done.get(task_id))),
        concernsAll: (error: SqlError) => outageOf(error) !== undefined
      })

      const answered = (report: TaskReport, lineage: ReadonlyArray<SessionId>): Effect.Effect<ReportAnswer, SqlError> =>
        reportOne(report, lineage).pipe(
          Effect.as<ReportAnswer>({ _tag: "Accepted" }),
          Effect.catchTags({
            NotHeld: ({ message }) => Effect.succeed<ReportAnswer>({ _tag: "Refused", message }),
            InvalidResult: ({ message }) => Effect.succeed<ReportAnswer>({ _tag: "Invalid", message }),
            OutcomeEffectError: (error) =>
              Effect.as(
                Effect.logError("an outcome could not be carried out", error),
                { _tag: "TryAgain", message: "the outcome could not be carried out; try again" } as const
              )
          })
        )

      /** What of a report may share a statement: nothing where its kind is not known here, or has an effect. Or what is wrong with its result. */
      const plain = ({ attempt, outcome, session_id, task_id }: TaskReport): Completion | string | undefined => {
        const name = book.kindOf(task_id)
        if (outcome._tag !== "Completed" || attempt === 0 || name === undefined) return undefined
        const kind = kinds.find(name)
        if (kind?.onCompleted !== undefined) return undefined
        return kind?.problem?.(outcome.result) ?? { task_id, session_id, attempt, result: outcome.result }
      }

      const reportAll: TaskOutcomes["Service"]["reportAll"] = Effect.fn("TaskOutcomes.reportAll")(function*(session, reports) {
        const answers = Array.from<ReportAnswer | undefined>({ length: reports.length })
        const sharing: Array<{ readonly index: number; readonly completion: Completion }> = []
        for (const [index, report] of reports.entries()) {
          const found = plain(report)
          if (found === undefined) continue
          if (typeof found === "string") answers[index] = { _tag: "Invalid", message: found }
          else sharing.push({ index, completion: found })
        }
        const done = yield* complete(sharing.map(({ completion }) => completion))
        const ended = done.filter((task) => task !== undefined)
        for (const [n, { index }] of sharing.entries()) if (done[n] !== undefined) answers[index] = { _tag: "Accepted" }
        for (const { task_id } of ended) book.ended(task_id)
        if (ended.length > 0) {
          yield* tellCompleted(ended)
          yield* wakeups.wake(...ended.map(({ task_id }) => `task:${task_id}` as const))
        }
        for (const [index, report] of reports.entries()) answers[index] ??= yield* answered(report, session.lineage)
        return answers.filter((answer) => answer !== undefined)
      })

      const note = yield* Batcher.make({
        inFlight: 1,
        maxSize: 1_000,
        run: changes.progress,
        concernsAll: (error: SqlError) => outageOf(error) !== undefined
      })
      const progress: TaskOutcomes["Service"]["progress"] = Effect.fn("TaskOutcomes.progress")(function*(notes) {
        const answers = yield* note(notes)
        yield* wakeups.wake(...notes.filter((_, index) => answers[index] === "noted").map(({ task_id }) => `task:${task_id}` as const))
        return answers
      })

      const giveUp: TaskOutcomes["Service"]["release"] = Effect.fn("TaskOutcomes.release")(
        function*({ attempt, task_id }, session_id, how) {
          const message = how === "Lost" ? "the worker was lost" : "the worker handed the task back"
          const decision = yield* apply(task_id, { _tag: how }, message, { session_id, attempt })
          if (Option.isNone(decision)) return
          yield* Effect.logWarning("released a task from its worker").pipe(
            Effect.annotateLogs({ component: "queue", operation: "release", task_id, session_id, how })
          )
        }
      )

      const cancel: TaskOutcomes["Service"]["cancel"] = Effect.fn("TaskOutcomes.cancel")(function*(task_id, reason) {
        const decision = yield* apply(task_id, { _tag: "CancelRequested" }, reason)
        if (Option.isNone(decision)) return Option.isSome(yield* leases.ended(task_id)) ? "already_ended" : "not_found"
        if (decision.value._tag !== "AwaitCancel") return "cancelled"
        yield* wakeups.wake("cancel")
        return "requested"
      })

      const overdue: TaskOutcomes["Service"]["overdue"] = Effect.fn("TaskOutcomes.overdue")((task_id, why) =>
        apply(task_id, overdueEvent[why], why === "timeout" ? "the attempt took longer than it may" : null).pipe(Effect.asVoid))

      return TaskOutcomes.of({ report: reportOne, reportAll, progress, release: giveUp, cancel, overdue })
    })
  )
}

interface Details {
  readonly message: string | null
  readonly result: string | null
}

/** An attempt that took too long failed like one that its worker reported: the retry policy decides. */
const overdueEvent = {
  deadline: { _tag: "DeadlinePassed" },
  timeout: { _tag: "Failed", retryable: true },
  cancel: { _tag: "CancelForced" }
} as const satisfies Record<string, TaskEvent>

const requeueEvent = { retry: "retrying", rescue: "rescued", "handed-back": "handed_back" } as const

/** Why this session may not report this attempt, or undefined when it may. */
const fence = (task: LockedTask, report: TaskReport, lineage: ReadonlyArray<SessionId>): string | undefined => {
  const mine = [report.session_id, ...lineage]
  const holder = task.session_id ?? task.released_session
  if (holder === null || !mine.includes(holder)) return "this session does not hold the task"
  if (report.attempt !== 0 && report.attempt !== task.attempt) {
    return `attempt ${report.attempt} is over; the task is at attempt ${task.attempt}`
  }
  return undefined
}

/** A report for a task that has ended: fine when it repeats the terminal record, refused otherwise. */
const repeated = (
  ended: Option.Option<EndedTask>,
  report: TaskReport,
  lineage: ReadonlyArray<SessionId>
): string | undefined => {
  if (Option.isNone(ended)) return "there is no such task"
  const { attempt, outcome, session_id } = ended.value
  const sameSession = session_id !== null && [report.session_id, ...lineage].includes(session_id)
  const sameAttempt = report.attempt === 0 || report.attempt === attempt
  return sameSession && sameAttempt && outcome === reportedOutcome[report.outcome._tag]
    ? undefined
    : `the task is already ${outcome}`
}

const reportedOutcome = { Completed: "completed", Failed: "failed", Stopped: "cancelled" } as const

const toEvent = (report: TaskReport): TaskEvent => {
  switch (report.outcome._tag) {
    case "Completed":
      return { _tag: "Completed" }
    case "Failed":
      return { _tag: "Failed", retryable: report.outcome.retryable, retry_after: report.outcome.retry_after ?? 0 }
    case "Stopped":
      return { _tag: "Stopped" }
  }
}

/** A kind may have its say about a failed attempt. */
const eventOf = (kinds: TaskKinds["Service"], { kind }: LockedTask, { outcome, ...report }: TaskReport): TaskEvent => {
  const event = toEvent({ ...report, outcome })
  return event._tag === "Failed" && outcome._tag === "Failed" ? { ...event, ...kinds.find(kind)?.judge?.(outcome) } : event
}

const reportText = (report: TaskReport): string | null => {
  switch (report.outcome._tag) {
    case "Completed":
      return null
    case "Failed":
      return report.outcome.error
    case "Stopped":
      return report.outcome.message
  }
}

const failureText = (reason: "error" | "lost" | "deadline", message: string | null): string => {
  switch (reason) {
    case "error":
      return message === null || message === "" ? "the task failed without saying why" : message
    case "lost":
      return "lost: three workers in a row disappeared while they ran this task"
    case "deadline":
      return "the task's deadline passed before it finished"
  }
}

const endText = (state: "cancelled" | "expired", message: string | null): string =>
  state === "expired" ? "the task's deadline passed before a worker could start it" : message ?? "cancelled"

const applyEffect = (
  kinds: TaskKinds["Service"],
  task: LockedTask,
  result: string
): Effect.Effect<string, InvalidResult | OutcomeEffectError | SqlError> =>
  Effect.suspend(() => {
    // A kind this replica does not know has no effect beyond its result.
    const kind = kinds.find(task.kind)
    const problem = kind?.problem?.(result)
    if (problem !== undefined) return Effect.fail(new InvalidResult({ message: problem }))
    return kind?.onCompleted === undefined ? Effect.succeed(result) : kind.onCompleted(task, result)
  }).pipe(
    Effect.withSpan("TaskOutcomes.effect", { attributes: { [Attribute.taskKind]: task.kind } })
  )
