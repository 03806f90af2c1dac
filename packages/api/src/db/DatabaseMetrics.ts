/** Whether PostgreSQL answers this process, how fast, and the connections that all API processes have to it. */
import { metricReader } from "@englog/platform/telemetry/MetricReaders"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"

export const DatabaseMetrics = metricReader(Effect.map(SqlClient.SqlClient, (sql) => {
  const connections = sql<{ state: string; count: number }>`
    SELECT coalesce(state, 'unknown') AS state, count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'englog%' GROUP BY 1`
  return Effect.gen(function*() {
    const began = yield* Clock.monotonicTimeNanos
    const rows = yield* connections
    yield* Metrics.databasePing.set({}, Number((yield* Clock.monotonicTimeNanos) - began) / 1e9)
    yield* Metrics.databaseConnections.replace(rows.map(({ count, state }) => [{ state }, count]))
    yield* Metrics.databaseUp.set({}, 1)
  }).pipe(
    // A database that does not answer is as good as none, whatever its sockets say.
    Effect.timeout("1500 millis"),
    Effect.catchCause(() => Effect.andThen(Metrics.databaseConnections.replace([]), Metrics.databaseUp.set({}, 0)))
  )
}))
