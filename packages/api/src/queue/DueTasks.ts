/**
 * Makes ready what waited for its time: delayed tasks, and retries. It sleeps until the next one comes due, a second at most, and
 * looks at once when somebody delays a task. Every replica does it; a row that another one has locked is that one's.
 */
import { Effect, Layer, Queue } from "effect"
import { SqlClient } from "effect/sql"
import { warnUnlessOutage } from "../db/Outage.ts"
import { ClaimRepo } from "./ClaimRepo.ts"
import { admit } from "./TaskLimits.ts"
import { Wakeups } from "./Wakeups.ts"

const POLL = 1_000

/** Runs as long as the layer lives. */
export const DueTasksLive = Layer.effectDiscard(Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const claims = yield* ClaimRepo
  const wakeups = yield* Wakeups
  const delayed = yield* wakeups.subscribe("delayed")

  const round = Effect.gen(function*() {
    const { asking, next, promoted } = yield* claims.promoteDue
    for (const { limit_key, organization_id } of asking) yield* sql.withTransaction(admit(sql, organization_id, limit_key))
    if (promoted > 0) yield* wakeups.wake("tasks")
    return Math.min(POLL, next ?? POLL)
  }).pipe(Effect.withTracerEnabled(false))

  yield* round.pipe(
    Effect.catchCause((cause) => Effect.as(warnUnlessOutage("could not look for delayed tasks; trying again", cause), POLL)),
    Effect.flatMap((pause) => pause === 0 ? Effect.void : Effect.asVoid(Effect.timeoutOption(Queue.take(delayed), pause))),
    Effect.forever,
    Effect.forkScoped
  )
}))
