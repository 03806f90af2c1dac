/** What PostgreSQL tells its clients of one another: NOTIFY and LISTEN. */
import type { PgConnection } from "@effect/sql-pg"
import { Context, type Effect, type Queue, type Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"

export class Channels extends Context.Service<Channels, {
  /** What is sent from the answer on, until the scope ends or the connection breaks, which fails the queue. It takes a connection of the pool. */
  readonly listen: (channel: string) => Effect.Effect<Queue.Dequeue<PgConnection.Notification, SqlError>, SqlError, Scope.Scope>
  readonly notify: (channel: string, payload: string) => Effect.Effect<void, SqlError>
}>()("@englog/api/db/Channels") {}
