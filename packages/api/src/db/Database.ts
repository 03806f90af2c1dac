/**
 * The connection pool to PostgreSQL. Connections open on demand, so that building the layer needs no running server;
 * whoever uses it meets an absent server as a retryable `SqlError`.
 *
 * `listen` holds one connection of the pool for as long as it listens: a pool of one hangs.
 */
import { PgClient } from "@effect/sql-pg"
import type { SqlError } from "effect/sql/SqlError"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Duration, Layer, Redacted } from "effect"

export interface DatabaseOptions {
  readonly url: Redacted.Redacted
  /** Default 10; at least 2. */
  readonly maxConnections?: number
  /** Shown in `pg_stat_activity`; default `englog`. */
  readonly applicationName?: string
  /** Default 5 seconds. */
  readonly connectTimeout?: Duration.Input
}

const layer = (options: DatabaseOptions): Layer.Layer<PgClient.PgClient | SqlClient, SqlError> =>
  PgClient.layer({
    url: options.url,
    maxConnections: Math.max(2, options.maxConnections ?? 10),
    applicationName: options.applicationName ?? "englog",
    // Short statements, prepared once: planning each anew costs more than running it (claims: 1 of 4 ms).
    startupParameters: { plan_cache_mode: "force_generic_plan", jit: "off" },
    connectTimeout: options.connectTimeout ?? "5 seconds"
  })

export const Database = { layer } as const
