/**
 * A whole worker as one layer. A program outside this project brings its own handlers: `Worker.layer([...builtIn, mine])`.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { type Effect, Layer } from "effect"
import { ApiLink } from "./ApiLink.ts"
import { AttemptLedger } from "./AttemptLedger.ts"
import { cleanup } from "./handlers/Cleanup.ts"
import { insightGeneration } from "./handlers/InsightGeneration.ts"
import type { TaskHandler } from "./handlers/TaskHandler.ts"
import { TaskHandlers } from "./handlers/TaskHandlers.ts"
import { weeklyReport } from "./handlers/WeeklyReport.ts"
import * as Health from "./Health.ts"
import { InsightWriter } from "./llm/InsightWriter.ts"
import { ModelChoice } from "./llm/ModelChoice.ts"
import { Outbox } from "./Outbox.ts"
import { ProcessUsage } from "./ProcessUsage.ts"
import { WorkerSupervisor } from "./WorkerSupervisor.ts"

/** The handlers of this project. */
export const builtIn = [insightGeneration, weeklyReport, cleanup]

/** Needs AppConfig. Stops by draining: see WorkerSupervisor. */
export const layer = <E, R>(handlers: ReadonlyArray<Effect.Effect<TaskHandler, E, R>>) =>
  Layer.merge(Health.layer, WorkerSupervisor.layer).pipe(
    Layer.provide(ApiLink.layer),
    Layer.provide(Outbox.layer),
    Layer.provide(TaskHandlers.layer(handlers)),
    Layer.provide(InsightWriter.layer),
    Layer.provide(Layer.mergeAll(AttemptLedger.layer, ProcessUsage.layer, ModelChoice.layer, NodeFileSystem.layer))
  )
