/** What one API server does for all of them: the clock of the schedules, and the jobs of the night. */
import { Effect, Layer } from "effect"
import { EmailChangeRepo } from "../account/EmailChangeRepo.ts"
import { UserMetricsRefresh } from "../analytics/UserMetricsRefresh.ts"
import { AppConfig } from "../AppConfig.ts"
import { UploadRepo } from "../documents/UploadRepo.ts"
import { PdfRepo } from "../exports/PdfRepo.ts"
import { IdempotencyRepo } from "../idempotency/IdempotencyRepo.ts"
import { InsightRepo } from "../insights/InsightRepo.ts"
import { WeeklyReports } from "../insights/WeeklyReports.ts"
import { nightlyJobs } from "../jobs/NightlyJobs.ts"
import { NotificationRepo } from "../notifications/NotificationRepo.ts"
import { Jobs } from "../replicas/Jobs.ts"
import { nightly } from "../replicas/Nightly.ts"
import { replicated } from "../replicas/Replicas.ts"
import { RunnerConfig } from "../replicas/RunnerConfig.ts"
import { ScheduleClock } from "../schedules/ScheduleClock.ts"
import { SecurityEventRepo } from "../security/SecurityEventRepo.ts"
import { InvitationRepo } from "../teams/InvitationRepo.ts"
import { DeliveryRepo } from "../webhooks/DeliveryRepo.ts"
import { WebhookSecretRepo } from "../webhooks/WebhookSecretRepo.ts"

export const CommonWork = replicated(Layer.mergeAll(ScheduleClock, UserMetricsRefresh.clock, nightly(nightlyJobs))).pipe(
  Layer.provideMerge(Layer.provide(Jobs.layer(nightlyJobs), [
    SecurityEventRepo.layer, EmailChangeRepo.layer, InsightRepo.layer, InvitationRepo.layer, IdempotencyRepo.layer, NotificationRepo.layer,
    PdfRepo.layer, UploadRepo.layer, WeeklyReports.layer, DeliveryRepo.layer, WebhookSecretRepo.layer
  ])),
  Layer.provide([
    Layer.effect(RunnerConfig, Effect.map(AppConfig, ({ runner }) => RunnerConfig.of(runner)))
  ])
)
