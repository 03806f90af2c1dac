/** RPC of log entries: see EntryRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { EntryRpcs } from "@englog/rpc/rpc/EntryRpcs"
import { Effect } from "effect"
import { seenTag } from "../http/EntityTag.ts"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Entries } from "./Entries.ts"
import { changeOf } from "./EntryChanges.ts"

export const EntryRpcsLive = EntryRpcs.toLayer(Effect.gen(function*() {
  const entries = yield* Entries
  return EntryRpcs.of({
    CreateEntry: (entry) => CurrentUser.use((user) => orRpcFailure(entries.create(user.id, entry))),
    ListEntries: (query) => CurrentUser.use((user) => orRpcFailure(entries.list(user, query))),
    GetEntry: ({ id }) => CurrentUser.use((user) => orRpcFailure(entries.get(user.id, id))),
    UpdateEntry: ({ entry, id, if_match }) => CurrentUser.use((user) => orRpcFailure(entries.update(user.id, id, entry, seenTag(if_match)))),
    DeleteEntry: ({ id, if_match }) => CurrentUser.use((user) => orRpcFailure(entries.remove(user.id, id, seenTag(if_match)))),
    StartEntry: (entry) => CurrentUser.use((user) => orRpcFailure(entries.start(user.id, entry))),
    StopEntry: ({ id }) => CurrentUser.use((user) => orRpcFailure(entries.stop(user.id, id))),
    ChangeEntries: ({ atomic = false, operations }) =>
      CurrentUser.use((user) => orRpcFailure(entries.bulk(user.id, operations.map(changeOf), atomic)))
  })
}))
