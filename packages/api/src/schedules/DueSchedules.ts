/**
 * Turns occurrences that are due into tasks. An occurrence's task and the schedule's next time are one transaction, and its unique
 * key names schedule and instant: it exists once, whoever does this and however often.
 */
import type { ScheduleId } from "@englog/domain/Ids"
import { dueAt, parse } from "@englog/domain/schedules/Recurrence"
import { Cause, Context, DateTime, Effect, Layer, Option, Result } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { outageOf } from "../db/Outage.ts"
import { type Submission, TaskQueue } from "../queue/TaskQueue.ts"
import { type Schedule, ScheduleRepo } from "./ScheduleRepo.ts"

export interface Round {
  readonly submitted: number
  /** Schedules that could not be submitted, a full queue for instance; they stay due. */
  readonly refused: number
  /** Milliseconds until the next one is due; none where nothing is planned. */
  readonly next: number | undefined
}

export class DueSchedules extends Context.Service<DueSchedules, {
  readonly submit: Effect.Effect<Round, SqlError>
}>()("@englog/api/schedules/DueSchedules") {
  static readonly layer = Layer.effect(
    DueSchedules,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* ScheduleRepo
      const queue = yield* TaskQueue

      const carryOut = Effect.fnUntraced(function*(schedule: Schedule, now: DateTime.Utc) {
        const cron = parse(schedule.cron, schedule.timezone)
        const due = Result.flatMap(cron, (cron): ReturnType<typeof dueAt> => dueAt(cron, schedule.next_run_at, now, schedule))
        if (Result.isFailure(due)) return yield* Effect.die(new Error(`no next occurrence of "${schedule.cron}" in ${schedule.timezone}`))
        const tasks = yield* Effect.forEach(due.success.occurrences, (at) =>
          Effect.map(queue.enlist(occurrence(schedule, at)), ({ created, task_id }) => ({ at, task_id, created })))
        yield* repo.advance(schedule.id, due.success.next, tasks.at(-1))
        return tasks.filter(({ created }) => created).length
      })

      /** One schedule in a transaction of its own; undefined where none is due any more. */
      const one = (now: DateTime.Utc, except: Array<ScheduleId>) =>
        Effect.suspend(() => {
          let locked: ScheduleId | undefined
          return sql.withTransaction(Effect.gen(function*() {
            const found = yield* repo.lockDue(now, except)
            if (Option.isNone(found)) return undefined
            locked = found.value.id
            return yield* carryOut(found.value, now)
          })).pipe(Effect.catchCause((cause) => {
            const error = Cause.squash(cause)
            const schedule_id = locked
            if (schedule_id === undefined || Cause.hasInterrupts(cause) || outageOf(error) !== undefined) return Effect.failCause(cause)
            except.push(schedule_id)
            return Effect.as(
              Effect.logWarning("a schedule could not be carried out; trying again", cause).pipe(
                Effect.annotateLogs({ component: "schedules", operation: "submit", schedule_id })
              ),
              0
            )
          }))
        })

      const submit = Effect.gen(function*() {
        const now = yield* DateTime.now
        const refused: Array<ScheduleId> = []
        let submitted = 0
        let count = yield* one(now, refused)
        while (count !== undefined) {
          submitted += count
          count = yield* one(now, refused)
        }
        const next = yield* repo.nextDue
        return {
          submitted,
          refused: refused.length,
          next: Option.getOrUndefined(Option.map(next, (at) => Math.max(0, DateTime.toEpochMillis(at) - DateTime.toEpochMillis(now))))
        }
      }).pipe(
        Effect.catchTags({
          // Neither leaves a transaction: what a schedule's task meets is told with the schedule above.
          QueueFull: Effect.die,
          DependencyProblem: Effect.die
        }),
        Effect.withTracerEnabled(false)
      )

      return DueSchedules.of({ submit })
    })
  )
}

/** The task of a schedule, without an occurrence. */
export const taskOf = (schedule: Schedule): Submission => ({
  kind: schedule.kind,
  prefix: "scheduled",
  organization_id: schedule.organization_id,
  user_id: schedule.user_id,
  payload: schedule.payload,
  private_input: null,
  policy: schedule.policy,
  name: schedule.name
})

const occurrence = (schedule: Schedule, at: DateTime.Utc): Submission => ({
  ...taskOf(schedule),
  unique_key: `schedule:${schedule.id}:${DateTime.formatIso(at)}`
})
