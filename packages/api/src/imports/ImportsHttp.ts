/** `/v1/import`, `/v1/imports` and `/v1/inbox`. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { AccountImport } from "../account/AccountImport.ts"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { Decisions } from "./Decisions.ts"
import { Imports } from "./Imports.ts"
import { Inbox } from "./Inbox.ts"

export const ImportsHttp = HttpApiBuilder.group(EngLogApi, "imports", Effect.fn(function*(handlers) {
  const imports = yield* Imports
  const accounts = yield* AccountImport
  return handlers.handleAll({
    calendar: ({ payload }) => CurrentUser.use((user) => orUnavailable(imports.calendar(user, payload))),
    csv: ({ payload }) => CurrentUser.use((user) => orUnavailable(imports.csv(user, payload))),
    git: ({ payload }) => CurrentUser.use((user) => orUnavailable(imports.git(user, payload))),
    github: ({ payload }) => CurrentUser.use((user) => orUnavailable(imports.github(user, payload))),
    jira: ({ payload }) => CurrentUser.use((user) => orUnavailable(imports.jira(user, payload))),
    slack: ({ payload }) => CurrentUser.use((user) => orUnavailable(imports.slack(user, payload))),
    list: ({ query }) => CurrentUser.use((user) => orUnavailable(imports.list(user, query))),
    get: ({ params }) => CurrentUser.use((user) => orUnavailable(imports.get(user, params.id)))
  }).handleRaw("account", Effect.fnUntraced(function*({ request }) {
    const bytes = new Uint8Array(yield* Effect.orDie(request.arrayBuffer))
    return yield* orUnavailable(accounts.document(yield* CurrentUser, bytes))
  }))
}))

export const InboxHttp = HttpApiBuilder.group(EngLogApi, "inbox", Effect.fn(function*(handlers) {
  const inbox = yield* Inbox
  const decisions = yield* Decisions
  return handlers.handleAll({
    read: ({ query }) => CurrentUser.use((user) => orUnavailable(inbox.read(user, query))),
    decide: ({ payload }) => CurrentUser.use((user) => orUnavailable(decisions.decide(user, payload)))
  })
}))
