/** Clears away what was kept long enough, table by table, by the very rules of the nightly jobs. */
import type { CleanedTable } from "@englog/domain/tasks/Cleanup"
import { Context, Data, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { ApiTokenRepo } from "../auth/ApiTokenRepo.ts"
import { SessionRepo } from "../auth/SessionRepo.ts"
import { IdempotencyRepo } from "../idempotency/IdempotencyRepo.ts"
import { InsightRepo } from "../insights/InsightRepo.ts"
import { NotificationRepo } from "../notifications/NotificationRepo.ts"
import { type CleanupCounts, type Sweep, TaskCleanup } from "../queue/TaskCleanup.ts"
import { SecurityEventRepo } from "../security/SecurityEventRepo.ts"
import { InvitationRepo } from "../teams/InvitationRepo.ts"

export interface Swept {
  readonly removed: CleanupCounts
  readonly tables: ReadonlyArray<{ readonly table: CleanedTable; readonly rows: number }>
}

export class TableSweeps extends Context.Service<TableSweeps, {
  /** Inside the caller's transaction; of tasks as much as one may hold. A dry run removes and takes it back: so it counts exactly. */
  readonly sweep: (tables: ReadonlyArray<CleanedTable>, of: Sweep) => Effect.Effect<Swept, SqlError>
}>()("@englog/api/jobs/TableSweeps") {
  static readonly layer = Layer.effect(
    TableSweeps,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const tasks = yield* TaskCleanup
      const sessions = yield* SessionRepo
      const removals: Readonly<Record<Exclude<CleanedTable, "tasks">, Effect.Effect<number, SqlError>>> = {
        insights: (yield* InsightRepo).removeOld,
        notifications: (yield* NotificationRepo).removeOld,
        team_invitations: (yield* InvitationRepo).removeExpired,
        idempotency_keys: (yield* IdempotencyRepo).removeExpired,
        refresh_token_families: sessions.removeExpired,
        refresh_token_denylist: sessions.removeDenylisted,
        api_tokens: (yield* ApiTokenRepo).removeExpired,
        security_events: (yield* SecurityEventRepo).removeExpired
      }

      const takenBack = (removal: Effect.Effect<number, SqlError>) =>
        sql.withTransaction(Effect.flatMap(removal, (rows) => Effect.fail(new TakenBack({ rows })))).pipe(
          Effect.catchTag("TakenBack", ({ rows }) => Effect.succeed(rows))
        )

      return TableSweeps.of({
        sweep: Effect.fn("TableSweeps.sweep")(function*(tables, of) {
          const { more: _, ...removed } = tables.includes("tasks") ? yield* tasks.sweepSome(of) : { ...none, more: false }
          const rowsOf = (table: CleanedTable): Effect.Effect<number, SqlError> =>
            table === "tasks"
              ? Effect.succeed(removed.completed + removed.failed + removed.cancelled)
              : of.dry_run === true
              ? takenBack(removals[table])
              : removals[table]
          return { removed, tables: yield* Effect.forEach(tables, (table) => Effect.map(rowsOf(table), (rows) => ({ table, rows }))) }
        })
      })
    })
  )
}

const none = { completed: 0, failed: 0, cancelled: 0 }

class TakenBack extends Data.TaggedError("TakenBack")<{ readonly rows: number }> {}
