/**
 * The audit log in the database. Addresses are personal data: they are encrypted, and everything is removed after 90 days.
 */
import { UserId } from "@englog/domain/Ids"
import { Context, DateTime, Duration, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { EncryptedColumn } from "../crypto/EncryptedColumns.ts"
import { FieldCipher, type FieldCipherError } from "../crypto/FieldCipher.ts"

export const SecurityEventKind = Schema.Literals([
  "registered",
  "login",
  /** `detail.reason`: unknown_account or wrong_password. */
  "login_failed",
  /** A used refresh token came again: one of its two users stole it. The session was ended. */
  "refresh_reused",
  /** By logging out. */
  "session_ended",
  /** A token that this server did not sign, or one of the other type. `detail.reason` is InvalidToken's. */
  "token_refused",
  /** Somebody who is known asked for what they may not do: 403. */
  "access_denied",
  /** A limit on authentication was reached (ReachedLimits). `detail.limit` is its name. */
  "rate_limited",
  "admin_granted",
  "admin_revoked",
  /** A worker that may not register: wrong enrollment token or certificate. */
  "worker_refused",
  /** `detail.queue`, `*` for all. */
  "queue_paused",
  "queue_resumed",
  /** `detail.max_running`; none where the bound was lifted. */
  "queue_limited",
  /** `detail.organization_id`, `detail.weight`. */
  "tenant_weighted",
  /** `detail.worker_id`. */
  "worker_paused",
  "worker_resumed",
  /** From the server's command line. `detail.replayed` counts them. */
  "dead_letters_replayed",
  /** Records of ended tasks were removed; `detail` counts them. */
  "tasks_cleaned_up",
  /** A task of a kind that is for administrators was submitted. `detail.kind`, `detail.task_id`. */
  "admin_task_submitted",
  /** All other sessions were ended with it; `detail.sessions` counts them. */
  "password_changed",
  /** A new e-mail address, which is told nowhere here. */
  "email_change_requested",
  "email_change_withdrawn",
  /** All other sessions were ended with it; `detail.sessions` counts them. */
  "email_changed",
  /** Somebody who was logged in did not know the password that something asked for. `detail.for` says what. */
  "password_refused",
  /** By the account itself. `detail.sessions` counts them. */
  "sessions_revoked",
  /** `detail.token_id`, `detail.scopes`. */
  "api_token_created",
  /** `detail.token_id`. */
  "api_token_revoked",
  /** `detail.feed_id`, `detail.disclosure`. */
  "calendar_feed_created",
  /** `detail.feed_id`. */
  "calendar_feed_revoked",
  "account_exported",
  /** `detail` counts what came back, section by section. */
  "account_imported",
  /** Of teams: `detail.team_id` in all of them, `detail.member_id` who it was done to, `detail.role` what they are from then on. */
  "team_created",
  "team_deleted",
  "team_invited",
  "team_joined",
  "team_role_changed",
  /** By themselves where `user_id` is the member's own. */
  "team_member_removed",
  /** `detail.delete_after`. */
  "deletion_scheduled",
  "deletion_cancelled",
  /** From here on the account has a pseudonym (docs/decisions/0028). `detail.by`: owner, or schedule. */
  "account_deleted",
  "account_anonymized",
  /** An administrator started a nightly job. `detail.job`. */
  "job_started"
])
export type SecurityEventKind = typeof SecurityEventKind.Type

/** Names and numbers of ours; never a secret, nor text that somebody sent. */
export type SecurityEventDetail = Readonly<Record<string, string | number>>

export interface StoredSecurityEvent {
  readonly id: string
  readonly at: DateTime.Utc
  readonly event: SecurityEventKind
  readonly user_id: UserId | null
  readonly address: string | null
  readonly request_id: string | null
  readonly detail: SecurityEventDetail
}

export interface SecurityEventQuery {
  readonly since: DateTime.Utc
  readonly user_id: UserId | null
  readonly limit: number
}

export const retention = Duration.days(90)

export class SecurityEventRepo extends Context.Service<SecurityEventRepo, {
  /** All or none. */
  readonly insert: (events: ReadonlyArray<StoredSecurityEvent>) => Effect.Effect<void, SqlError>
  /** The newest first. */
  readonly list: (query: SecurityEventQuery) => Effect.Effect<ReadonlyArray<StoredSecurityEvent>, SqlError | FieldCipherError>
  /** What a removed account did goes on under a pseudonym: events that were written when it had just gone. Answers how many. */
  readonly disownGone: Effect.Effect<number, SqlError>
  /** Removes what is older than `retention`; answers how many. */
  readonly removeExpired: Effect.Effect<number, SqlError>
}>()("@englog/api/security/SecurityEventRepo") {
  static readonly layer: Layer.Layer<SecurityEventRepo, never, SqlClient.SqlClient | FieldCipher> = Layer.effect(
    SecurityEventRepo,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const cipher = yield* FieldCipher

      const toRow = Effect.fnUntraced(function*({ address, at, ...event }: StoredSecurityEvent) {
        return {
          ...event,
          at: DateTime.formatIso(at),
          address: address === null ? null : yield* cipher.encrypt(address, EncryptedColumn.securityEventAddress, event.id)
        }
      })
      const fromRow = Effect.fnUntraced(function*(row: typeof Row.Type) {
        const address = row.address === null ? null : yield* cipher.decrypt(row.address, EncryptedColumn.securityEventAddress, row.id)
        return { ...row, address }
      })

      return SecurityEventRepo.of({
        insert: Effect.fn("SecurityEventRepo.insert")(function*(events: ReadonlyArray<StoredSecurityEvent>) {
          const rows = yield* Effect.forEach(events, toRow)
          yield* sql`
            INSERT INTO security_events (id, at, event, user_id, address, request_id, detail)
            SELECT id, at, event, user_id, address, request_id, detail
            FROM jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
              AS n (id uuid, at timestamptz, event text, user_id uuid, address text, request_id text, detail jsonb)
            ON CONFLICT DO NOTHING`
        }),
        list: Effect.fn("SecurityEventRepo.list")(function*({ limit, since, user_id }: SecurityEventQuery) {
          const rows = yield* sql`
            SELECT id, at, event, user_id, address, request_id, detail FROM security_events
            WHERE at >= ${DateTime.toDateUtc(since)} AND (${user_id}::text IS NULL OR user_id = ${user_id}::text::uuid)
            ORDER BY at DESC, id LIMIT ${limit}::int`
          return yield* Effect.forEach(yield* Effect.orDie(decodeRows(rows)), fromRow)
        }),
        disownGone: Effect.map(
          sql`UPDATE security_events e SET user_id = overlay(gen_random_uuid()::text PLACING '8' FROM 15)::uuid
            WHERE e.user_id IS NOT NULL AND substr(e.user_id::text, 15, 1) <> '8'
              AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = e.user_id) RETURNING e.id`,
          (rows) => rows.length
        ).pipe(Effect.withSpan("SecurityEventRepo.disownGone")),
        removeExpired: Effect.map(
          sql`DELETE FROM security_events WHERE at < now() - ${`${Duration.toSeconds(retention)} seconds`}::text::interval RETURNING id`,
          (rows) => rows.length
        ).pipe(Effect.withSpan("SecurityEventRepo.removeExpired"))
      })
    })
  )
}

const Row = Schema.Struct({
  id: Schema.String,
  at: Schema.DateTimeUtcFromDate,
  event: SecurityEventKind,
  user_id: Schema.NullOr(UserId),
  address: Schema.NullOr(Schema.String),
  request_id: Schema.NullOr(Schema.String),
  detail: Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite]))
})
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Row))
