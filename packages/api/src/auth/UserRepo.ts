/**
 * Users and their personal organizations. E-mail addresses come normalized (trimmed, lower case).
 */
import { type FamilyId, OrganizationId, UserId } from "@englog/domain/Ids"
import { User } from "@englog/domain/users/User"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { isSqlError, type SqlError } from "effect/sql/SqlError"

export interface NewUser {
  readonly id: UserId
  readonly organization_id: OrganizationId
  readonly email: string
  readonly password_hash: string
  readonly first_name: string
  readonly last_name: string
  readonly timezone: string
}

/** The address has an account already. */
export class EmailTaken extends Schema.TaggedError<EmailTaken>()("EmailTaken", { message: Schema.String }) {}

const row = {
  id: UserId,
  email: Schema.String,
  first_name: Schema.String,
  last_name: Schema.String,
  timezone: Schema.String,
  organization_id: OrganizationId,
  is_admin: Schema.Boolean,
  last_login_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  created_at: Schema.DateTimeUtcFromDate,
  updated_at: Schema.DateTimeUtcFromDate
}
const decodeId = Schema.decodeUnknownEffect(Schema.Struct({ id: UserId }))
const decodeUser = Schema.decodeUnknownEffect(Schema.Struct(row))

export const Credentials = Schema.Struct({
  id: UserId,
  email: Schema.String,
  first_name: Schema.String,
  last_name: Schema.String,
  password_hash: Schema.String
})
const decodeCredentials = Schema.decodeUnknownEffect(Credentials)

const Caller = Schema.Struct({
  id: UserId,
  organization_id: OrganizationId,
  is_admin: Schema.Boolean,
  timezone: Schema.String
})
export type Caller = typeof Caller.Type
const decodeCaller = Schema.decodeUnknownEffect(Caller)

export class UserRepo extends Context.Service<UserRepo, {
  /** With the personal organization and the membership in it; all or nothing. */
  readonly create: (user: NewUser) => Effect.Effect<void, EmailTaken | SqlError>
  readonly findCredentials: (email: string) => Effect.Effect<Option.Option<typeof Credentials.Type>, SqlError>
  readonly findCredentialsOf: (id: UserId) => Effect.Effect<Option.Option<typeof Credentials.Type>, SqlError>
  readonly setEmail: (id: UserId, email: string) => Effect.Effect<void, EmailTaken | SqlError>
  readonly setPassword: (id: UserId, password_hash: string) => Effect.Effect<void, SqlError>
  readonly find: (id: UserId) => Effect.Effect<Option.Option<User>, SqlError>
  /** The user, if they exist and the session has not been revoked. */
  readonly findCaller: (id: UserId, family: FamilyId) => Effect.Effect<Option.Option<Caller>, SqlError>
  readonly recordLogin: (id: UserId) => Effect.Effect<void, SqlError>
  /** Answers whom it concerns; none where there is no such user. */
  readonly setAdmin: (email: string, is_admin: boolean) => Effect.Effect<Option.Option<UserId>, SqlError>
}>()("@englog/api/auth/UserRepo") {
  static readonly layer: Layer.Layer<UserRepo, never, SqlClient.SqlClient> = Layer.effect(
    UserRepo,
    Effect.map(SqlClient.SqlClient, (sql) => UserRepo.of(makeUserRepo(sql)))
  )
}

const makeUserRepo = (sql: SqlClient.SqlClient): UserRepo["Service"] => ({
  create: Effect.fn("UserRepo.create")(function*(user: NewUser) {
    yield* sql.withTransaction(Effect.gen(function*() {
      yield* sql`INSERT INTO users (id, email, password_hash, first_name, last_name, timezone, last_login_at)
        VALUES (${user.id}, ${user.email}, ${user.password_hash}, ${user.first_name}, ${user.last_name}, ${user.timezone}, now())`
      yield* sql`INSERT INTO organizations (id, name, personal_of)
        VALUES (${user.organization_id}, ${`${user.first_name} ${user.last_name}`}, ${user.id})`
      yield* sql`INSERT INTO organization_members (organization_id, user_id, role)
        VALUES (${user.organization_id}, ${user.id}, 'owner')`
    }))
  }, orTaken),

  findCredentials: Effect.fn("UserRepo.findCredentials")(function*(email: string) {
    const rows = yield* sql`SELECT id, email, first_name, last_name, password_hash FROM users WHERE lower(email) = ${email}`
    return rows[0] === undefined ? Option.none() : Option.some(yield* Effect.orDie(decodeCredentials(rows[0])))
  }),

  findCredentialsOf: Effect.fn("UserRepo.findCredentialsOf")(function*(id: UserId) {
    const rows = yield* sql`SELECT id, email, first_name, last_name, password_hash FROM users WHERE id = ${id}`
    return rows[0] === undefined ? Option.none() : Option.some(yield* Effect.orDie(decodeCredentials(rows[0])))
  }),

  setEmail: Effect.fn("UserRepo.setEmail")(function*(id: UserId, email: string) {
    yield* sql`UPDATE users SET email = ${email}, updated_at = now() WHERE id = ${id}`
  }, orTaken),

  setPassword: Effect.fn("UserRepo.setPassword")(function*(id: UserId, password_hash: string) {
    yield* sql`UPDATE users SET password_hash = ${password_hash}, updated_at = now() WHERE id = ${id}`
  }),

  find: Effect.fn("UserRepo.find")(function*(id: UserId) {
    const rows = yield* sql`
      SELECT u.id, u.email, u.first_name, u.last_name, u.timezone, o.id AS organization_id, u.is_admin, u.last_login_at,
        u.created_at, u.updated_at
      FROM users u JOIN organizations o ON o.personal_of = u.id
      WHERE u.id = ${id}`
    return rows[0] === undefined ? Option.none() : Option.some(new User(yield* Effect.orDie(decodeUser(rows[0]))))
  }),

  findCaller: Effect.fn("UserRepo.findCaller")(function*(id: UserId, family: FamilyId) {
    const rows = yield* sql`
      SELECT u.id, o.id AS organization_id, u.is_admin, u.timezone
      FROM users u JOIN organizations o ON o.personal_of = u.id
      JOIN refresh_token_families f ON f.user_id = u.id AND f.id = ${family} AND f.revoked_at IS NULL
      WHERE u.id = ${id}`
    return rows[0] === undefined ? Option.none() : Option.some(yield* Effect.orDie(decodeCaller(rows[0])))
  }),

  recordLogin: Effect.fn("UserRepo.recordLogin")(function*(id: UserId) {
    yield* sql`UPDATE users SET last_login_at = now() WHERE id = ${id}`
  }),

  setAdmin: Effect.fn("UserRepo.setAdmin")(function*(email: string, is_admin: boolean) {
    const rows = yield* sql`UPDATE users SET is_admin = ${is_admin}, updated_at = now() WHERE lower(email) = ${email} RETURNING id`
    return rows[0] === undefined ? Option.none() : Option.some((yield* Effect.orDie(decodeId(rows[0]))).id)
  })
})

const orTaken = <A, R>(write: Effect.Effect<A, SqlError, R>) =>
  Effect.catchIf(write, isTakenEmail, () => Effect.fail(new EmailTaken({ message: "this e-mail address has an account" })))

const isTakenEmail = (error: SqlError): boolean =>
  isSqlError(error) && error.reason._tag === "UniqueViolation" && error.reason.constraint === "users_by_email"
