/**
 * What an API token must be allowed for a call. A person who logged in may do everything that the account may.
 *
 * Without an annotation REST reads with GET and writes otherwise, and RPC reads with procedures that are named so.
 */
import { Context, Schema } from "effect"

export const TokenScope = Schema.Literals(["read", "write", "background", "admin"])
export type TokenScope = typeof TokenScope.Type

/** `person`: no token will do, whatever its scopes. `default`: as the method or the name says. */
export type RequiredScope = TokenScope | "person"

export const RequiredScope = Context.Reference<RequiredScope | "default">("@englog/rpc/http/RequiredScope", {
  defaultValue: () => "default"
})
