/**
 * The question behind a narration task: which entries, which facts about them, what for. Gathered when a worker asks for
 * its task's data, again when its answer is checked, and again whenever somebody asks whether the answer still holds, so that
 * an answer is always judged by what is recorded then.
 */
import type { FinishedEntry } from "@englog/domain/entries/LogEntry"
import { computeFacts } from "@englog/domain/facts/ComputeFacts"
import { FactEntry, type FactSheet } from "@englog/domain/facts/Fact"
import type { GoalWork } from "@englog/domain/facts/GoalFacts"
import { localDaysOf } from "@englog/domain/facts/LocalTime"
import type { EntryId, ProjectId, UserId } from "@englog/domain/Ids"
import { InsightContext } from "@englog/domain/insights/Insight"
import type { InsightCategory } from "@englog/domain/insights/InsightCategory"
import { PROMPT_VERSION } from "@englog/domain/insights/Prompt"
import { BUILTIN_PROMPT_VERSION } from "@englog/domain/narrator/Narrator"
import { InsightGeneration } from "@englog/domain/tasks/InsightGeneration"
import type { TaskLease } from "@englog/domain/tasks/Task"
import { WeeklyReport } from "@englog/domain/tasks/WeeklyReport"
import { localDayOf, localPeriod, type Period, precedingPeriod } from "@englog/domain/users/LocalDays"
import type { WorkingHours } from "@englog/domain/users/WorkingHours"
import { Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { createHash } from "node:crypto"
import { WorkingHoursRepo } from "../analytics/WorkingHoursRepo.ts"
import { UserRepo } from "../auth/UserRepo.ts"
import { EntryRepo } from "../entries/EntryRepo.ts"
import { GoalProgress } from "../goals/GoalProgress.ts"
import type { StoredGoal } from "../goals/GoalRepo.ts"

export interface Question {
  readonly insight_type: string
  readonly context: InsightContext | null
  /** Undefined: the sections of the type. */
  readonly focus_areas: ReadonlyArray<InsightCategory> | undefined
  /** Null: entries of any project or none. */
  readonly project_ids: ReadonlyArray<ProjectId> | null
  /** The user's, as the facts have them; null where none are set. */
  readonly working_hours: WorkingHours | null
  readonly sheet: FactSheet
  readonly entries: ReadonlyArray<FactEntry>
  /** All that the facts stand on: these entries, those of the period before, those that count for goals. Some come twice. */
  readonly resting_on: ReadonlyArray<FactEntry>
  readonly goals: ReadonlyArray<StoredGoal & Pick<GoalWork, "entries">>
  readonly created_at: (id: EntryId) => DateTime.Utc | undefined
  /** SHA-256 over all that an answer may depend on: equal questions may have the same answer. */
  readonly digest: Uint8Array
}

/** The part of a task that says what it asks. */
export type AskingTask = Pick<TaskLease, "user_id" | "payload" | "private_input">

/** What of a user's preferences decides how records are read. */
export interface Settings {
  readonly timezone: string
  readonly working_hours: WorkingHours | null
}

/** `settings`: instead of the user's own. */
type Ask = (task: AskingTask, settings?: Settings) => Effect.Effect<Question, SqlError>

export class Questions extends Context.Service<Questions, {
  /** INSIGHT_GENERATION: about chosen entries; those that are gone are left out. */
  readonly ofInsight: Ask
  /** WEEKLY_REPORT: about everything in a period, or all of it that belongs to some projects. */
  readonly ofReport: Ask
  /** Likewise, without anybody's asking for an insight. */
  readonly ofPeriod: (user: UserId, period: Days) => Effect.Effect<Question, SqlError>
  /** UTC where there is no such user. */
  readonly settingsOf: (user: UserId) => Effect.Effect<Settings, SqlError>
}>()("@englog/api/insights/Questions") {
  static readonly layer = Layer.effect(
    Questions,
    Effect.gen(function*() {
      const users = yield* UserRepo
      const entries = yield* EntryRepo
      const progress = yield* GoalProgress
      const hours = yield* WorkingHoursRepo

      const settingsOf = (user: UserId): Effect.Effect<Settings, SqlError> =>
        Effect.zipWith(users.find(user), hours.find(user), (found, working_hours) => ({
          timezone: Option.match(found, { onNone: () => "UTC", onSome: ({ timezone }) => timezone }),
          working_hours: Option.getOrNull(working_hours)
        }))

      /** Only of these projects, where some are named. */
      const inPeriod = (user_id: UserId, period: Period, projects: Projects) =>
        Effect.map(entries.findInPeriod(user_id, period.from, period.to), (found) =>
          projects === null ? found : found.filter(({ project_id }) => project_id !== null && projects.includes(project_id)))

      /** Of named projects, only goals that are of these projects alone: the entries of any other are not all in the report. */
      const goalsOf = Effect.fnUntraced(function*(id: UserId, timezone: string, days: Days, projects: Projects) {
        const found = yield* progress.inPeriod({ id, timezone }, { first: days.start, last: days.end })
        const told = projects === null ? found : found.filter(({ goal }) =>
          goal.project_ids !== null && goal.project_ids.length > 0 && goal.project_ids.every((project) => projects.includes(project)))
        const counted = yield* entries.findOwned(id, [...new Set(told.flatMap(({ entry_ids }) => entry_ids))])
        const byId = new Map(counted.map((entry) => [entry.id, entry]))
        return told.map(({ entry_ids, goal }) => ({ goal, entries: entry_ids.flatMap((entry) => byId.get(entry) ?? []) }))
      })

      const ofDays = Effect.fnUntraced(function*(user: UserId, timezone: string, period: Days, projects: Projects) {
        return {
          period,
          entries: yield* inPeriod(user, localPeriod(period.start, period.end, timezone), projects),
          preceding: yield* inPeriod(user, precedingPeriod(period.start, period.end, timezone), projects),
          goals: yield* goalsOf(user, timezone, period, projects)
        }
      })

      const ofInsight = Effect.fn("Questions.ofInsight")(function*(task: AskingTask, given?: Settings) {
        const { entry_ids, insight_type } = yield* Effect.orDie(decodeInsight(task.payload))
        const { timezone, working_hours } = given ?? (yield* settingsOf(task.user_id))
        const chosen = yield* entries.findOwned(task.user_id, entry_ids)
        const days = localDaysOf(chosen.map(toFactEntry), timezone)
        const asked = { insight_type, context: yield* contextOf(task), timezone, working_hours, project_ids: null, focus_areas: undefined }
        if (days === undefined) {
          const today = localDayOf(yield* DateTime.now, timezone)
          return question({ ...asked, period: { start: today, end: today }, entries: [], preceding: [], goals: [] })
        }
        // A selection can be compared with the period before, and stand for goals, only where it is everything that its own period has.
        const own = localPeriod(days.first, days.last, timezone)
        const whole = (yield* entries.countInPeriod(task.user_id, own.from, own.to)) === chosen.length
        const period = { start: days.first, end: days.last }
        const preceding = whole ? yield* inPeriod(task.user_id, precedingPeriod(days.first, days.last, timezone), null) : []
        const goals = whole ? yield* goalsOf(task.user_id, timezone, period, null) : []
        return question({ ...asked, period, entries: chosen, preceding, goals })
      })

      const ofReport = Effect.fn("Questions.ofReport")(function*(task: AskingTask, given?: Settings) {
        const { end_date: end, focus_areas, project_ids = null, report_type, start_date: start } = yield* Effect.orDie(decodeReport(task.payload))
        const settings = given ?? (yield* settingsOf(task.user_id))
        return question({
          insight_type: report_type,
          context: yield* contextOf(task),
          ...settings,
          project_ids,
          focus_areas,
          ...(yield* ofDays(task.user_id, settings.timezone, { start, end }, project_ids))
        })
      })

      const ofPeriod = Effect.fn("Questions.ofPeriod")(function*(user: UserId, period: Days) {
        const settings = yield* settingsOf(user)
        const asked = { insight_type: "performance", context: null, project_ids: null, focus_areas: undefined }
        return question({ ...asked, ...settings, ...(yield* ofDays(user, settings.timezone, period, null)) })
      })

      return Questions.of({ ofInsight, ofReport, ofPeriod, settingsOf })
    })
  )
}

type Projects = ReadonlyArray<ProjectId> | null

interface Days {
  readonly start: string
  readonly end: string
}

interface Gathered extends Settings, Pick<Question, "insight_type" | "context" | "focus_areas" | "project_ids"> {
  readonly period: Days
  readonly entries: ReadonlyArray<FinishedEntry>
  readonly preceding: ReadonlyArray<FinishedEntry>
  readonly goals: ReadonlyArray<{ readonly goal: StoredGoal; readonly entries: ReadonlyArray<FinishedEntry> }>
}

const question = (gathered: Gathered): Question => {
  const { context, focus_areas, insight_type, period, project_ids, timezone, working_hours } = gathered
  const [entries, preceding] = [gathered.entries.map(toFactEntry), gathered.preceding.map(toFactEntry)]
  const goals = gathered.goals.map(({ entries: counted, goal }) => ({ ...goal, entries: counted.map(toFactEntry) }))
  const sheet = computeFacts({ entries, preceding, goals, working_hours, timezone, period })
  const recorded = new Map([...gathered.entries, ...gathered.preceding, ...gathered.goals.flatMap((goal) => goal.entries)]
    .map(({ created_at, id }) => [id, created_at]))
  const asked = [PROMPT_VERSION, BUILTIN_PROMPT_VERSION, insight_type, context, focus_areas ?? null, project_ids, sheet, entries]
  return {
    insight_type,
    context,
    focus_areas,
    project_ids,
    working_hours,
    sheet,
    entries,
    resting_on: [...entries, ...preceding, ...goals.flatMap((goal) => goal.entries)],
    goals,
    created_at: (id) => recorded.get(id),
    digest: createHash("sha256").update(JSON.stringify(asked)).digest()
  }
}

/** What a narrator may know of an entry. */
export const toFactEntry = (entry: FinishedEntry): FactEntry => new FactEntry({ ...entry }, { disableChecks: true })

/** The request's context travels as the task's private input. */
const contextOf = (task: AskingTask) =>
  task.private_input === null ? Effect.succeed(null) : Effect.orDie(decodeContext(task.private_input))

const decodeContext = Schema.decodeUnknownEffect(Schema.fromJsonString(InsightContext))
const decodeInsight = Schema.decodeUnknownEffect(Schema.fromJsonString(InsightGeneration.payload))
const decodeReport = Schema.decodeUnknownEffect(Schema.fromJsonString(WeeklyReport.payload))
