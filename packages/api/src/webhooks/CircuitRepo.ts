/**
 * The circuit of each endpoint, in its row: so it holds for all workers and API servers. After `failures` failed attempts in a row it
 * opens; when its time is over, one message tries whether the receiver is back, and decides for the others.
 */
import type { WebhookDeliveryId, WebhookId } from "@englog/domain/Ids"
import { Context, Duration, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

/** It is open for `open` at first, twice as long after each vain try, `longest` at most. */
export const CircuitPolicy = Context.Reference("@englog/api/webhooks/CircuitPolicy", {
  defaultValue: () => ({ failures: 10, open: Duration.seconds(30), longest: Duration.hours(1), trial: Duration.seconds(60) })
})

export class CircuitRepo extends Context.Service<CircuitRepo, {
  /** Of a circuit whose time is over: whether this message is the one that tries. If nothing is heard of it, another one may after `trial`. */
  readonly tries: (endpoint: WebhookId, delivery: WebhookDeliveryId) => Effect.Effect<boolean, SqlError>
  /** Writes nothing where it was closed and faultless. */
  readonly succeeded: (endpoint: WebhookId) => Effect.Effect<void, SqlError>
  readonly failed: (endpoint: WebhookId, delivery: WebhookDeliveryId) => Effect.Effect<void, SqlError>
}>()("@englog/api/webhooks/CircuitRepo") {
  static readonly layer = Layer.effect(
    CircuitRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const policy = yield* CircuitPolicy
      const [open, longest, trial] = [Duration.toSeconds(policy.open), Duration.toSeconds(policy.longest), Duration.toSeconds(policy.trial)]

      return CircuitRepo.of({
        tries: Effect.fn("CircuitRepo.tries")((endpoint, delivery) =>
          Effect.map(
            sql`
              UPDATE webhook_endpoints SET circuit_until = clock_timestamp() + ${trial}::float8 * interval '1 second', circuit_probe = ${delivery}
              WHERE id = ${endpoint} AND circuit_until <= clock_timestamp() RETURNING id`,
            (rows) => rows.length > 0
          )
        ),
        succeeded: Effect.fn("CircuitRepo.succeeded")((endpoint) =>
          Effect.asVoid(sql`
            UPDATE webhook_endpoints SET failures = 0, trips = 0, circuit_until = NULL, circuit_probe = NULL
            WHERE id = ${endpoint} AND (failures > 0 OR circuit_until IS NOT NULL)`)
        ),
        // Attempts that were on their way when it opened count, but do not open it anew.
        failed: Effect.fn("CircuitRepo.failed")((endpoint, delivery) =>
          Effect.asVoid(sql`
            UPDATE webhook_endpoints e SET failures = e.failures + 1, trips = e.trips + o.opens::int,
              circuit_until = CASE WHEN o.opens
                THEN clock_timestamp() + least(${longest}::float8, ${open}::float8 * power(2, least(e.trips, 20))) * interval '1 second'
                ELSE e.circuit_until END,
              circuit_probe = CASE WHEN o.opens THEN NULL ELSE e.circuit_probe END
            FROM (
              SELECT id, (circuit_until IS NULL AND failures + 1 >= ${policy.failures}::int) OR circuit_probe IS NOT DISTINCT FROM ${delivery}::uuid AS opens
              FROM webhook_endpoints WHERE id = ${endpoint} FOR UPDATE
            ) o WHERE e.id = o.id`)
        )
      })
    })
  )
}
