/**
 * `/v1/logs`.
 */
import type { LogEntry } from "@englog/domain/entries/LogEntry"
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { BulkOperation } from "@englog/rpc/http/BulkPayload"
import { matches, quoted } from "@englog/rpc/http/EntityTags"
import { BadRequest } from "@englog/rpc/http/HttpErrors"
import { Effect, Option, Result, Schema } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { describeIssue } from "../http/errors/RequestProblems.ts"
import { Entries } from "./Entries.ts"
import { changeOf, type Proposal } from "./EntryChanges.ts"

export const EntriesHttp = {
  layer: HttpApiBuilder.group(EngLogApi, "entries", Effect.fn(function*(handlers) {
    const entries = yield* Entries
    return handlers.handleAll({
      create: ({ payload }) => CurrentUser.use((user) => Effect.map(entries.create(user.id, payload), created)),
      list: ({ query }) => CurrentUser.use((user) => entries.list(user, query)),
      start: ({ payload }) => CurrentUser.use((user) => Effect.map(entries.start(user.id, payload), created)),
      stop: ({ params }) => CurrentUser.use((user) => Effect.map(entries.stop(user.id, params.id), shown)),
      bulk: ({ payload: { atomic = false, operations } }) =>
        CurrentUser.use((user) => entries.bulk(user.id, operations.map(readOperation), atomic)),
      get: Effect.fn(function*({ headers, params }) {
        const user = yield* CurrentUser
        const entry = yield* entries.get(user.id, params.id)
        const known = headers["if-none-match"]
        return known !== undefined && matches(known, entry.etag, "weak")
          ? HttpServerResponse.empty({ status: 304, headers: { etag: quoted(entry.etag) } })
          : shown(entry)
      }),
      update: ({ headers, params, payload }) =>
        CurrentUser.use((user) =>
          Effect.map(entries.update(user.id, params.id, payload, Option.fromUndefinedOr(headers["if-match"])), shown)),
      remove: ({ headers, params }) =>
        CurrentUser.use((user) => entries.remove(user.id, params.id, Option.fromUndefinedOr(headers["if-match"])))
    })
  }))
} as const

const shown = (body: LogEntry) => HttpApiSchema.withHeaders({ body, headers: { etag: quoted(body.etag) } })

const created = (body: LogEntry) =>
  HttpApiSchema.withHeaders({ body, headers: { location: `/v1/logs/${body.id}`, etag: quoted(body.etag) } })

const decodeOperation = Schema.decodeUnknownResult(BulkOperation, { onExcessProperty: "error", errors: "all" })

/** One that does not fit is refused in its own place. */
const readOperation = (operation: Schema.Json): Proposal =>
  Result.match(decodeOperation(operation), {
    onSuccess: changeOf,
    onFailure: ({ issue }) => new BadRequest({ error: describeIssue(issue, "Payload") })
  })
