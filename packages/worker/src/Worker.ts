/**
 * A whole worker as one layer. A program outside this project brings its own handlers: `Worker.layer([...builtIn, mine])`.
 */
import { NodeServices } from "@effect/platform-node"
import { type Effect, Layer } from "effect"
import { ApiLink } from "./ApiLink.ts"
import { AttemptLedger } from "./AttemptLedger.ts"
import { cleanup } from "./handlers/Cleanup.ts"
import { dataAnalysis } from "./handlers/DataAnalysis.ts"
import { DocumentReader } from "./documents/DocumentReader.ts"
import { documentBatch } from "./handlers/DocumentBatch.ts"
import { documentProcessing } from "./handlers/DocumentProcessing.ts"
import { entryCategorization } from "./handlers/EntryCategorization.ts"
import { externalSync } from "./handlers/ExternalSync.ts"
import { importing } from "./handlers/Import.ts"
import { insightGeneration } from "./handlers/InsightGeneration.ts"
import { notification } from "./handlers/Notification.ts"
import { pdfExport } from "./handlers/PdfExport.ts"
import { queryEmbedding } from "./handlers/QueryEmbedding.ts"
import type { TaskHandler } from "./handlers/TaskHandler.ts"
import { TaskHandlers } from "./handlers/TaskHandlers.ts"
import { updateUserMetrics } from "./handlers/UpdateUserMetrics.ts"
import { webhookDelivery } from "./handlers/WebhookDelivery.ts"
import { weeklyReport } from "./handlers/WeeklyReport.ts"
import * as Health from "./Health.ts"
import { GitRepositories } from "./import/git/GitRepositories.ts"
import { importSources } from "./import/ImportSources.ts"
import { Categorizer } from "./llm/Categorizer.ts"
import { EmbeddingModel } from "./llm/EmbeddingModel.ts"
import { InsightWriter } from "./llm/InsightWriter.ts"
import { ModelCalls } from "./llm/ModelCalls.ts"
import { ModelChoice } from "./llm/ModelChoice.ts"
import { Outbox } from "./Outbox.ts"
import { ProcessUsage } from "./ProcessUsage.ts"
import { GuardedFetch } from "./web/GuardedFetch.ts"
import { N8nFetch } from "./web/N8nFetch.ts"
import { WorkerSupervisor } from "./WorkerSupervisor.ts"

/** What they need, and every worker has. */
export type BuiltInServices = InsightWriter | Categorizer | GuardedFetch | GitRepositories | N8nFetch | EmbeddingModel | DocumentReader

/** The handlers of this project. */
export const builtIn: ReadonlyArray<Effect.Effect<TaskHandler, never, BuiltInServices>> = [
  insightGeneration, weeklyReport, entryCategorization, cleanup, dataAnalysis, externalSync, notification, importing(importSources),
  documentProcessing, documentBatch, queryEmbedding, pdfExport, updateUserMetrics, webhookDelivery
]

/** Needs AppConfig. Stops by draining: see WorkerSupervisor. */
export const layer = <E, R>(handlers: ReadonlyArray<Effect.Effect<TaskHandler, E, R>>) =>
  Layer.merge(Health.layer, WorkerSupervisor.layer).pipe(
    Layer.provide(ApiLink.layer),
    Layer.provide(Outbox.layer),
    Layer.provide(TaskHandlers.layer(handlers)),
    Layer.provide([InsightWriter.layer, Categorizer.layer, N8nFetch.layer, EmbeddingModel.layer, DocumentReader.layer]),
    Layer.provide([ModelCalls.layer, GuardedFetch.layer, GitRepositories.layer]),
    Layer.provide(Layer.mergeAll(AttemptLedger.layer, ProcessUsage.layer, ModelChoice.layer, NodeServices.layer))
  )
