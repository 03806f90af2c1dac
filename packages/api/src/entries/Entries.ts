/**
 * What people do with their log entries, by REST and RPC alike. Somebody else's entry is as absent as none.
 */
import type { LogEntry } from "@englog/domain/entries/LogEntry"
import type { EntryId, UserId } from "@englog/domain/Ids"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import type { BulkItem, BulkResult } from "@englog/rpc/http/BulkPayload"
import type { EntryPage, EntryQuery } from "@englog/rpc/http/EntriesApi"
import type { EntryPayload, EntryStart } from "@englog/rpc/http/EntryPayload"
import { errorAnswer } from "@englog/rpc/http/ErrorAnswer"
import { BadRequest, Conflict, NotFound, PreconditionFailed, type ServiceUnavailable } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { toPage } from "../http/Cursor.ts"
import type { Seen } from "../http/EntityTag.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { type EntryChange, EntryChanges, isRefusal, type Outcome, type Proposal, type Refusal } from "./EntryChanges.ts"
import { cursorOf, namedCursor, newestFirst } from "./EntryOrder.ts"
import { EntryRepo } from "./EntryRepo.ts"
import { filterOf } from "./EntrySelection.ts"

export class Entries extends Context.Service<Entries, {
  readonly create: (user: UserId, entry: EntryPayload) => Effect.Effect<LogEntry, BadRequest | Conflict | ServiceUnavailable>
  /** Begins now and runs. */
  readonly start: (user: UserId, entry: EntryStart) => Effect.Effect<LogEntry, BadRequest | Conflict | ServiceUnavailable>
  readonly stop: (user: UserId, id: EntryId) => Effect.Effect<LogEntry, Conflict | NotFound | ServiceUnavailable>
  readonly get: (user: UserId, id: EntryId) => Effect.Effect<LogEntry, NotFound | ServiceUnavailable>
  readonly list: (
    user: CurrentUser["Service"],
    query: EntryQuery
  ) => Effect.Effect<typeof EntryPage.Type, BadRequest | ServiceUnavailable>
  readonly update: (
    user: UserId,
    id: EntryId,
    entry: EntryPayload,
    if_match: Seen
  ) => Effect.Effect<LogEntry, BadRequest | Conflict | NotFound | PreconditionFailed | ServiceUnavailable>
  readonly remove: (
    user: UserId,
    id: EntryId,
    if_match: Seen
  ) => Effect.Effect<void, NotFound | PreconditionFailed | ServiceUnavailable>
  readonly bulk: (
    user: UserId,
    operations: ReadonlyArray<Proposal>,
    atomic: boolean
  ) => Effect.Effect<BulkResult, ServiceUnavailable>
}>()("@englog/api/entries/Entries") {
  static readonly layer: Layer.Layer<Entries, never, EntryChanges | EntryRepo> = Layer.effect(
    Entries,
    Effect.gen(function*() {
      const repo = yield* EntryRepo
      const changes = yield* EntryChanges

      /** One change by itself: its refusal is the caller's failure. */
      const change = Effect.fnUntraced(function*(user: UserId, proposal: EntryChange) {
        const [outcome] = yield* orUnavailable(changes.apply(user, [proposal], { atomic: false }))
        if (outcome?._tag === "Done") return outcome.entry
        return yield* outcome?._tag === "Refused" ? Effect.fail(outcome.refusal) : Effect.die(new Error("a change has no outcome"))
      })
      const written = Effect.fnUntraced(function*(user: UserId, proposal: EntryChange) {
        const entry = yield* change(user, proposal)
        return Option.isSome(entry) ? entry.value : yield* Effect.die(new Error("an entry vanished within its own transaction"))
      })
      const created = (user: UserId, entry: EntryPayload) =>
        written(user, { action: "create", entry }).pipe(
          // Nothing that is new can be missing or have changed.
          Effect.catchIf((failure) => failure instanceof NotFound || failure instanceof PreconditionFailed, Effect.die)
        )

      return Entries.of({
        create: Effect.fn("Entries.create")(created),
        start: Effect.fn("Entries.start")(function*(user, entry) {
          return yield* created(user, { ...entry, start_time: yield* DateTime.now, end_time: null })
        }),
        stop: Effect.fn("Entries.stop")((user, id) => written(user, { action: "stop", id })),
        get: Effect.fn("Entries.get")(function*(user, id) {
          const found = yield* orUnavailable(repo.find(user, id))
          return Option.isSome(found) ? found.value : yield* new NotFound({ error: `you have no entry ${id}` })
        }),
        list: Effect.fn("Entries.list")(function*(user, query) {
          const { cursor, limit = defaultPageSize } = query
          const order = { sort: query.sort ?? newestFirst.sort, direction: query.order ?? newestFirst.direction }
          const after = cursor === undefined ? Option.none() : Option.some(yield* cursorOf(order, cursor))
          const filter = { ...filterOf(query, user.timezone), after }
          const { next_cursor, rows } = toPage(yield* orUnavailable(repo.list(user.id, filter, order, limit + 1)), limit)
          return { items: rows.map(({ entry }) => entry), next_cursor: namedCursor(order, next_cursor) }
        }),
        update: Effect.fn("Entries.update")((user, id, entry, if_match) => written(user, { action: "update", id, entry, if_match })),
        remove: Effect.fn("Entries.remove")((user, id, if_match) => Effect.asVoid(change(user, { action: "delete", id, if_match }))),
        bulk: Effect.fn("Entries.bulk")(function*(user, operations, atomic) {
          const outcomes = yield* orUnavailable(changes.apply(user, operations, { atomic }))
          const items = outcomes.map((outcome, index) => itemOf(outcome, index, operations[index]))
          const succeeded = outcomes.filter(({ _tag }) => _tag === "Done").length
          const undone = outcomes.find((outcome) => outcome._tag === "Undone")
          const refused = outcomes.findIndex((outcome) => outcome._tag === "Refused")
          const failed_index = !atomic || refused === -1 ? null : undone === undefined ? refused : undone.index
          return { items, succeeded, failed: outcomes.length - succeeded, failed_index }
        })
      })
    })
  )
}

const itemOf = (outcome: Outcome, index: number, operation: Proposal | undefined): BulkItem => {
  switch (outcome._tag) {
    case "Done":
      return { index, status: statusOf(operation), entry: Option.getOrNull(outcome.entry), error: null, code: null, details: [] }
    case "Undone":
      return { index, status: 424, entry: null, error: `not done, because operation ${outcome.index} was refused`, code: "not_applied", details: [] }
    case "Refused": {
      const { code, details, error } = errorAnswer(outcome.refusal, outcome.refusal.code)
      return { index, status: refusalStatus(outcome.refusal), entry: null, error, code, details }
    }
  }
}

const statusOf = (operation: Proposal | undefined): number =>
  operation === undefined || isRefusal(operation) ? 400 : operation.action === "create" ? 201 : operation.action === "delete" ? 204 : 200

export const refusalStatus = (refusal: Refusal): number =>
  refusal instanceof BadRequest ? 400 : refusal instanceof NotFound ? 404 : refusal instanceof Conflict ? 409 : 412
