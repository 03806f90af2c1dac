/**
 * What people do with their log entries, by REST and RPC alike. Somebody else's entry is as absent as none.
 */
import type { LogEntry } from "@englog/domain/entries/LogEntry"
import type { EntryId, UserId } from "@englog/domain/Ids"
import { addDays, startOfLocalDay } from "@englog/domain/users/LocalDays"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import type { EntryPage, EntryQuery } from "@englog/rpc/http/EntriesApi"
import type { EntryPayload } from "@englog/rpc/http/EntryPayload"
import { BadRequest, NotFound, type ServiceUnavailable } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { Context, Effect, Layer, Option } from "effect"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { orNoProject, Projects } from "../projects/Projects.ts"
import { EntryRepo } from "./EntryRepo.ts"

export class Entries extends Context.Service<Entries, {
  readonly create: (user: UserId, entry: EntryPayload) => Effect.Effect<LogEntry, BadRequest | ServiceUnavailable>
  readonly get: (user: UserId, id: EntryId) => Effect.Effect<LogEntry, NotFound | ServiceUnavailable>
  readonly list: (
    user: CurrentUser["Service"],
    query: EntryQuery
  ) => Effect.Effect<typeof EntryPage.Type, BadRequest | ServiceUnavailable>
  readonly update: (
    user: UserId,
    id: EntryId,
    entry: EntryPayload
  ) => Effect.Effect<LogEntry, BadRequest | NotFound | ServiceUnavailable>
  readonly remove: (user: UserId, id: EntryId) => Effect.Effect<void, NotFound | ServiceUnavailable>
}>()("@englog/api/entries/Entries") {
  static readonly layer: Layer.Layer<Entries, never, EntryRepo | Projects> = Layer.effect(
    Entries,
    Effect.gen(function*() {
      const repo = yield* EntryRepo
      const projects = yield* Projects

      return Entries.of({
        create: Effect.fn("Entries.create")(function*(user, entry) {
          const project_id = yield* orUnavailable(projects.ofNewEntry(user, entry.project_id))
          const created = yield* orUnavailable(orNoProject(repo.insert(user, { ...entry, project_id }), project_id))
          yield* Metrics.entriesCreated.add({})
          return created
        }),
        get: Effect.fn("Entries.get")(function*(user, id) {
          return yield* orNotFound(id, yield* orUnavailable(repo.find(user, id)))
        }),
        list: Effect.fn("Entries.list")(function*(user, query) {
          const { start_date, end_date, type, project_id, cursor, limit = defaultPageSize } = query
          const filter = {
            from: Option.map(Option.fromUndefinedOr(start_date), (day) => startOfLocalDay(day, user.timezone)),
            to: Option.map(Option.fromUndefinedOr(end_date), (day) => startOfLocalDay(addDays(day, 1), user.timezone)),
            type: Option.fromUndefinedOr(type),
            project_id: Option.fromUndefinedOr(project_id),
            after: cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          }
          const { rows, next_cursor } = toPage(yield* orUnavailable(repo.list(user.id, filter, limit + 1)), limit)
          return { items: rows.map(({ entry }) => entry), next_cursor }
        }),
        update: Effect.fn("Entries.update")(function*(user, id, entry) {
          const stored = yield* orNotFound(id, yield* orUnavailable(repo.find(user, id)))
          // Where it stays, it may be a project of a team that its author has left.
          if (entry.project_id !== stored.project_id) yield* orUnavailable(projects.check(user, entry.project_id))
          return yield* orNotFound(id, yield* orUnavailable(orNoProject(repo.update(user, id, entry), entry.project_id)))
        }),
        remove: Effect.fn("Entries.remove")(function*(user, id) {
          if (!(yield* orUnavailable(repo.remove(user, id)))) return yield* noEntry(id)
        })
      })
    })
  )
}

const noEntry = (id: EntryId) => new NotFound({ error: `you have no entry ${id}` })

const orNotFound = (id: EntryId, entry: Option.Option<LogEntry>): Effect.Effect<LogEntry, NotFound> =>
  Option.match(entry, { onNone: () => noEntry(id), onSome: Effect.succeed })
