/**
 * The clock of the schedules: runs on one replica. It sleeps until the next occurrence, a second at most, so that a schedule that
 * another replica stored is seen; a cron job of the cluster, every minute, stands behind it.
 */
import { Cron, Effect, Layer } from "effect"
import { ClusterCron, Singleton } from "effect/cluster"
import { warnUnlessOutage } from "../db/Outage.ts"
import { DueSchedules } from "./DueSchedules.ts"

const POLL = 1_000

/** After a round in which something was refused: its queue is full. */
const AFTER_REFUSAL = 5_000

const round = DueSchedules.use(({ submit }) => submit).pipe(
  Effect.map(({ next, refused }) => refused > 0 ? AFTER_REFUSAL : Math.min(POLL, next ?? POLL)),
  Effect.catchCause((cause) => Effect.as(warnUnlessOutage("schedules could not be looked at; trying again", cause), POLL))
)

const punctual = Singleton.make("schedules", Effect.logInfo("the schedules are carried out here").pipe(
  Effect.annotateLogs({ component: "schedules", operation: "start" }),
  Effect.andThen(Effect.forever(Effect.flatMap(round, Effect.sleep)))
))

const everyMinute = ClusterCron.make({
  name: "schedules",
  cron: Cron.parseUnsafe("* * * * *", "UTC"),
  execute: Effect.asVoid(round),
  // A later one does what this one would have done.
  skipIfOlderThan: "1 minute"
})

export const ScheduleClock = Layer.merge(punctual, everyMinute)
