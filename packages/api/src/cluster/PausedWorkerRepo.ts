/** Workers that an operator paused. */
import { WorkerId } from "@englog/domain/Ids"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

export class PausedWorkerRepo extends Context.Service<PausedWorkerRepo, {
  readonly all: Effect.Effect<ReadonlySet<WorkerId>, SqlError>
  /** Only a worker with a live session, or one that is paused already; false where there is neither. */
  readonly pause: (worker_id: WorkerId) => Effect.Effect<boolean, SqlError>
  /** The same. */
  readonly resume: (worker_id: WorkerId) => Effect.Effect<boolean, SqlError>
}>()("@englog/api/cluster/PausedWorkerRepo") {
  static readonly layer = Layer.effect(
    PausedWorkerRepo,
    Effect.map(SqlClient.SqlClient, (sql) =>
      PausedWorkerRepo.of({
        all: sql`SELECT worker_id FROM paused_workers`.pipe(
          Effect.flatMap((rows) => Effect.orDie(decodeIds(rows))),
          Effect.map((rows) => new Set(rows.map(({ worker_id }) => worker_id)))
        ),
        pause: Effect.fn("PausedWorkerRepo.pause")(function*(worker_id) {
          const rows = yield* sql`
            INSERT INTO paused_workers AS p (worker_id)
            SELECT ${worker_id}::text WHERE EXISTS (SELECT 1 FROM worker_sessions WHERE worker_id = ${worker_id}::text AND ended_at IS NULL)
              OR EXISTS (SELECT 1 FROM paused_workers WHERE worker_id = ${worker_id}::text)
            ON CONFLICT (worker_id) DO UPDATE SET paused_at = p.paused_at RETURNING 1`
          return rows.length > 0
        }),
        resume: Effect.fn("PausedWorkerRepo.resume")(function*(worker_id) {
          const rows = yield* sql`
            WITH resumed AS (DELETE FROM paused_workers WHERE worker_id = ${worker_id}::text RETURNING 1)
            SELECT 1 FROM resumed UNION ALL SELECT 1 FROM worker_sessions WHERE worker_id = ${worker_id}::text AND ended_at IS NULL`
          return rows.length > 0
        })
      }))
  )
}

const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ worker_id: WorkerId })))
