/** Endpoints by state and the message that waits longest, read from the database when somebody looks. */
import { metricReader, tellOrClear } from "@englog/platform/telemetry/MetricReaders"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Effect } from "effect"
import { DeliveryRepo } from "./DeliveryRepo.ts"
import { WebhookRepo } from "./WebhookRepo.ts"

export const WebhookMetrics = metricReader(Effect.map(Effect.all([DeliveryRepo, WebhookRepo]), ([{ oldestPending }, { states }]) =>
  tellOrClear(
    Effect.all([states, oldestPending]),
    ([endpoints, seconds]) =>
      Effect.andThen(
        Metrics.webhookEndpoints.replace(Object.entries(endpoints).map(([state, count]) => [{ state }, count])),
        Metrics.webhookOldest.replace([[{}, seconds]])
      ),
    Effect.andThen(Metrics.webhookEndpoints.replace([]), Metrics.webhookOldest.replace([]))
  )))
