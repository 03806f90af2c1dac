/** RPC of log entries: see EntryRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { EntryRpcs } from "@englog/rpc/rpc/EntryRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Entries } from "./Entries.ts"

export const EntryRpcsLive = EntryRpcs.toLayer(Effect.gen(function*() {
  const entries = yield* Entries
  return EntryRpcs.of({
    CreateEntry: (entry) => CurrentUser.use((user) => orRpcFailure(entries.create(user.id, entry))),
    ListEntries: (query) => CurrentUser.use((user) => orRpcFailure(entries.list(user, query))),
    GetEntry: ({ id }) => CurrentUser.use((user) => orRpcFailure(entries.get(user.id, id))),
    UpdateEntry: ({ entry, id }) => CurrentUser.use((user) => orRpcFailure(entries.update(user.id, id, entry))),
    DeleteEntry: ({ id }) => CurrentUser.use((user) => orRpcFailure(entries.remove(user.id, id)))
  })
}))
