/** RPC of connections to n8n: see N8nRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { N8nRpcs } from "@englog/rpc/rpc/N8nRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { N8nConnections } from "./N8nConnections.ts"

export const N8nRpcsLive = N8nRpcs.toLayer(Effect.gen(function*() {
  const connections = yield* N8nConnections
  return N8nRpcs.of({
    CreateN8nConnection: (payload) => CurrentUser.use((user) => orRpcFailure(connections.create(user, payload))),
    ListN8nConnections: (query) => CurrentUser.use((user) => orRpcFailure(connections.list(user, query))),
    GetN8nConnection: ({ id }) => CurrentUser.use((user) => orRpcFailure(connections.get(user, id))),
    UpdateN8nConnection: ({ connection, id }) => CurrentUser.use((user) => orRpcFailure(connections.update(user, id, connection))),
    DeleteN8nConnection: ({ id }) => CurrentUser.use((user) => orRpcFailure(connections.remove(user, id)))
  })
}))
