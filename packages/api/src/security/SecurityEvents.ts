/**
 * The audit log: each security event becomes a line of the log at once, and a row of the database a moment later. Recording
 * costs its caller no wait. While the database is away events wait for it, up to `CAPACITY`; what then finds no room is
 * counted in the log, where its own line stands already.
 */
import type { UserId } from "@englog/domain/Ids"
import { Context, DateTime, Effect, Layer, Queue, Schedule } from "effect"
import type { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import type { FieldCipher } from "../crypto/FieldCipher.ts"
import { RequestOrigin } from "./RequestOrigin.ts"
import { type SecurityEventDetail, type SecurityEventKind, SecurityEventRepo, type StoredSecurityEvent } from "./SecurityEventRepo.ts"

export interface SecurityEvent {
  readonly event: SecurityEventKind
  readonly user_id?: UserId
  /** Default: that of the request under way. */
  readonly address?: string
  readonly detail?: SecurityEventDetail
}

export class SecurityEvents extends Context.Service<SecurityEvents, {
  readonly record: (event: SecurityEvent) => Effect.Effect<void>
}>()("@englog/api/security/SecurityEvents") {
  static readonly layerWriter: Layer.Layer<SecurityEvents, never, SecurityEventRepo> = Layer.effect(
    SecurityEvents,
    Effect.gen(function*() {
      const repo = yield* SecurityEventRepo
      const waiting = yield* Queue.dropping<StoredSecurityEvent>(CAPACITY)

      /** Once, within the time that a stopping process has. */
      const writeOnce = (events: ReadonlyArray<StoredSecurityEvent>) =>
        repo.insert(events).pipe(
          Effect.timeout("2 seconds"),
          Effect.catchCause((cause) =>
            Effect.logError(`${events.length} security events were not stored; they stand in the log only`, cause))
        )

      const write = (events: ReadonlyArray<StoredSecurityEvent>) =>
        repo.insert(events).pipe(
          Effect.catch((error) =>
            Effect.logWarning(`${events.length} security events wait for the database`, error.message).pipe(
              Effect.andThen(repo.insert(events)),
              Effect.retry({ schedule: Schedule.spaced("1 second"), times: PATIENCE_SECONDS })
            )),
          Effect.catch(() => writeOnce(events)),
          Effect.onInterrupt(() => writeOnce(events))
        )

      const drain = Effect.forever(Effect.flatMap(Queue.takeBetween(waiting, 1, BATCH), write))
      // Added first, so that it runs last: whatever still waits when the process stops.
      yield* Effect.addFinalizer(() =>
        Queue.clear(waiting).pipe(
          Effect.flatMap((events) => events.length === 0 ? Effect.void : writeOnce(events)),
          logged
        ))
      yield* Effect.forkScoped(logged(drain))

      return SecurityEvents.of({
        record: Effect.fn("SecurityEvents.record")(function*({ address, detail = {}, event, user_id }: SecurityEvent) {
          const origin = yield* RequestOrigin
          const stored = {
            id: randomUUID(),
            at: yield* DateTime.now,
            event,
            user_id: user_id ?? null,
            address: address ?? origin.address,
            request_id: origin.request_id,
            detail
          }
          yield* tell(stored)
          if (!Queue.offerUnsafe(waiting, stored)) {
            yield* logged(Effect.logError(`more than ${CAPACITY} security events wait for the database: ${event} stands in the log only`))
          }
        })
      })
    })
  )

  static readonly layer: Layer.Layer<SecurityEvents, never, SqlClient.SqlClient | FieldCipher> = SecurityEvents.layerWriter.pipe(
    Layer.provide(SecurityEventRepo.layer)
  )
}

/** Some 5 MB at most. */
const CAPACITY = 10_000
const BATCH = 500
/** How long a batch waits for the database before it is given up. */
const PATIENCE_SECONDS = 600

const logged = Effect.annotateLogs({ component: "security" })

const harmless: ReadonlySet<SecurityEventKind> = new Set([
  "registered", "login", "session_ended", "password_changed", "email_change_requested", "email_change_withdrawn", "email_changed", "sessions_revoked",
  "api_token_created", "api_token_revoked", "account_exported", "account_imported",
  "calendar_feed_created", "calendar_feed_revoked",
  "deletion_scheduled", "deletion_cancelled", "team_created", "team_deleted", "team_invited", "team_joined", "team_role_changed", "team_member_removed"
])

/** The address is left out: logs hold nothing personal. */
const tell = ({ detail, event, request_id, user_id }: StoredSecurityEvent) =>
  (harmless.has(event) ? Effect.logInfo(`security event: ${event}`) : Effect.logWarning(`security event: ${event}`)).pipe(
    Effect.annotateLogs({
      component: "security",
      operation: event,
      ...(user_id === null ? {} : { user_id }),
      ...(request_id === null ? {} : { request_id }),
      ...detail
    })
  )
