/**
 * The kinds of this project. What stands here is known to the API by its public name and checked against its schemas; workers
 * may bring further kinds of their own.
 */
import type { Schema } from "effect"
import { Cleanup } from "./Cleanup.ts"
import { EmailNotification } from "./EmailNotification.ts"
import { DataAnalysis } from "./DataAnalysis.ts"
import { DocumentBatch } from "./DocumentBatch.ts"
import { DocumentProcessing } from "./DocumentProcessing.ts"
import { EntryCategorization } from "./EntryCategorization.ts"
import { ExternalSync } from "./ExternalSync.ts"
import { Import } from "./Import.ts"
import { InsightGeneration } from "./InsightGeneration.ts"
import { Notification } from "./Notification.ts"
import { PdfExport } from "./PdfExport.ts"
import { QueryEmbedding } from "./QueryEmbedding.ts"
import type { TaskKind } from "./TaskKind.ts"
import { UpdateUserMetrics } from "./UpdateUserMetrics.ts"
import { WebhookDelivery } from "./WebhookDelivery.ts"
import { WeeklyReport } from "./WeeklyReport.ts"

export type AnyTaskKind = TaskKind<string, Schema.Codec<unknown, unknown>, Schema.Codec<unknown, unknown>>

export const taskKinds: ReadonlyArray<AnyTaskKind> = [
  InsightGeneration, WeeklyReport, EntryCategorization, Cleanup, EmailNotification, DataAnalysis, ExternalSync, Notification, Import,
  DocumentProcessing, DocumentBatch, QueryEmbedding, PdfExport, UpdateUserMetrics, WebhookDelivery
]
