/** Connections to n8n over RPC; see N8nApi. */
import { N8nConnectionId } from "@englog/domain/Ids"
import { N8nConnection } from "@englog/domain/n8n/N8nConnection"
import { Rpc, RpcGroup } from "effect/rpc"
import { N8nConnectionPage, N8nConnectionPayload, N8nConnectionsQuery } from "../http/N8nApi.ts"
import { RequiredScope } from "../http/RequiredScope.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const id = { id: N8nConnectionId }

export class N8nRpcs extends RpcGroup.make(
  Rpc.make("CreateN8nConnection", { payload: N8nConnectionPayload, success: N8nConnection, error }),
  Rpc.make("ListN8nConnections", { payload: N8nConnectionsQuery, success: N8nConnectionPage, error }),
  Rpc.make("GetN8nConnection", { payload: id, success: N8nConnection, error }),
  Rpc.make("UpdateN8nConnection", { payload: { ...id, connection: N8nConnectionPayload }, success: N8nConnection, error }),
  Rpc.make("DeleteN8nConnection", { payload: id, error })
).annotateRpcs(RequiredScope, "background").middleware(RpcAuthorization) {}
