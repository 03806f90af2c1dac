/** What a person sees and decides of their own account, in the REST and the RPC contract. */
import { ApiTokenId, FamilyId } from "@englog/domain/Ids"
import { Locale, WeekStart } from "@englog/domain/users/Preferences"
import { TimeZone } from "@englog/domain/users/TimeZone"
import { WorkingHours, WorkingHoursRequest } from "@englog/domain/users/WorkingHours"
import { User } from "@englog/domain/users/User"
import { Effect, Schema } from "effect"
import { Email } from "./AuthApi.ts"
import { Page } from "./Page.ts"
import { PlainText, TrimmedText } from "./PlainText.ts"
import { readOnlyFields } from "./ReadOnlyFields.ts"
import { TokenScope } from "./RequiredScope.ts"
import { Instant } from "./Times.ts"

const ignored = readOnlyFields.id

/** Whoever asks for something that cannot be undone shows that it is them. */
const password = Schema.RedactedFromValue(PlainText({ min: 1, max: 1000 }))

/** As PlainText of a registration: what is set has to keep to it. */
export const NewPassword = PlainText({ min: 8, max: 200 })

const settings = {
  locale: Locale.annotate({ default: "en" }).pipe(Schema.withDecodingDefaultKey(Effect.succeed("en"))),
  week_start: WeekStart.annotate({ default: "monday" }).pipe(Schema.withDecodingDefaultKey(Effect.succeed("monday" as const))),
  email_report_ready: Schema.Boolean.annotate({ default: false, description: "An e-mail whenever an insight or report that you asked for is ready." }).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(false))
  ),
  weekly_report: Schema.Boolean.annotate({ default: true, description: "Every Monday a report about the week before, by e-mail, too." }).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(true))
  ),
  team_notifications: Schema.Boolean.annotate({ default: true, description: "What those who lead your teams tell all members, among your notifications." }).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(true))
  ),
  email_team_notifications: Schema.Boolean.annotate({ default: true, description: "What administrators of your teams tell all members by e-mail." }).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(true))
  ),
  working_hours: Schema.NullOr(WorkingHoursRequest).annotate({ default: null, description: "By weekday; analytics tell what lies outside of them." }).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(null))
  )
}

const decided = {
  locale: Schema.String,
  week_start: WeekStart,
  email_report_ready: Schema.Boolean,
  weekly_report: Schema.Boolean,
  team_notifications: Schema.Boolean,
  email_team_notifications: Schema.Boolean,
  working_hours: Schema.NullOr(WorkingHours)
}

/** What the account holds besides its zone. */
export const Settings = Schema.Struct(settings).annotate({ identifier: "Settings" })
export type Settings = typeof Settings.Type

export const PreferencesRequest = Schema.Struct({ timezone: TimeZone, ...settings, etag: ignored }).annotate({ identifier: "PreferencesRequest" })
export type PreferencesRequest = typeof PreferencesRequest.Type

export const Preferences = Schema.Struct({ timezone: Schema.String, ...decided, etag: Schema.String }).annotate({
  identifier: "Preferences"
})
export type Preferences = typeof Preferences.Type

export class Profile extends Schema.Class<Profile>("Profile")({
  ...User.fields,
  preferences: Schema.Struct(decided),
  /** Changes with whatever else is shown here. */
  etag: Schema.String
}) {}

export const ProfileRequest = Schema.Struct({
  first_name: TrimmedText({ min: 1, max: 100 }),
  last_name: TrimmedText({ min: 1, max: 100 }),
  timezone: Schema.optionalKey(TimeZone).pipe(Schema.annotateKey({ description: "Stays as it is where it is left out." })),
  preferences: Schema.optionalKey(Settings).pipe(Schema.annotateKey({ description: "Stay as they are where they are left out." })),
  id: ignored,
  email: ignored,
  organization_id: ignored,
  is_admin: ignored,
  last_login_at: ignored,
  created_at: ignored,
  updated_at: ignored,
  etag: ignored
}).annotate({ identifier: "ProfileRequest" })
export type ProfileRequest = typeof ProfileRequest.Type

export const PasswordRequest = Schema.Struct({
  current_password: password,
  new_password: Schema.RedactedFromValue(NewPassword)
}).annotate({ identifier: "PasswordRequest" })
export type PasswordRequest = typeof PasswordRequest.Type

export const EmailRequest = Schema.Struct({ email: Email, password }).annotate({ identifier: "EmailRequest" })
export type EmailRequest = typeof EmailRequest.Type

const emailChange = {
  /** The new address. */
  email: Schema.String,
  requested_at: Schema.DateTimeUtcFromString,
  expires_at: Schema.DateTimeUtcFromString
}

/** One that is not confirmed yet. */
export class EmailChange extends Schema.Class<EmailChange>("EmailChange")(emailChange) {}

/** `token` is null where it went to the new address by e-mail. */
export class NewEmailChange extends Schema.Class<NewEmailChange>("NewEmailChange")({ ...emailChange, token: Schema.NullOr(Schema.String) }) {}

export const EmailToken = Schema.Struct({ token: PlainText({ min: 1, max: 200 }) }).annotate({ identifier: "EmailToken" })

export class LoginSession extends Schema.Class<LoginSession>("LoginSession")({
  id: FamilyId,
  /** Whether it is the one that asks. */
  current: Schema.Boolean,
  created_at: Schema.DateTimeUtcFromString,
  /** When its tokens were last renewed. */
  last_used_at: Schema.DateTimeUtcFromString,
  expires_at: Schema.DateTimeUtcFromString,
  /** Of the login: an IPv4 address, or the /64 of an IPv6 address. */
  address: Schema.NullOr(Schema.String),
  user_agent: Schema.NullOr(Schema.String)
}) {}

export const LoginSessionPage = Page(LoginSession).annotate({ identifier: "LoginSessionPage" })

export const RevokedSessions = Schema.Struct({ revoked: Schema.Int }).annotate({ identifier: "RevokedSessions" })

/** Of one account. */
export const MAX_TOKENS = 50
export const MAX_TOKEN_DAYS = 366
const DEFAULT_TOKEN_DAYS = 90

export const ApiTokenRequest = Schema.Struct({
  name: TrimmedText({ min: 1, max: 100 }),
  scopes: Schema.Array(TokenScope).check(Schema.makeFilter<ReadonlyArray<string>>(
    (scopes) => scopes.length === 0 ? "must name one scope at least" : new Set(scopes).size < scopes.length ? "must name each scope once" : undefined,
    { expected: "one scope at least, each once", toJsonSchema: () => [{ minItems: 1, maxItems: TokenScope.literals.length, uniqueItems: true }, true] }
  )),
  expires_in_days: Schema.Int.check(
    Schema.isBetween({ minimum: 1, maximum: MAX_TOKEN_DAYS }, { expected: `a whole number from 1 to ${MAX_TOKEN_DAYS}` })
  ).annotate({ default: DEFAULT_TOKEN_DAYS }).pipe(Schema.withDecodingDefaultKey(Effect.succeed(DEFAULT_TOKEN_DAYS)))
}).annotate({ identifier: "ApiTokenRequest" })
export type ApiTokenRequest = typeof ApiTokenRequest.Type

const token = {
  id: ApiTokenId,
  name: Schema.String,
  scopes: Schema.Array(TokenScope),
  created_at: Schema.DateTimeUtcFromString,
  expires_at: Schema.DateTimeUtcFromString,
  /** To the hour. */
  last_used_at: Schema.NullOr(Schema.DateTimeUtcFromString)
}

export class ApiToken extends Schema.Class<ApiToken>("ApiToken")(token) {}

/** With the token itself, which is told this once. */
export class NewApiToken extends Schema.Class<NewApiToken>("NewApiToken")({ ...token, token: Schema.String }) {}

export const ApiTokenPage = Page(ApiToken).annotate({ identifier: "ApiTokenPage" })

export const PasswordProof = Schema.Struct({ password }).annotate({ identifier: "PasswordProof" })
export type PasswordProof = typeof PasswordProof.Type

export const DeletionRequest = Schema.Struct({
  password,
  delete_after: Instant.annotate({ description: "Within a year from now. The account goes in the first night after it." })
}).annotate({ identifier: "DeletionRequest" })
export type DeletionRequest = typeof DeletionRequest.Type

export class ScheduledDeletion extends Schema.Class<ScheduledDeletion>("ScheduledDeletion")({
  requested_at: Schema.DateTimeUtcFromString,
  delete_after: Schema.DateTimeUtcFromString
}) {}

/** One record of the export: the section it belongs to, and the record. */
export const ExportRecord = Schema.Struct({ section: Schema.String, record: Schema.Json }).annotate({ identifier: "ExportRecord" })
export type ExportRecord = typeof ExportRecord.Type
