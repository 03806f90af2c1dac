/** How many people use EngLog (seed 004, "Monitoring & Metrics"), read from the database when somebody looks. */
import { metricReader, tellOrClear } from "@englog/platform/telemetry/MetricReaders"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Effect } from "effect"
import { SessionRepo } from "./SessionRepo.ts"

export const UserMetrics = metricReader(Effect.map(SessionRepo, ({ countActiveUsers }) =>
  tellOrClear(countActiveUsers, (count) => Metrics.usersActive.replace([[{}, count]]), Metrics.usersActive.replace([]))))
