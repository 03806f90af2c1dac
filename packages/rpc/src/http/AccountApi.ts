/**
 * A person's own account (seed 004, `/v1/users`): profile, preferences, password, sessions, API tokens, and what the GDPR gives them:
 * a copy of their data (articles 15 and 20) and its removal (article 17).
 */
import { ApiTokenId, FamilyId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import * as Example from "./AccountExamples.ts"
import {
  ApiTokenPage, ApiTokenRequest, DeletionRequest, EmailChange, EmailRequest, EmailToken, LoginSessionPage, NewEmailChange, NewApiToken, PasswordProof, PasswordRequest, Preferences,
  PreferencesRequest, Profile, ProfileRequest, RevokedSessions, ScheduledDeletion
} from "./AccountView.ts"
import { Authorization } from "./Authorization.ts"
import { ifMatch, ifNoneMatch, unlessKnown, withEtagHeader } from "./EntityTags.ts"
import { examples } from "./Examples.ts"
import { BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed } from "./HttpErrors.ts"
import { accountRequest } from "./ImportExamples.ts"
import { pageQuery } from "./Page.ts"
import { RequiredScope } from "./RequiredScope.ts"

const inPerson = "An API token may not do this."

export class AccountApi extends HttpApiGroup.make("account").add(
  HttpApiEndpoint.get("profile", "/v1/users/profile", { headers: ifNoneMatch, success: unlessKnown(Profile) })
    .annotateMerge(OpenApi.annotations({
      summary: "Your profile",
      description: "Name, address, time zone and when you were here last.",
      transform: examples({ response: Example.profile })
    })),
  HttpApiEndpoint.put("updateProfile", "/v1/users/profile", {
    headers: ifMatch,
    payload: ProfileRequest,
    success: withEtagHeader(Profile),
    error: PreconditionFailed
  }).annotateMerge(OpenApi.annotations({
    summary: "Change your profile",
    description: "The read-only fields of the representation are ignored.",
    transform: examples({ request: Example.profileRequest, response: Example.profile })
  })),
  HttpApiEndpoint.get("preferences", "/v1/users/preferences", { headers: ifNoneMatch, success: unlessKnown(Preferences) })
    .annotateMerge(OpenApi.annotations({
      summary: "Your preferences",
      description: "What you have set, with the defaults of what you have not.",
      transform: examples({ response: Example.preferences })
    })),
  HttpApiEndpoint.put("updatePreferences", "/v1/users/preferences", {
    headers: ifMatch,
    payload: PreferencesRequest,
    success: withEtagHeader(Preferences),
    error: PreconditionFailed
  }).annotateMerge(OpenApi.annotations({
    summary: "Change your preferences",
    description: "`timezone` is a name of the IANA database, `locale` a BCP 47 tag, `working_hours` intervals of each weekday in that zone, in order and "
      + "without overlap. What is left out takes its default.",
    transform: examples({ request: Example.preferencesRequest, response: Example.preferences })
  })),
  HttpApiEndpoint.put("changePassword", "/v1/users/password", {
    payload: PasswordRequest,
    success: HttpApiSchema.NoContent,
    error: Forbidden
  }).annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
    summary: "Change your password",
    description: `All other sessions end. Wrong passwords count as failed logins do. ${inPerson}`,
    transform: examples({ request: Example.passwordChange })
  })),
  HttpApiEndpoint.put("requestEmailChange", "/v1/users/email", { payload: EmailRequest, success: NewEmailChange, error: [BadRequest, Forbidden] })
    .annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
      summary: "Ask for another e-mail address",
      description: "A token goes to the new address by e-mail and a notice to the old one. It works once, for 24 hours, and replaces an earlier one; until "
        + "then nothing changes. Where the server cannot send e-mail at all, no address is proved at registration either, and the answer has the `token`. "
        + `Whether the new address has an account is not told. Wrong passwords count as failed logins do. ${inPerson}`,
      transform: examples({ request: Example.emailRequest, response: { ...Example.emailChange, token: null } })
    })),
  HttpApiEndpoint.get("emailChange", "/v1/users/email", { success: EmailChange, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "The e-mail address that you have asked for",
      description: "404 where none waits for its confirmation.",
      transform: examples({ response: Example.emailChange })
    })),
  HttpApiEndpoint.delete("withdrawEmailChange", "/v1/users/email", { success: HttpApiSchema.NoContent, error: NotFound })
    .annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
      summary: "Keep your e-mail address after all",
      description: `A change of the password does the same. ${inPerson}`
    })),
  HttpApiEndpoint.post("confirmEmailChange", "/v1/users/email/confirm", {
    payload: EmailToken,
    success: withEtagHeader(Profile),
    error: [Conflict, Forbidden, NotFound]
  }).annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
    summary: "Confirm your new e-mail address",
    description: "From then on you log in with it. All other sessions end, API tokens stay, and the old address gets a notice. 409 where another account has "
      + `the address by now. ${inPerson}`,
    transform: examples({ request: Example.emailToken, response: { ...Example.profile, email: Example.emailRequest.email } })
  })),
  HttpApiEndpoint.get("sessions", "/v1/users/sessions", { query: pageQuery, success: LoginSessionPage, error: BadRequest })
    .annotateMerge(OpenApi.annotations({
      summary: "List where you are logged in, newest first",
      description: "One for each login that has not ended, with where it came from; `current` is the one that asks.",
      transform: examples({ response: { items: [Example.session], next_cursor: null } })
    })),
  HttpApiEndpoint.delete("revokeSession", "/v1/users/sessions/:id", { params: { id: FamilyId }, success: HttpApiSchema.NoContent, error: NotFound })
    .annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
      summary: "End a session",
      description: `Its tokens work no more, at the latest three seconds later. ${inPerson}`
    })),
  HttpApiEndpoint.delete("revokeSessions", "/v1/users/sessions", { success: RevokedSessions })
    .annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
      summary: "End all other sessions",
      description: `The one that asks stays. ${inPerson}`,
      transform: examples({ response: { revoked: 2 } })
    })),
  HttpApiEndpoint.post("createToken", "/v1/users/tokens", {
    payload: ApiTokenRequest,
    success: HttpApiSchema.WithHeaders(NewApiToken.pipe(HttpApiSchema.status(201)), { location: Schema.String }),
    error: [Forbidden, Conflict]
  }).annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
    summary: "Make an API token",
    description: "`token` is told this once. It is sent as `Authorization: Bearer <token>` over REST and RPC. Scopes: `read` and `write` for "
      + "your records, `background` for tasks under `/api/background` and schedules, `admin` for what administrators do. "
      + `Each token has a limit of requests of its own. ${inPerson}`,
    transform: examples({ request: Example.tokenRequest, response: Example.newToken })
  })),
  HttpApiEndpoint.get("tokens", "/v1/users/tokens", { query: pageQuery, success: ApiTokenPage, error: BadRequest })
    .annotateMerge(OpenApi.annotations({
      summary: "List your API tokens, newest first",
      description: "Expired ones too, for 30 days.",
      transform: examples({ response: { items: [Example.token], next_cursor: null } })
    })),
  HttpApiEndpoint.delete("revokeToken", "/v1/users/tokens/:id", { params: { id: ApiTokenId }, success: HttpApiSchema.NoContent, error: NotFound })
    .annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
      summary: "Revoke an API token",
      description: `It works no more, at the latest three seconds later. ${inPerson}`
    })),
  HttpApiEndpoint.get("export", "/v1/users/export", {
    success: HttpApiSchema.WithHeaders(HttpApiSchema.StreamUint8Array({ contentType: "application/json" }), {
      "content-disposition": Schema.String
    })
  }).annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
    summary: "Everything that is stored about you",
    description: "One JSON object with its `version` and a list per kind of record, written while it is read; `/v1/import/account` takes it. Secrets are left out. An answer that ends "
      + `before its last brace was cut short. ${inPerson}`,
    transform: examples({ response: accountRequest, streams: "AccountDocument" })
  })),
  HttpApiEndpoint.post("anonymize", "/v1/users/anonymize", { payload: PasswordProof, success: HttpApiSchema.NoContent, error: Forbidden })
    .annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
      summary: "Delete your account, and leave your figures",
      description: "Times, types and ratings of your entries stay under an account that is nobody's, without titles, texts and own tags; "
        + `everything else goes. It cannot be undone. ${inPerson}`,
      transform: examples({ request: Example.proof })
    })),
  HttpApiEndpoint.post("remove", "/v1/users/delete", { payload: PasswordProof, success: HttpApiSchema.NoContent, error: Forbidden })
    .annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
      summary: "Delete your account now",
      description: `With everything that is yours. Projects of shared organizations pass to another administrator. It cannot be undone. ${inPerson}`,
      transform: examples({ request: Example.proof })
    })),
  HttpApiEndpoint.put("scheduleDeletion", "/v1/users/deletion", {
    payload: DeletionRequest,
    success: ScheduledDeletion,
    error: [BadRequest, Forbidden]
  }).annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({
    summary: "Delete your account later",
    description: `Until then everything works as before, and it can be undone. ${inPerson}`,
    transform: examples({ request: Example.deletionRequest, response: Example.deletion })
  })),
  HttpApiEndpoint.get("deletion", "/v1/users/deletion", { success: ScheduledDeletion, error: NotFound })
    .annotateMerge(OpenApi.annotations({
      summary: "When your account goes",
      description: "404 where no deletion is scheduled.",
      transform: examples({ response: Example.deletion })
    })),
  HttpApiEndpoint.delete("cancelDeletion", "/v1/users/deletion", { success: HttpApiSchema.NoContent, error: NotFound })
    .annotate(RequiredScope, "person").annotateMerge(OpenApi.annotations({ summary: "Keep your account after all", description: inPerson }))
).middleware(Authorization).annotateMerge(OpenApi.annotations({
  title: "Your account",
  description: "Profile, preferences, password, sessions, API tokens, export and removal."
})) {}
