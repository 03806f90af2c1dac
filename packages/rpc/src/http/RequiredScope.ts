/**
 * What an API token must be allowed for a call. A person who logged in may do everything that the account may.
 *
 * Without an annotation REST reads with GET and writes otherwise, and RPC reads with procedures that are named so.
 */
import { Context, Schema } from "effect"

export const TokenScope = Schema.Literals(["read", "write", "background", "admin", "bounces"])
/** Only an administrator gives these; they are worth nothing once their owner is none any more. */
export const administrative: ReadonlySet<string> = new Set<TokenScope>(["admin", "bounces"])
export type TokenScope = typeof TokenScope.Type

/** `person`: no token will do, whatever its scopes. `default`: as the method or the name says. */
export type RequiredScope = TokenScope | "person"

/** What a call by this method asks for. */
export const scopeOfMethod = (method: string, annotated: RequiredScope | "default"): RequiredScope =>
  annotated !== "default" ? annotated : method === "GET" || method === "HEAD" ? "read" : "write"

/** What a procedure of this name asks for. */
export const scopeOfProcedure = (tag: string, annotated: RequiredScope | "default"): RequiredScope =>
  annotated !== "default" ? annotated : /^(Get|List|Watch)[A-Z]/.test(tag) ? "read" : "write"

export const RequiredScope = Context.Reference<RequiredScope | "default">("@englog/rpc/http/RequiredScope", {
  defaultValue: () => "default"
})
