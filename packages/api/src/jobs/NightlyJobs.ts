/** Every nightly job there is (seed 004, "Daily Cleanup"). */
import { DateTime, Effect } from "effect"
import { EmailChangeRepo } from "../account/EmailChangeRepo.ts"
import { Leaving } from "../account/Leaving.ts"
import { ApiTokenRepo } from "../auth/ApiTokenRepo.ts"
import { SessionRepo } from "../auth/SessionRepo.ts"
import { UploadRepo } from "../documents/UploadRepo.ts"
import { PdfRepo } from "../exports/PdfRepo.ts"
import { IdempotencyRepo } from "../idempotency/IdempotencyRepo.ts"
import { InsightRepo } from "../insights/InsightRepo.ts"
import { WeeklyReports } from "../insights/WeeklyReports.ts"
import { MailRepo } from "../mail/MailRepo.ts"
import { NotificationRepo } from "../notifications/NotificationRepo.ts"
import { TaskCleanup } from "../queue/TaskCleanup.ts"
import type { NightlyJob } from "../replicas/Jobs.ts"
import { SecurityEventRepo } from "../security/SecurityEventRepo.ts"
import { InvitationRepo } from "../teams/InvitationRepo.ts"
import { DeliveryRepo } from "../webhooks/DeliveryRepo.ts"
import { WebhookSecretRepo } from "../webhooks/WebhookSecretRepo.ts"

type Needed =
  | ApiTokenRepo | DeliveryRepo | EmailChangeRepo | IdempotencyRepo | InsightRepo | InvitationRepo | Leaving | MailRepo | NotificationRepo | PdfRepo | SecurityEventRepo
  | SessionRepo | TaskCleanup | UploadRepo | WebhookSecretRepo | WeeklyReports

export const nightlyJobs: ReadonlyArray<NightlyJob<Needed>> = [
  { name: "token-denylist-cleanup", minute: 5, what: "used refresh tokens that have expired", run: SessionRepo.use((sessions) => sessions.removeDenylisted) },
  { name: "session-cleanup", minute: 10, what: "expired sessions", run: SessionRepo.use((sessions) => sessions.removeExpired) },
  { name: "api-token-cleanup", minute: 15, what: "API tokens that expired 30 days ago", run: ApiTokenRepo.use((tokens) => tokens.removeExpired) },
  {
    name: "security-event-cleanup",
    minute: 20,
    what: "security events that are older than 90 days",
    run: SecurityEventRepo.use((events) => Effect.andThen(events.disownGone, events.removeExpired))
  },
  {
    name: "task-cleanup",
    minute: 30,
    what: "records of tasks whose time is over, by default 30 days after their end",
    run: TaskCleanup.use((cleanup) =>
      Effect.map(cleanup.sweep({ age: "result_ttl" }), ({ cancelled, completed, failed }) => cancelled + completed + failed))
  },
  { name: "review-cleanup", minute: 25, what: "performance reviews that have expired", run: PdfRepo.use((pdfs) => pdfs.removeExpired) },
  { name: "invitation-cleanup", minute: 35, what: "invitations that nobody accepted in time", run: InvitationRepo.use((invitations) => invitations.removeExpired) },
  { name: "email-change-cleanup", minute: 36, what: "new e-mail addresses that nobody confirmed in time", run: EmailChangeRepo.use((changes) => changes.removeExpired) },
  { name: "mail-cleanup", minute: 37, what: "e-mails that are older than 90 days", run: MailRepo.use((mails) => mails.removeOld) },
  { name: "notification-cleanup", minute: 38, what: "notifications that are older than 90 days", run: NotificationRepo.use((notifications) => notifications.removeOld) },
  {
    name: "webhook-cleanup",
    minute: 32,
    what: "webhook messages that ended 30 days ago, and secrets that were replaced",
    run: Effect.gen(function*() {
      return (yield* (yield* DeliveryRepo).removeOld) + (yield* (yield* WebhookSecretRepo).removeExpired)
    })
  },
  {
    name: "upload-cleanup",
    minute: 27,
    what: "uploads that no document took within a day, and what is left of those that were cut off",
    run: UploadRepo.use((uploads) => uploads.removeExpired)
  },
  { name: "idempotency-cleanup", minute: 45, what: "keys of requests that mean nothing any more", run: IdempotencyRepo.use((keys) => keys.removeExpired) },
  { name: "insight-cleanup", minute: 40, what: "insights that are older than six months", run: InsightRepo.use((insights) => insights.removeOld) },
  {
    name: "weekly-reports",
    minute: "quarterly",
    what: "reports of the week before, for whom it is Monday, nine o'clock",
    run: Effect.flatMap(DateTime.now, (now) => WeeklyReports.use((reports) => reports.submitDueAt(now)))
  },
  { name: "scheduled-deletions", minute: 50, what: "accounts whose deletion was due", run: Leaving.use((leaving) => leaving.removeDue) }
]
