/** The task API: submitting, looking after, cleaning up. */
import { Layer } from "effect"
import { BackgroundTasks } from "../background/BackgroundTasks.ts"
import { DeadLetters } from "../background/DeadLetters.ts"
import { KnownKinds } from "../background/KnownKinds.ts"
import { QueueAdministration } from "../background/QueueAdministration.ts"
import { TaskCancellation } from "../background/TaskCancellation.ts"
import { TaskSubmissions } from "../background/TaskSubmissions.ts"
import { IdempotencyRepo } from "../idempotency/IdempotencyRepo.ts"
import { InsightRepo } from "../insights/InsightRepo.ts"
import { CleanupOutcomeLive } from "../jobs/CleanupOutcome.ts"
import { TableSweeps } from "../jobs/TableSweeps.ts"
import { NotificationRepo } from "../notifications/NotificationRepo.ts"
import { TaskCleanup } from "../queue/TaskCleanup.ts"
import { SecurityEventRepo } from "../security/SecurityEventRepo.ts"
import { InvitationRepo } from "../teams/InvitationRepo.ts"

export const BackgroundLive = Layer.mergeAll(
  TaskSubmissions.layer, BackgroundTasks.layer, DeadLetters.layer, TaskCancellation.layer, QueueAdministration.layer,
  Layer.provide(CleanupOutcomeLive, TableSweeps.layer)
).pipe(
  Layer.provide([KnownKinds.layer, InsightRepo.layer, NotificationRepo.layer, InvitationRepo.layer, IdempotencyRepo.layer, SecurityEventRepo.layer]),
  Layer.provideMerge(TaskCleanup.layer)
)
