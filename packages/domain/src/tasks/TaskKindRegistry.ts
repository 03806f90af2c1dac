/**
 * The kinds of this project. What stands here is known to the API by its public name and checked against its schemas; workers
 * may bring further kinds of their own.
 */
import type { Schema } from "effect"
import { Cleanup } from "./Cleanup.ts"
import { InsightGeneration } from "./InsightGeneration.ts"
import type { TaskKind } from "./TaskKind.ts"
import { WeeklyReport } from "./WeeklyReport.ts"

export type AnyTaskKind = TaskKind<string, Schema.Codec<unknown, unknown>, Schema.Codec<unknown, unknown>>

export const taskKinds: ReadonlyArray<AnyTaskKind> = [InsightGeneration, WeeklyReport, Cleanup]
