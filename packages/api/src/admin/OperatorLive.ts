/** What operators' commands need beside the data: the services of the API server, without its loops and its edges. */
import { Effect, Layer } from "effect"
import { AppConfig } from "../AppConfig.ts"
import { DeadLetterReplays } from "../background/DeadLetterReplays.ts"
import { QueueAdministration } from "../background/QueueAdministration.ts"
import { ClusterStatus } from "../cluster/ClusterStatus.ts"
import { WorkerAdministration } from "../cluster/WorkerAdministration.ts"
import { WorkerSessionRepo } from "../cluster/WorkerSessionRepo.ts"
import { Backpressure, QueueLimits } from "../queue/Backpressure.ts"
import { DeadLetterRepo } from "../queue/DeadLetterRepo.ts"
import { HandOff } from "../queue/HandOff.ts"
import { LeaseBook } from "../queue/LeaseBook.ts"
import { QueueSettings } from "../queue/QueueSettings.ts"
import { QueueStatsRepo } from "../queue/QueueStatsRepo.ts"
import { TaskCleanup } from "../queue/TaskCleanup.ts"
import { TaskNumbers } from "../queue/TaskNumbers.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { TaskRepo } from "../queue/TaskRepo.ts"
import { TaskText } from "../queue/TaskText.ts"
import { Wakeups } from "../queue/Wakeups.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"

const queueLimits = Layer.effect(QueueLimits, Effect.map(AppConfig, (config) => config.queueLimits))

const engine = TaskQueue.layer.pipe(
  Layer.provide([Backpressure.layer, TaskNumbers.layer, HandOff.layer, LeaseBook.layer]),
  Layer.provideMerge(Layer.mergeAll(TaskRepo.layer, QueueSettings.layer, QueueStatsRepo.layer)),
  Layer.provideMerge(Layer.mergeAll(TaskText.layer, Wakeups.layer)),
  Layer.provide(queueLimits)
)

export const OperatorLive = Layer.mergeAll(
  Layer.provide(QueueAdministration.layer, TaskCleanup.layer),
  Layer.provideMerge(DeadLetterReplays.layer, DeadLetterRepo.layer),
  Layer.provide(ClusterStatus.layer, WorkerSessionRepo.layer),
  WorkerAdministration.layer
).pipe(
  Layer.provideMerge(SecurityEvents.layer),
  Layer.provide(engine)
)
