/** The engine, assembled: storage, claims, outcomes, events, submission. Knows no kind and no worker. */
import { Layer } from "effect"
import { Backpressure } from "./Backpressure.ts"
import { ClaimRepo } from "./ClaimRepo.ts"
import { DueTasksLive } from "./DueTasks.ts"
import { EventFeed } from "./EventFeed.ts"
import { HandOff } from "./HandOff.ts"
import { LeaseBook } from "./LeaseBook.ts"
import { LeaseRepo } from "./LeaseRepo.ts"
import { OutcomeRepo } from "./OutcomeRepo.ts"
import { QueueSettings } from "./QueueSettings.ts"
import { TaskEndings } from "./TaskEndings.ts"
import { TaskKinds } from "./TaskKinds.ts"
import { TaskNumbers } from "./TaskNumbers.ts"
import { TaskOutcomes } from "./TaskOutcomes.ts"
import { TaskQueue } from "./TaskQueue.ts"
import { TaskRepo } from "./TaskRepo.ts"
import { TaskText } from "./TaskText.ts"
import { Wakeups } from "./Wakeups.ts"

export const Engine = Layer.mergeAll(EventFeed.layer, TaskQueue.layer, TaskOutcomes.layer, DueTasksLive).pipe(
  Layer.provideMerge(Layer.mergeAll(ClaimRepo.layer, Backpressure.layer)),
  Layer.provideMerge(Layer.mergeAll(TaskRepo.layer, LeaseRepo.layer, OutcomeRepo.layer, QueueSettings.layer)),
  Layer.provideMerge(Layer.mergeAll(TaskText.layer, TaskKinds.layer, Wakeups.layer, TaskNumbers.layer, LeaseBook.layer, HandOff.layer, TaskEndings.layer))
)
