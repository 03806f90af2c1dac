/**
 * Authentication of every RPC, over HTTP and WebSocket alike: the token travels in the headers of the request message.
 */
import { RpcMiddleware } from "effect/rpc"
import type { CurrentUser } from "../http/Authorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

export class RpcAuthorization extends RpcMiddleware.Service<RpcAuthorization, { provides: CurrentUser }>()(
  "@englog/rpc/rpc/RpcAuthorization",
  { error: RpcFailure, requiredForClient: true }
) {}
