/**
 * Everything EngLog says by e-mail, as data: what a template is given, and nothing of how it looks. Text that people chose
 * stands in fields of its own; what becomes of it is up to Rendering.
 */
import { Schema } from "effect"

const Text = Schema.String
const Day = Schema.String
/** Absolute; null where nobody has told the server its public address. */
const Link = Schema.NullOr(Schema.String)

const Report = {
  first_name: Text,
  /** Local days, both included. */
  period_start: Day,
  period_end: Day,
  /** Markdown, as it is shown with the insight. */
  content: Text,
  url: Link
}

export const Welcome = Schema.Struct({ template: Schema.Literal("welcome"), first_name: Text, url: Link })
export const TeamInvitationMail = Schema.Struct({
  template: Schema.Literal("team_invitation"),
  team: Text,
  inviter: Text,
  role: Text,
  /** The secret that lets its holder join. */
  token: Text,
  expires_at: Schema.DateTimeUtcFromString,
  url: Link
})
export const ReportReady = Schema.Struct({ template: Schema.Literal("report_ready"), title: Text, ...Report })
export const WeeklyReportMail = Schema.Struct({ template: Schema.Literal("weekly_report"), ...Report })
export const DeletionScheduled = Schema.Struct({
  template: Schema.Literal("deletion_scheduled"),
  first_name: Text,
  delete_after: Schema.DateTimeUtcFromString,
  url: Link
})
export const PasswordChanged = Schema.Struct({
  template: Schema.Literal("password_changed"),
  first_name: Text,
  at: Schema.DateTimeUtcFromString
})
/** To the address that is to be the account's. */
export const EmailChangeMail = Schema.Struct({
  template: Schema.Literal("email_change"),
  /** The secret that confirms the address. */
  token: Text,
  expires_at: Schema.DateTimeUtcFromString,
  url: Link
})
/** To the address that the account has. */
export const EmailChangeRequested = Schema.Struct({
  template: Schema.Literal("email_change_requested"),
  first_name: Text,
  /** The new one. */
  email: Text,
  expires_at: Schema.DateTimeUtcFromString,
  url: Link
})
/** To the address that the account had. */
export const EmailChanged = Schema.Struct({
  template: Schema.Literal("email_changed"),
  first_name: Text,
  /** The new one. */
  email: Text,
  at: Schema.DateTimeUtcFromString
})
/** What somebody had themselves told; see Notification. */
export const NotificationMail = Schema.Struct({ template: Schema.Literal("notification"), first_name: Text, title: Text, body: Schema.NullOr(Text), url: Link })
/** What an administrator of a team tells its members. */
export const TeamNotificationMail = Schema.Struct({
  template: Schema.Literal("team_notification"),
  first_name: Text,
  team: Text,
  sender: Text,
  title: Text,
  body: Schema.NullOr(Text),
  url: Link
})
export const TestMail = Schema.Struct({ template: Schema.Literal("test"), at: Schema.DateTimeUtcFromString })

export const Mail = Schema.Union([
  Welcome, TeamInvitationMail, ReportReady, WeeklyReportMail, DeletionScheduled, PasswordChanged, EmailChangeMail, EmailChangeRequested, EmailChanged,
  NotificationMail, TeamNotificationMail, TestMail
])
export type Mail = typeof Mail.Type

export const MailTemplate = Schema.Literals([
  "welcome", "team_invitation", "report_ready", "weekly_report", "deletion_scheduled", "password_changed", "email_change",
  "email_change_requested", "email_changed", "notification", "team_notification", "test"
])
export type MailTemplate = Mail["template"]

/** The preference that lets its owner have no more of these by one click; of the others, none: they concern the account. */
export const preferenceOf = (template: MailTemplate): MailPreference | undefined => {
  switch (template) {
    case "report_ready":
      return "email_report_ready"
    case "weekly_report":
      return "weekly_report"
    case "team_notification":
      return "email_team_notifications"
  }
}

/** Links to unsubscribe name one by its place: new ones come last. */
export const MailPreference = Schema.Literals(["email_report_ready", "weekly_report", "email_team_notifications"])
export type MailPreference = typeof MailPreference.Type
