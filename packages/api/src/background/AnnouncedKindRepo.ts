/** The kinds that workers have announced, living ones and earlier ones. */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

export class AnnouncedKindRepo extends Context.Service<AnnouncedKindRepo, {
  readonly all: Effect.Effect<ReadonlyArray<string>, SqlError>
}>()("@englog/api/background/AnnouncedKindRepo") {
  static readonly layer = Layer.effect(
    AnnouncedKindRepo,
    Effect.map(SqlClient.SqlClient, (sql) =>
      AnnouncedKindRepo.of({
        all: sql<{ kind: string }>`SELECT DISTINCT unnest(kinds) AS kind FROM worker_sessions ORDER BY kind`.pipe(
          Effect.map((rows) => rows.map(({ kind }) => kind)),
          Effect.withSpan("AnnouncedKindRepo.all")
        )
      }))
  )
}
