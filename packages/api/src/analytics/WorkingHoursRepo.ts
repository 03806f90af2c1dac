/** The working hours among a user's preferences, as analytics need them. */
import type { UserId } from "@englog/domain/Ids"
import { WorkingHours } from "@englog/domain/users/WorkingHours"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

export class WorkingHoursRepo extends Context.Service<WorkingHoursRepo, {
  /** None where the user has not set them. */
  readonly find: (user: UserId) => Effect.Effect<Option.Option<WorkingHours>, SqlError>
}>()("@englog/api/analytics/WorkingHoursRepo") {
  static readonly layer = Layer.effect(
    WorkingHoursRepo,
    Effect.map(SqlClient.SqlClient, (sql) =>
      WorkingHoursRepo.of({
        find: Effect.fn("WorkingHoursRepo.find")(function*(user) {
          const rows = yield* sql`SELECT nullif(preferences -> 'working_hours', 'null'::jsonb) AS hours FROM users WHERE id = ${user}`
          return Option.flatMapNullishOr(
            rows[0] === undefined ? Option.none() : Option.some(yield* Effect.orDie(decodeRow(rows[0]))),
            ({ hours }) => hours
          )
        })
      }))
  )
}

const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({ hours: Schema.NullOr(WorkingHours) }))
