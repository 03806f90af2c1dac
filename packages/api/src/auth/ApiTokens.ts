/**
 * API tokens: how they look, and what they are worth. 256 random bits behind a prefix by which scanners for leaked secrets know
 * them; the database has the SHA-256, which is as good as a slow hash where nothing can be guessed.
 */
import type { Credential } from "@englog/rpc/http/Authorization"
import { Forbidden } from "@englog/rpc/http/HttpErrors"
import type { RequiredScope } from "@englog/rpc/http/RequiredScope"
import { Effect, Redacted } from "effect"
import { randomBytes } from "node:crypto"

const PREFIX = "englog_"

export const makeApiToken: Effect.Effect<Redacted.Redacted<string>> = Effect.sync(() =>
  Redacted.make(`${PREFIX}${randomBytes(32).toString("base64url")}`))

/** A JWT is three parts with dots between them, and never begins so. */
export const isApiToken = (token: string): boolean => token.startsWith(PREFIX)

/** Fails where a token may not do what a call asks for. */
export const allowed = (credential: Credential, required: RequiredScope): Effect.Effect<void, Forbidden> => {
  if (credential._tag === "Session") return Effect.void
  if (required === "person") return Effect.fail(new Forbidden({ error: "an API token may not do this; log in" }))
  return credential.scopes.includes(required)
    ? Effect.void
    : Effect.fail(new Forbidden({ error: `the API token lacks the scope "${required}"`, code: "insufficient_scope", details: [{ scope: required }] }))
}
