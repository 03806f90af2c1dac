/**
 * What one message of a session's stream says about tasks, handed to the queue, and the queue's answers in the stream's words.
 * It never fails: what could not be recorded for want of a database is to be reported again.
 */
import type { TaskReport } from "@englog/domain/tasks/Task"
import { isSampled, parentOf } from "@englog/platform/telemetry/TraceContext"
import type { NumberedOutcome, RefusedOutcome, RefusedStep, TaskStep } from "@englog/rpc/grpc/SessionMessages"
import type { AttemptOutcome, HeldTask } from "@englog/rpc/grpc/WorkerMessages"
import { Array, Cause, Context, Effect, Layer, Option, Result } from "effect"
import { warnUnlessOutage } from "../db/Outage.ts"
import { type ReportAnswer, type ReportingSession, TaskOutcomes } from "../queue/TaskOutcomes.ts"

export class WorkerReports extends Context.Service<WorkerReports, {
  readonly outcomes: (by: ReportingSession, outcomes: ReadonlyArray<NumberedOutcome>) => Effect.Effect<{
    readonly accepted: ReadonlyArray<number>
    readonly refused: ReadonlyArray<RefusedOutcome>
  }>
  readonly steps: (by: ReportingSession, steps: ReadonlyArray<TaskStep>) => Effect.Effect<{
    readonly revoked: ReadonlyArray<HeldTask>
    readonly refused: ReadonlyArray<RefusedStep>
  }>
}>()("@englog/api/cluster/WorkerReports") {
  static readonly layer = Layer.effect(
    WorkerReports,
    Effect.gen(function*() {
      const taskOutcomes = yield* TaskOutcomes

      const report = (by: ReportingSession, reported: ReadonlyArray<NumberedOutcome>) =>
        taskOutcomes.reportAll(by, reported.map((one) =>
          ({ task_id: one.task_id, session_id: by.id, attempt: one.attempt, outcome: toReport(one.outcome) }))).pipe(
            Effect.catchTag("SqlError", (error) =>
              Effect.as(
                warnUnlessOutage("could not record outcomes", Cause.fail(error)),
                reported.map((): ReportAnswer => ({ _tag: "TryAgain", message: "the database is not available" }))
              )),
            Effect.map((answers) => answers.map((answer, index) => ({ number: reported[index]?.number ?? 0, answer })))
          )

      return WorkerReports.of({
        // What is sampled is told to the queue by itself, so that its commit is a step of its trace; the queue brings them together.
        outcomes: Effect.fnUntraced(function*(by, outcomes) {
          const [sampled, quiet] = Array.partition(outcomes, (one) => Option.isSome(sampledParent(one)) ? Result.succeed(one) : Result.fail(one))
          const answers = yield* Effect.all([
            ...(quiet.length > 0 ? [report(by, quiet)] : []),
            ...sampled.map((one) => traced(one, report(by, [one])))
          ], { concurrency: "unbounded" })
          return answersOf(answers.flat())
        }),
        steps: Effect.fnUntraced(function*(by, steps) {
          const answers = yield* taskOutcomes.progress(steps.map(({ attempt, message, progress, task_id }) =>
            ({ task_id, session_id: by.id, attempt, progress, message: message === "" ? null : message }))).pipe(
              // Progress is news, not state: nobody says it again.
              Effect.catchTag("SqlError", (error) =>
                Effect.as(warnUnlessOutage("could not note progress", Cause.fail(error)), []))
            )
          return {
            revoked: steps.filter((_, index) => answers[index] === "not_held").map(({ attempt, task_id }) => ({ task_id, attempt })),
            refused: steps.filter((_, index) => answers[index] === "behind").map(({ attempt, progress, task_id }) =>
              ({ task_id, attempt, reason: `progress: ${progress} is behind what was reported before` }))
          }
        })
      })
    })
  )
}

const answersOf = (answers: ReadonlyArray<{ readonly number: number; readonly answer: ReportAnswer }>) => ({
  accepted: answers.flatMap(({ answer, number }) => answer._tag === "Accepted" ? [number] : []),
  refused: answers.flatMap(({ answer, number }): ReadonlyArray<RefusedOutcome> =>
    answer._tag === "Accepted" ? [] : [{ number, refusal: refusals[answer._tag], reason: answer.message }])
})

const refusals = { Refused: "not_held", Invalid: "invalid", TryAgain: "later" } as const

const sampledParent = ({ traceparent }: NumberedOutcome) => isSampled(traceparent) ? parentOf(traceparent) : Option.none()

/** As a step of the attempt's trace; nothing else on a session's stream makes spans. */
const traced = <A>(outcome: NumberedOutcome, report: Effect.Effect<A>): Effect.Effect<A> =>
  Option.match(sampledParent(outcome), {
    onNone: () => report,
    onSome: (parent) => report.pipe(Effect.withParentSpan(parent, { captureStackTrace: false }), Effect.withTracerEnabled(true))
  })

export const toReport = (outcome: AttemptOutcome): TaskReport["outcome"] => {
  switch (outcome._tag) {
    case "Completed":
    case "Failed":
      return outcome
    case "Cancelled":
      return { _tag: "Stopped", message: outcome.error === "" ? "cancelled" : outcome.error }
  }
}
