/**
 * Accounts and tokens (seed 004, "JWT Authentication Architecture"): an access token lives 15 minutes, a refresh token
 * 30 days and works once.
 */
import { UserId } from "@englog/domain/Ids"
import { TimeZone } from "@englog/domain/users/TimeZone"
import { User } from "@englog/domain/users/User"
import { Effect, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, TooManyRequests, Unauthorized } from "./HttpErrors.ts"
import { NormalizedText, PlainText, TrimmedText } from "./PlainText.ts"

/** One `@`, something on both sides of it, a dot in the domain, no white space; whether it exists, only mail can tell. */
export const Email = NormalizedText({
  max: 255,
  format: {
    name: "email",
    problem: (email) =>
      /^[^\s@<>"(),:;\\[\]]{1,64}@[^\s@.<>"(),:;\\[\]]+(\.[^\s@.<>"(),:;\\[\]]+)+$/u.test(email) ? undefined : "must be an e-mail address"
  }
})

const Password = PlainText({ min: 8, max: 200 })

export const RegisterPayload = Schema.Struct({
  email: Email,
  password: Schema.RedactedFromValue(Password),
  first_name: TrimmedText({ min: 1, max: 100 }),
  last_name: TrimmedText({ min: 1, max: 100 }),
  timezone: TimeZone.pipe(Schema.withDecodingDefaultKey(Effect.succeed("UTC")))
}).annotate({ identifier: "RegisterPayload" })

/** A wrong password is only ever wrong, never malformed, so that nothing is said about the rules of another day. */
export const LoginPayload = Schema.Struct({
  email: NormalizedText({ min: 1, max: 1000 }),
  password: Schema.RedactedFromValue(PlainText({ min: 1, max: 1000 }))
}).annotate({ identifier: "LoginPayload" })

export const RefreshPayload = Schema.Struct({
  refresh_token: Schema.RedactedFromValue(PlainText({ min: 1, max: 4000 }))
}).annotate({ identifier: "RefreshPayload" })

const tokens = {
  access_token: Schema.String,
  refresh_token: Schema.String,
  /** Seconds until the access token expires. */
  expires_in: Schema.Int,
  token_type: Schema.Literal("Bearer")
}

export class TokenResponse extends Schema.Class<TokenResponse>("TokenResponse")(tokens) {}

export class SessionResponse extends Schema.Class<SessionResponse>("SessionResponse")({
  ...tokens,
  user: Schema.Struct({ id: UserId, email: Schema.String, first_name: Schema.String, last_name: Schema.String })
}) {}

export class LogoutResponse extends Schema.Class<LogoutResponse>("LogoutResponse")({ message: Schema.String }) {}

const credentials = { email: "ada@example.com", password: "correct horse battery" }
const person = { first_name: "Ada", last_name: "Lovelace" }
const issued = {
  access_token: "eyJhbGciOiJIUzI1NiIs…",
  refresh_token: "eyJhbGciOiJIUzI1NiIs…",
  expires_in: 900,
  token_type: "Bearer"
}
const session = { ...issued, user: { id: "d8c8aa81-59cb-45ab-8eb3-6042c84498fd", email: credentials.email, ...person } }
const account = {
  ...session.user,
  timezone: "Europe/Berlin",
  organization_id: "b3c08a55-4dcb-4869-8066-7c49475e379f",
  is_admin: false,
  last_login_at: "2026-01-05T08:00:00.000Z",
  created_at: "2026-01-02T08:00:00.000Z",
  updated_at: "2026-01-02T08:00:00.000Z"
}
const refreshRequest = { refresh_token: issued.refresh_token }

export class AuthApi extends HttpApiGroup.make("auth").add(
  HttpApiEndpoint.post("register", "/v1/auth/register", {
    payload: RegisterPayload,
    success: SessionResponse.pipe(HttpApiSchema.status(201)),
    error: [Conflict, TooManyRequests]
  }).annotateMerge(OpenApi.annotations({
    summary: "Open an account",
    description: "Creates the user with a personal organization and logs in at once.",
    transform: examples({ request: { ...credentials, ...person, timezone: "Europe/Berlin" }, response: session })
  })),
  HttpApiEndpoint.post("login", "/v1/auth/login", {
    payload: LoginPayload,
    success: SessionResponse,
    error: [Unauthorized, TooManyRequests]
  }).annotateMerge(OpenApi.annotations({
    summary: "Log in",
    description: "Failed attempts are limited per account and per address.",
    transform: examples({ request: credentials, response: session })
  })),
  HttpApiEndpoint.post("refresh", "/v1/auth/refresh", {
    payload: RefreshPayload,
    success: TokenResponse,
    error: [Unauthorized, TooManyRequests]
  }).annotateMerge(OpenApi.annotations({
    summary: "Exchange a refresh token for new tokens",
    description: "A refresh token works once. Using one a second time ends the whole session, because one of the two users of it stole it.",
    transform: examples({ request: refreshRequest, response: issued })
  })),
  HttpApiEndpoint.post("logout", "/v1/auth/logout", {
    payload: RefreshPayload,
    success: LogoutResponse,
    error: [BadRequest, Unauthorized, TooManyRequests]
  }).annotateMerge(OpenApi.annotations({
    summary: "Log out",
    description: "Ends the session of this refresh token: neither it nor the access tokens that came with it work any more.",
    transform: examples({ request: refreshRequest, response: { message: "Successfully logged out" } })
  })),
  HttpApiEndpoint.get("me", "/v1/auth/me", { success: User })
    .middleware(Authorization)
    .annotateMerge(OpenApi.annotations({
      summary: "The caller's account",
      description: "Who the token belongs to: name, address, time zone and personal organization.",
      transform: examples({ response: account })
    }))
).annotateMerge(OpenApi.annotations({ title: "Accounts", description: "Registration, login, tokens." })) {}
