/** Profiles and preferences in PostgreSQL. The zone has a column of its own, because SQL computes with it. */
import { OrganizationId, UserId } from "@englog/domain/Ids"
import { Profile, Settings } from "@englog/rpc/http/AccountView"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { withEtag } from "../http/EntityTag.ts"

/** What is left out stays as it is. */
export interface ProfileChange {
  readonly first_name?: string
  readonly last_name?: string
  readonly timezone?: string | undefined
  readonly preferences?: Partial<Settings> | undefined
}

export class ProfileRepo extends Context.Service<ProfileRepo, {
  readonly find: (user: UserId) => Effect.Effect<Option.Option<Profile>, SqlError>
  /** As it is until the transaction ends: nobody else changes it meanwhile. */
  readonly lock: (user: UserId) => Effect.Effect<Option.Option<Profile>, SqlError>
  readonly change: (user: UserId, change: ProfileChange) => Effect.Effect<Option.Option<Profile>, SqlError>
}>()("@englog/api/account/ProfileRepo") {
  static readonly layer = Layer.effect(
    ProfileRepo,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const find = Effect.fn("ProfileRepo.find")(function*(user: UserId) {
        const rows = yield* sql`
          SELECT u.id, u.email, u.first_name, u.last_name, u.timezone, u.preferences, o.id AS organization_id, u.is_admin, u.last_login_at,
            u.created_at, u.updated_at
          FROM users u JOIN organizations o ON o.personal_of = u.id WHERE u.id = ${user}`
        return rows[0] === undefined ? Option.none() : Option.some(new Profile(withEtag(yield* Effect.orDie(decodeRow(rows[0])))))
      })
      return ProfileRepo.of({
        find,
        lock: Effect.fn("ProfileRepo.lock")(function*(user) {
          yield* sql`SELECT 1 FROM users WHERE id = ${user} FOR NO KEY UPDATE`
          return yield* find(user)
        }),
        change: Effect.fn("ProfileRepo.change")((user, { first_name, last_name, preferences, timezone }) =>
          sql.withTransaction(Effect.gen(function*() {
            const settings = preferences === undefined ? null : JSON.stringify(preferences)
            yield* sql`
              UPDATE users SET first_name = coalesce(${first_name ?? null}::text, first_name),
                last_name = coalesce(${last_name ?? null}::text, last_name), timezone = coalesce(${timezone ?? null}::text, timezone),
                preferences = coalesce(${settings}::text::jsonb, preferences), updated_at = now()
              WHERE id = ${user}`
            // A personal organization is named after its user.
            yield* sql`
              UPDATE organizations o SET name = u.first_name || ' ' || u.last_name, updated_at = now()
              FROM users u WHERE u.id = ${user} AND o.personal_of = u.id AND o.name <> u.first_name || ' ' || u.last_name`
            return yield* find(user)
          }))
        )
      })
    })
  )
}

const decodeRow = Schema.decodeUnknownEffect(Schema.Struct({
  id: UserId,
  email: Schema.String,
  first_name: Schema.String,
  last_name: Schema.String,
  timezone: Schema.String,
  preferences: Settings,
  organization_id: OrganizationId,
  is_admin: Schema.Boolean,
  last_login_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate
}))
