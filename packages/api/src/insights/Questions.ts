/**
 * The question behind a narration task: which entries, which facts about them, what for. Gathered when a worker asks for
 * its task's data, and again when its answer is checked, so that an answer is always judged by what is recorded now.
 */
import type { FinishedEntry } from "@englog/domain/entries/LogEntry"
import { computeFacts } from "@englog/domain/facts/ComputeFacts"
import { FactEntry, type FactSheet } from "@englog/domain/facts/Fact"
import { localDaysOf } from "@englog/domain/facts/LocalTime"
import { InsightContext } from "@englog/domain/insights/Insight"
import { InsightGeneration } from "@englog/domain/tasks/InsightGeneration"
import type { TaskLease } from "@englog/domain/tasks/Task"
import { WeeklyReport } from "@englog/domain/tasks/WeeklyReport"
import { localPeriod, type Period, precedingPeriod } from "@englog/domain/users/LocalDays"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { createHash } from "node:crypto"
import { UserRepo } from "../auth/UserRepo.ts"
import { EntryRepo } from "../entries/EntryRepo.ts"

export interface Question {
  readonly insight_type: string
  readonly context: InsightContext | null
  readonly sheet: FactSheet
  readonly entries: ReadonlyArray<FactEntry>
  /** SHA-256 over all of the above: equal questions may have the same answer. */
  readonly digest: Uint8Array
}

/** The part of a task that says what it asks. */
export type AskingTask = Pick<TaskLease, "user_id" | "payload" | "private_input">

export class Questions extends Context.Service<Questions, {
  /** INSIGHT_GENERATION: about chosen entries; those that are gone are left out. */
  readonly ofInsight: (task: AskingTask) => Effect.Effect<Question, SqlError>
  /** WEEKLY_REPORT: about everything in a period. */
  readonly ofReport: (task: AskingTask) => Effect.Effect<Question, SqlError>
}>()("@englog/api/insights/Questions") {
  static readonly layer = Layer.effect(
    Questions,
    Effect.gen(function*() {
      const users = yield* UserRepo
      const entries = yield* EntryRepo

      const zoneOf = (user_id: AskingTask["user_id"]) =>
        users.find(user_id).pipe(Effect.map(Option.match({ onNone: () => "UTC", onSome: (user) => user.timezone })))
      const inPeriod = (user_id: AskingTask["user_id"], period: Period) =>
        entries.findInPeriod(user_id, period.from, period.to).pipe(Effect.map((found) => found.map(toFactEntry)))

      const ofInsight = Effect.fn("Questions.ofInsight")(function*(task: AskingTask) {
        const payload = yield* Effect.orDie(decodeInsight(task.payload))
        const timezone = yield* zoneOf(task.user_id)
        const chosen = (yield* entries.findOwned(task.user_id, payload.entry_ids)).map(toFactEntry)
        const context = yield* contextOf(task)
        const days = localDaysOf(chosen, timezone)
        if (days === undefined) {
          const today = yield* localToday(timezone)
          const sheet = computeFacts({ entries: [], preceding: [], timezone, period: { start: today, end: today } })
          return question(payload.insight_type, context, sheet, chosen)
        }
        // A selection can be compared with the period before only where it is everything that its own period has.
        const own = localPeriod(days.first, days.last, timezone)
        const whole = yield* entries.countInPeriod(task.user_id, own.from, own.to)
        const preceding = whole === chosen.length
          ? yield* inPeriod(task.user_id, precedingPeriod(days.first, days.last, timezone))
          : []
        return question(payload.insight_type, context, computeFacts({ entries: chosen, preceding, timezone }), chosen)
      })

      const ofReport = Effect.fn("Questions.ofReport")(function*(task: AskingTask) {
        const payload = yield* Effect.orDie(decodeReport(task.payload))
        const timezone = yield* zoneOf(task.user_id)
        const { end_date: end, start_date: start } = payload
        const found = yield* inPeriod(task.user_id, localPeriod(start, end, timezone))
        const preceding = yield* inPeriod(task.user_id, precedingPeriod(start, end, timezone))
        const context = yield* contextOf(task)
        const sheet = computeFacts({ entries: found, preceding, timezone, period: { start, end } })
        return question(payload.report_type, context, sheet, found)
      })

      return Questions.of({ ofInsight, ofReport })
    })
  )
}

const question = (
  insight_type: string,
  context: InsightContext | null,
  sheet: FactSheet,
  entries: ReadonlyArray<FactEntry>
): Question => ({
  insight_type,
  context,
  sheet,
  entries,
  digest: createHash("sha256").update(JSON.stringify([insight_type, context, sheet, entries])).digest()
})

/** What a narrator may know of an entry. */
const toFactEntry = (entry: FinishedEntry): FactEntry => new FactEntry({ ...entry }, { disableChecks: true })

const localToday = (timezone: string) =>
  DateTime.now.pipe(
    Effect.map((now) =>
      DateTime.zoneMakeNamed(timezone).pipe(
        Option.match({
          onNone: () => DateTime.formatIsoDateUtc(now),
          onSome: (zone) => DateTime.formatIsoDate(DateTime.setZone(now, zone))
        })
      )
    )
  )

/** The request's context travels as the task's private input. */
const contextOf = (task: AskingTask) =>
  task.private_input === null ? Effect.succeed(null) : Effect.orDie(decodeContext(task.private_input))

const decodeContext = Schema.decodeUnknownEffect(Schema.fromJsonString(InsightContext))
const decodeInsight = Schema.decodeUnknownEffect(Schema.fromJsonString(InsightGeneration.payload))
const decodeReport = Schema.decodeUnknownEffect(Schema.fromJsonString(WeeklyReport.payload))
