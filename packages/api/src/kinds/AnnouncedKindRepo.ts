/** The kinds that workers announced, in PostgreSQL: every replica knows what any worker brought, also after it left. */
import type { WorkerId } from "@englog/domain/Ids"
import { TaskPolicy } from "@englog/domain/tasks/TaskPolicy"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

export class AnnouncedKindRow extends Schema.Class<AnnouncedKindRow>("AnnouncedKindRow")({
  kind: Schema.String,
  payload_schema: Schema.Json,
  result_schema: Schema.Json,
  policy: Schema.NullOr(TaskPolicy)
}) {}

/** JSON text throughout. */
export interface NewAnnouncement {
  readonly kind: string
  readonly payload_schema: string
  readonly result_schema: string
  readonly policy: string | null
  readonly worker_id: WorkerId
}

export class AnnouncedKindRepo extends Context.Service<AnnouncedKindRepo, {
  readonly find: (kind: string) => Effect.Effect<Option.Option<AnnouncedKindRow>, SqlError>
  readonly all: Effect.Effect<ReadonlyArray<AnnouncedKindRow>, SqlError>
  /** Whether the same schemas are announced already. */
  readonly same: (announcement: NewAnnouncement) => Effect.Effect<boolean, SqlError>
  /** A live worker that runs this kind, other than this one. */
  readonly liveWorker: (kind: string, but: WorkerId) => Effect.Effect<Option.Option<string>, SqlError>
  readonly put: (announcement: NewAnnouncement) => Effect.Effect<void, SqlError>
}>()("@englog/api/kinds/AnnouncedKindRepo") {
  static readonly layer = Layer.effect(
    AnnouncedKindRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const columns = sql.literal("kind, payload_schema, result_schema, policy")
      return AnnouncedKindRepo.of({
        find: Effect.fn("AnnouncedKindRepo.find")(function*(kind) {
          const rows = yield* sql`SELECT ${columns} FROM announced_kinds WHERE kind = ${kind}`
          return Option.fromUndefinedOr((yield* Effect.orDie(decodeRows(rows)))[0])
        }),
        all: sql`SELECT ${columns} FROM announced_kinds ORDER BY kind`.pipe(
          Effect.flatMap((rows) => Effect.orDie(decodeRows(rows))),
          Effect.withSpan("AnnouncedKindRepo.all")
        ),
        same: Effect.fn("AnnouncedKindRepo.same")(function*(announcement) {
          const rows = yield* sql`
            SELECT 1 FROM announced_kinds WHERE kind = ${announcement.kind}
              AND payload_schema = ${announcement.payload_schema}::text::jsonb AND result_schema = ${announcement.result_schema}::text::jsonb`
          return rows.length > 0
        }),
        liveWorker: Effect.fn("AnnouncedKindRepo.liveWorker")(function*(kind, but) {
          const rows = yield* sql<{ readonly worker_id: string }>`
            SELECT worker_id FROM worker_sessions
            WHERE ended_at IS NULL AND ${kind} = ANY (kinds) AND worker_id <> ${but} LIMIT 1`
          return Option.fromUndefinedOr(rows[0]?.worker_id)
        }),
        put: Effect.fn("AnnouncedKindRepo.put")(function*({ kind, payload_schema, policy, result_schema, worker_id }) {
          yield* sql`
            INSERT INTO announced_kinds (kind, payload_schema, result_schema, policy, worker_id)
            VALUES (${kind}, ${payload_schema}::text::jsonb, ${result_schema}::text::jsonb, ${policy}::text::jsonb, ${worker_id})
            ON CONFLICT (kind) DO UPDATE SET payload_schema = excluded.payload_schema, result_schema = excluded.result_schema,
              policy = excluded.policy, worker_id = excluded.worker_id, announced_at = now()`
        })
      })
    })
  )
}

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(AnnouncedKindRow))
