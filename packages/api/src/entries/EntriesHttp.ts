/**
 * `/v1/logs`.
 */
import type { LogEntry } from "@englog/domain/entries/LogEntry"
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { BulkOperation } from "@englog/rpc/http/BulkPayload"
import { BadRequest } from "@englog/rpc/http/HttpErrors"
import { Effect, Result, Schema } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { created, seenIn, shown, shownUnlessKnown } from "../http/EntityTag.ts"
import { describeIssue } from "../http/errors/RequestProblems.ts"
import { Entries } from "./Entries.ts"
import { changeOf, type Proposal } from "./EntryChanges.ts"

export const EntriesHttp = {
  layer: HttpApiBuilder.group(EngLogApi, "entries", Effect.fn(function*(handlers) {
    const entries = yield* Entries
    return handlers.handleAll({
      create: ({ payload }) => CurrentUser.use((user) => Effect.map(entries.create(user.id, payload), createdEntry)),
      list: ({ query }) => CurrentUser.use((user) => entries.list(user, query)),
      start: ({ payload }) => CurrentUser.use((user) => Effect.map(entries.start(user.id, payload), createdEntry)),
      stop: ({ params }) => CurrentUser.use((user) => Effect.map(entries.stop(user.id, params.id), shown)),
      bulk: ({ payload: { atomic = false, operations } }) =>
        CurrentUser.use((user) => entries.bulk(user.id, operations.map(readOperation), atomic)),
      get: ({ headers, params }) =>
        CurrentUser.use((user) => Effect.map(entries.get(user.id, params.id), (entry) => shownUnlessKnown(entry, headers))),
      update: ({ headers, params, payload }) =>
        CurrentUser.use((user) => Effect.map(entries.update(user.id, params.id, payload, seenIn(headers)), shown)),
      remove: ({ headers, params }) => CurrentUser.use((user) => entries.remove(user.id, params.id, seenIn(headers)))
    })
  }))
} as const

const createdEntry = (entry: LogEntry) => created(entry, `/v1/logs/${entry.id}`)

const decodeOperation = Schema.decodeUnknownResult(BulkOperation, { onExcessProperty: "error", errors: "all" })

/** One that does not fit is refused in its own place. */
const readOperation = (operation: Schema.Json): Proposal =>
  Result.match(decodeOperation(operation), {
    onSuccess: changeOf,
    onFailure: ({ issue }) => new BadRequest(describeIssue(issue, "Payload"))
  })
