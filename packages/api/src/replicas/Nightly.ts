/** Work of every night, done by one replica; a night on which none ran is made up for within a day. */
import { Cron, Effect } from "effect"
import { ClusterCron } from "effect/cluster"
import type { SqlError } from "effect/sql/SqlError"
import { waitedOut, warnUnlessOutage } from "../db/Outage.ts"

export interface NightlyJob<R> {
  readonly name: string
  /** Of the hour from 3 to 4 UTC. */
  readonly minute: number
  /** Answers how many of `what` it removed. */
  readonly run: Effect.Effect<number, SqlError, R>
  readonly what: string
}

export const nightly = <R>({ minute, name, run, what }: NightlyJob<R>) =>
  ClusterCron.make({
    name,
    cron: Cron.parseUnsafe(`${minute} 3 * * *`, "UTC"),
    execute: waitedOut(run).pipe(
      Effect.tap((removed) => removed === 0 ? Effect.void : Effect.logInfo(`removed ${what}`, { removed })),
      Effect.asVoid,
      Effect.catchCause((cause) => warnUnlessOutage(`${what} could not be removed; trying again tomorrow`, cause)),
      Effect.annotateLogs({ component: "replicas", operation: name })
    )
  })
