/**
 * What the API does for DATA_ANALYSIS: it hands the holder of a task the days to roll up, and keeps the roll-ups that come back
 * for days whose entries are still those that it handed out. Of a team nothing is kept but the statistics.
 */
import { DayRollup, rollUp } from "@englog/domain/analytics/DayRollup"
import { AnalysisInput, ANALYSED_DAYS, DataAnalysis, MAX_ANALYSED_DAYS } from "@englog/domain/tasks/DataAnalysis"
import { addDays, countDays, localDayOf } from "@englog/domain/users/LocalDays"
import { DateTime, Effect, Layer, Option, Schema } from "effect"
import { UserRepo } from "../auth/UserRepo.ts"
import { InvalidResult, TaskKinds } from "../queue/TaskKinds.ts"
import { RollupRepo } from "./RollupRepo.ts"
import { type Days, type DaysOwner, minutesOf, rolledUp, Rollups } from "./Rollups.ts"

/** Older days that are made right again beside those of the period. */
const MOST_STALE = 60

/** Registers DATA_ANALYSIS with the engine. */
export const AnalysisOutcomeLive = Layer.effectDiscard(Effect.gen(function*() {
  const kinds = yield* TaskKinds
  const rollups = yield* Rollups
  const repo = yield* RollupRepo
  const users = yield* UserRepo

  const ownerOf = (id: DaysOwner["id"]) =>
    Effect.map(users.find(id), (user): DaysOwner => ({ id, timezone: Option.match(user, { onNone: () => "UTC", onSome: ({ timezone }) => timezone }) }))

  yield* kinds.register({
    kind: DataAnalysis.kind,
    data: Effect.fn("AnalysisOutcome.data")(function*(task) {
      const owner = yield* ownerOf(task.user_id)
      const days = periodOf(yield* Effect.orDie(decodePayload(task.payload)), localDayOf(yield* DateTime.now, owner.timezone))
      const before = { first: addDays(days.first, -countDays(days.first, days.last)), last: addDays(days.first, -1) }
      const ofTeam = yield* repo.isTeam(task.organization_id)
      const rolled = (some: Days) => ofTeam ? rollups.ofTeam(task.organization_id, some) : rollups.ofUser(owner, some)
      const { known, open } = yield* rolled(days)
      const minutes_before = minutesOf(rolledUp(yield* rolled(before)))
      const stale = ofTeam ? [] : yield* rollups.stale(owner, days.first, MOST_STALE)
      return yield* Effect.orDie(encodeInput({ start_date: days.first, end_date: days.last, known, days: [...stale, ...open], minutes_before }))
    }),
    onCompleted: Effect.fn("AnalysisOutcome.onCompleted")(function*(task, result) {
      const { rollups: handed = [], ...kept } = yield* decodeResult(result).pipe(
        Effect.mapError((error) => new InvalidResult({ message: `result: ${error.message}` }))
      )
      if (handed.length > MAX_ANALYSED_DAYS + MOST_STALE) return yield* new InvalidResult({ message: "rollups: are of more days than were asked for" })
      const stored = (yield* repo.isTeam(task.organization_id)) ? 0 : yield* store(yield* ownerOf(task.user_id), handed)
      return yield* Effect.orDie(encodeResult({ ...kept, days_stored: stored }))
    })
  })

  /** Those whose entries are what they were, under the lock that keeps them so. A write that is under way leaves all for the next time. */
  const store = Effect.fnUntraced(function*(owner: DaysOwner, handed: NonNullable<(typeof DataAnalysis.result.Type)["rollups"]>) {
    if (handed.length === 0 || !(yield* repo.lock(owner.id))) return 0
    const dates = [...new Set(handed.map(({ rollup }) => rollup.date))].sort()
    const present = new Map((yield* rollups.open(owner, dates)).map((day) => [day.date, day]))
    const right = handed.flatMap(({ digest, rollup }) => {
      const day = present.get(rollup.date)
      return day === undefined || day.digest !== digest ? [] : [{ rollup, day }]
    })
    const wrong = right.find(({ day, rollup }) => !isSame(rollup, rollUp(day.date, day.entries)))
    if (wrong !== undefined) return yield* new InvalidResult({ message: `rollups: that of ${wrong.day.date} is not what its entries come to` })
    yield* repo.store(owner.id, owner.timezone, right.map(({ rollup }) => rollup))
    return right.length
  })
}))

/** By default the last thirty days that are over; from or up to the one day that is named, thirty. */
const periodOf = ({ end_date, start_date }: typeof DataAnalysis.payload.Type, today: string): Days => {
  const last = end_date ?? (start_date === undefined ? addDays(today, -1) : addDays(start_date, ANALYSED_DAYS - 1))
  return { first: start_date ?? addDays(last, 1 - ANALYSED_DAYS), last }
}

const isSame = Schema.toEquivalence(DayRollup)

const decodePayload = Schema.decodeEffect(Schema.fromJsonString(DataAnalysis.payload))
const encodeInput = Schema.encodeEffect(Schema.fromJsonString(AnalysisInput))
const decodeResult = Schema.decodeEffect(Schema.fromJsonString(DataAnalysis.result))
const encodeResult = Schema.encodeEffect(Schema.fromJsonString(DataAnalysis.result))
