/**
 * Keeps users' metrics up to date (seed 004, update_user_metrics): a change of entries marks the user, a round submits one task for
 * each marked one, however many changes there were, and the task's completion computes. With no worker that takes them nothing is
 * submitted; whoever asks for metrics that were never computed gets them computed at once.
 */
import { amountOf } from "@englog/domain/analytics/TimeShares"
import { UserMetrics } from "@englog/domain/analytics/UserMetrics"
import { isoDate, makeLocalClock } from "@englog/domain/facts/LocalTime"
import type { UserId } from "@englog/domain/Ids"
import { productivityMetrics } from "@englog/domain/metrics/ProductivityMetrics"
import { UpdateUserMetrics } from "@englog/domain/tasks/UpdateUserMetrics"
import { addDays, localPeriod } from "@englog/domain/users/LocalDays"
import { Clock, Context, DateTime, Effect, Layer, Option, Schema } from "effect"
import { Singleton } from "effect/cluster"
import type { SqlError } from "effect/sql/SqlError"
import { warnUnlessOutage } from "../db/Outage.ts"
import { InvalidResult, TaskKinds } from "../queue/TaskKinds.ts"
import { type Submission, TaskQueue } from "../queue/TaskQueue.ts"
import { AnalysedEntryRepo } from "./AnalysedEntryRepo.ts"
import { place } from "./PlacedEntries.ts"
import { type ComputedMetrics, UserMetricsRepo } from "./UserMetricsRepo.ts"

/** Days that are looked at, today included. */
const DAYS = 30
const PORTION = 200
const EVERY = "5 seconds"

export class UserMetricsRefresh extends Context.Service<UserMetricsRefresh, {
  readonly ofUser: (user: UserId) => Effect.Effect<UserMetrics, SqlError>
  /** Submits a task for each user whose metrics are stale; answers how many. What finds no room in the queue stays stale. */
  readonly submitStale: Effect.Effect<number, SqlError>
}>()("@englog/api/analytics/UserMetricsRefresh") {
  static readonly layer = Layer.effect(
    UserMetricsRefresh,
    Effect.gen(function*() {
      const repo = yield* UserMetricsRepo
      const entries = yield* AnalysedEntryRepo
      const queue = yield* TaskQueue
      const kinds = yield* TaskKinds

      const compute = Effect.fnUntraced(function*(user: UserId): Effect.fn.Return<ComputedMetrics, SqlError> {
        const timezone = yield* repo.timezone(user)
        const period_end = isoDate(makeLocalClock(timezone).at(yield* Clock.currentTimeMillis).day)
        const period_start = addDays(period_end, 1 - DAYS)
        const placed = place(yield* entries.inPeriod(user, localPeriod(period_start, period_end, timezone)), timezone)
        return { period_start, period_end, ...amountOf(placed), metrics: productivityMetrics(placed) }
      })

      yield* kinds.register({
        kind: UpdateUserMetrics.kind,
        onCompleted: Effect.fn("UserMetricsRefresh.onCompleted")(function*({ payload }, result) {
          yield* decodeResult(result).pipe(Effect.mapError((error) => new InvalidResult({ message: `result: ${error.message}` })))
          const { user_id } = yield* Effect.orDie(decodePayload(payload))
          yield* repo.begin(user_id)
          const computed = yield* compute(user_id)
          yield* repo.store(user_id, computed)
          return JSON.stringify({ entries: computed.entries, minutes: computed.minutes })
        })
      })

      /** A user who was taken is nobody else's, so that the tasks need no key, and go to a free worker with their insert. */
      const portion = Effect.gen(function*() {
        const stale = yield* repo.takeStale(PORTION)
        return yield* queue.submitAll(stale.map(submissionOf)).pipe(
          Effect.as(stale.length),
          Effect.onError(() => Effect.ignore(repo.giveBack(stale.map(({ user_id }) => user_id)))),
          Effect.catchTags({
            // They wait for no other task.
            DependencyProblem: Effect.die,
            QueueFull: (error) => Effect.as(Effect.logWarning("users' metrics wait until there is room in the queue", error.message), 0)
          })
        )
      })

      return UserMetricsRefresh.of({
        ofUser: Effect.fn("UserMetricsRefresh.ofUser")(function*(user) {
          const stored = yield* repo.find(user)
          if (Option.isSome(stored)) return stored.value
          return new UserMetrics({ ...(yield* compute(user)), computed_at: yield* DateTime.now, stale: false })
        }),
        submitStale: Effect.gen(function*() {
          if (!(yield* repo.canBeRefreshed)) return 0
          let submitted = 0
          for (let last = PORTION; last === PORTION; submitted += last) last = yield* portion
          return submitted
        })
      })
    })
  ).pipe(Layer.provide([AnalysedEntryRepo.layer, UserMetricsRepo.layer]))

  /** On one replica. */
  static readonly clock = Singleton.make("user-metrics", UserMetricsRefresh.use(({ submitStale }) => submitStale).pipe(
    Effect.catchCause((cause) => warnUnlessOutage("users' metrics could not be looked at; trying again", cause)),
    Effect.andThen(Effect.sleep(EVERY)),
    Effect.forever,
    Effect.withTracerEnabled(false)
  ))
}

type Stale = Effect.Success<ReturnType<UserMetricsRepo["Service"]["takeStale"]>>[number]

const submissionOf = ({ organization_id, user_id }: Stale): Submission => ({
  kind: UpdateUserMetrics.kind,
  prefix: "metrics",
  organization_id,
  user_id,
  payload: JSON.stringify({ user_id }),
  private_input: null,
  policy: UpdateUserMetrics.policy
})

const decodePayload = Schema.decodeEffect(Schema.fromJsonString(UpdateUserMetrics.payload))
const decodeResult = Schema.decodeEffect(Schema.fromJsonString(UpdateUserMetrics.result))
