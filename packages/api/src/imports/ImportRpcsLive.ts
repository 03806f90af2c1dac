/** RPC of imports and their inbox: see ImportRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { ImportRpcs } from "@englog/rpc/rpc/ImportRpcs"
import { Effect } from "effect"
import { AccountImport } from "../account/AccountImport.ts"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Decisions } from "./Decisions.ts"
import { Imports } from "./Imports.ts"
import { Inbox } from "./Inbox.ts"

export const ImportRpcsLive = ImportRpcs.toLayer(Effect.gen(function*() {
  const imports = yield* Imports
  const accounts = yield* AccountImport
  const inbox = yield* Inbox
  const decisions = yield* Decisions
  return ImportRpcs.of({
    ImportCalendar: (request) => CurrentUser.use((user) => orRpcFailure(imports.calendar(user, request))),
    ImportCsv: (request) => CurrentUser.use((user) => orRpcFailure(imports.csv(user, request))),
    ImportGit: (request) => CurrentUser.use((user) => orRpcFailure(imports.git(user, request))),
    ImportGitHub: (request) => CurrentUser.use((user) => orRpcFailure(imports.github(user, request))),
    ImportJira: (request) => CurrentUser.use((user) => orRpcFailure(imports.jira(user, request))),
    ImportSlack: (request) => CurrentUser.use((user) => orRpcFailure(imports.slack(user, request))),
    ImportAccount: (records) => CurrentUser.use((user) => orRpcFailure(accounts.records(user, records))),
    ListImports: (query) => CurrentUser.use((user) => orRpcFailure(imports.list(user, query))),
    GetImport: ({ id }) => CurrentUser.use((user) => orRpcFailure(imports.get(user, id))),
    GetInbox: (query) => CurrentUser.use((user) => orRpcFailure(inbox.read(user, query))),
    DecideInbox: (payload) => CurrentUser.use((user) => orRpcFailure(decisions.decide(user, payload)))
  })
}))
