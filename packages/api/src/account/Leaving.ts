/**
 * The end of an account: deleted now, deleted later, or anonymized (docs/decisions/0028). Each is one transaction; whoever is still
 * logged in is turned away within three seconds.
 */
import { OrganizationId, UserId } from "@englog/domain/Ids"
import { ScheduledDeletion } from "@englog/rpc/http/AccountView"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, type Forbidden, NotFound, type ServiceUnavailable, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { Context, DateTime, Effect, Layer, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { randomBytes, randomUUID } from "node:crypto"
import { PasswordHasher } from "../auth/PasswordHasher.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { TaskOutcomes } from "../queue/TaskOutcomes.ts"
import { Mails } from "../mail/Mails.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { type Leaving as Leaver, LeavingRepo } from "./LeavingRepo.ts"
import { gone, Ownership } from "./Ownership.ts"

type Caller = CurrentUser["Service"]
type Password = Redacted.Redacted<string>
type Refused = Forbidden | NotFound | TooManyRequests | ServiceUnavailable

export class Leaving extends Context.Service<Leaving, {
  readonly remove: (caller: Caller, password: Password) => Effect.Effect<void, Refused>
  readonly anonymize: (caller: Caller, password: Password) => Effect.Effect<void, Refused>
  readonly schedule: (caller: Caller, password: Password, delete_after: DateTime.Utc) => Effect.Effect<ScheduledDeletion, BadRequest | Refused>
  readonly scheduled: (caller: Caller) => Effect.Effect<ScheduledDeletion, NotFound | ServiceUnavailable>
  readonly cancel: (caller: Caller) => Effect.Effect<void, NotFound | ServiceUnavailable>
  /** Deletes the accounts whose time has come; answers how many. */
  readonly removeDue: Effect.Effect<number, SqlError>
}>()("@englog/api/account/Leaving") {
  static readonly layer = Layer.effect(
    Leaving,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const repo = yield* LeavingRepo
      const hasher = yield* PasswordHasher
      const mails = yield* Mails
      const { prove } = yield* Ownership
      const { record } = yield* SecurityEvents
      const tasks = yield* TaskOutcomes

      /** Within a transaction. Answers the name under which the audit log goes on, or none where the account had gone. */
      const leave = Effect.fnUntraced(function*(user: UserId, before: (leaving: Leaver) => Effect.Effect<void, SqlError>) {
        const leaving = yield* repo.lock(user)
        if (Option.isNone(leaving)) return Option.none()
        const pseudonym = newPseudonym()
        yield* before(leaving.value)
        // What they wait for goes without ever having ended.
        for (const task_id of yield* repo.tasksLeftWaiting(leaving.value)) {
          yield* tasks.cancel(task_id, "a task that it waited for went with the account of its owner")
        }
        yield* repo.handOver(leaving.value)
        yield* repo.disown(leaving.value, pseudonym)
        yield* repo.remove(leaving.value)
        return Option.some(pseudonym)
      })

      const inOneGo = (user: UserId, before: (leaving: Leaver) => Effect.Effect<void, SqlError>) =>
        orUnavailable(sql.withTransaction(leave(user, before))).pipe(
          Effect.flatMap(Option.match({ onNone: () => Effect.fail(gone), onSome: Effect.succeed }))
        )

      const removeNext = (except: ReadonlyArray<UserId>) =>
        sql.withTransaction(Effect.gen(function*() {
          const due = yield* repo.lockDue(except)
          if (Option.isNone(due)) return undefined
          // One that cannot go must not keep the others.
          const pseudonym = yield* sql.withTransaction(leave(due.value, () => Effect.void)).pipe(
            Effect.catch((error) =>
              Effect.as(Effect.logWarning("an account whose deletion is due could not be removed; trying again tomorrow", error.message), Option.none()))
          )
          return { user: due.value, pseudonym }
        }))

      return Leaving.of({
        remove: Effect.fn("Leaving.remove")(function*({ id }, password) {
          yield* prove(id, { password, field: "password", purpose: "deletion" })
          const pseudonym = yield* inOneGo(id, () => Effect.void)
          yield* record({ event: "account_deleted", user_id: pseudonym, detail: { by: "owner" } })
        }),
        anonymize: Effect.fn("Leaving.anonymize")(function*({ id }, password) {
          yield* prove(id, { password, field: "password", purpose: "anonymization" })
          const nobody = {
            user_id: UserId.make(randomUUID()),
            organization_id: OrganizationId.make(randomUUID()),
            // As seed 004 makes them; the domain is one that never exists (RFC 2606).
            email: `anon_${randomBytes(16).toString("hex")}@anonymized.invalid`,
            password_hash: yield* hasher.hash(Redacted.make(randomBytes(32).toString("hex")))
          }
          const pseudonym = yield* inOneGo(id, (leaving) => repo.copyFigures(leaving, nobody))
          yield* record({ event: "account_anonymized", user_id: pseudonym })
        }),
        schedule: Effect.fn("Leaving.schedule")(function*({ id }, password, delete_after) {
          const now = yield* DateTime.now
          if (DateTime.isLessThan(delete_after, now) || DateTime.isGreaterThan(delete_after, DateTime.add(now, { days: MAX_DAYS }))) {
            return yield* new BadRequest({ error: "delete_after: must lie within a year from now" })
          }
          yield* prove(id, { password, field: "password", purpose: "deletion" })
          const planned = yield* orUnavailable(sql.withTransaction(Effect.tap(repo.schedule(id, delete_after), () =>
            mails.postTo(id, ({ first_name }, url) => ({ template: "deletion_scheduled", first_name, delete_after, url })))))
          if (Option.isNone(planned)) return yield* gone
          yield* record({ event: "deletion_scheduled", user_id: id, detail: { delete_after: DateTime.formatIso(delete_after) } })
          return new ScheduledDeletion(planned.value)
        }),
        scheduled: Effect.fn("Leaving.scheduled")(function*({ id }) {
          const planned = yield* orUnavailable(repo.scheduled(id))
          return Option.isSome(planned) ? new ScheduledDeletion(planned.value) : yield* unplanned
        }),
        cancel: Effect.fn("Leaving.cancel")(function*({ id }) {
          if (!(yield* orUnavailable(repo.unschedule(id)))) return yield* unplanned
          yield* record({ event: "deletion_cancelled", user_id: id })
        }),
        removeDue: Effect.gen(function*() {
          const tried: Array<UserId> = []
          let removed = 0
          while (true) {
            const next = yield* removeNext(tried)
            if (next === undefined) return removed
            tried.push(next.user)
            if (Option.isNone(next.pseudonym)) continue
            removed += 1
            yield* record({ event: "account_deleted", user_id: next.pseudonym.value, detail: { by: "schedule" } })
          }
        }).pipe(Effect.withSpan("Leaving.removeDue"))
      })
    })
  )
}

const MAX_DAYS = 366

const unplanned = new NotFound({ error: "no deletion of this account is scheduled" })

/** A UUID of version 8, which no user has: the audit log's clean-up knows it by that (SecurityEventRepo). */
const newPseudonym = (): UserId => {
  const uuid = randomUUID()
  return UserId.make(`${uuid.slice(0, 14)}8${uuid.slice(15)}`)
}
