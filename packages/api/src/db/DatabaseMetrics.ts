/** Whether PostgreSQL answers this process, how fast, and the connections that all API processes have to it. */
import { metricReader, tellOrClear } from "@englog/platform/telemetry/MetricReaders"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"

interface Connections {
  readonly state: string
  readonly count: number
}

const tell = (rows: ReadonlyArray<Connections>, seconds: number) =>
  Metrics.databasePing.set({}, seconds).pipe(
    Effect.andThen(Metrics.databaseConnections.replace(rows.map(({ count, state }) => [{ state }, count]))),
    Effect.andThen(Metrics.databaseUp.set({}, 1))
  )

/** A database that does not answer in time is as good as none, whatever its sockets say. */
const clear = Effect.andThen(Metrics.databaseConnections.replace([]), Metrics.databaseUp.set({}, 0))

export const DatabaseMetrics = metricReader(Effect.map(SqlClient.SqlClient, (sql) => {
  const connections = sql<Connections>`
    SELECT coalesce(state, 'unknown') AS state, count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'englog%' GROUP BY 1`
  const timed = Effect.gen(function*() {
    const began = yield* Clock.monotonicTimeNanos
    const rows = yield* connections
    return { rows, seconds: Number((yield* Clock.monotonicTimeNanos) - began) / 1e9 }
  })
  return tellOrClear(timed, ({ rows, seconds }) => tell(rows, seconds), clear)
}))
