/** Figures over days and weeks. */
import { Layer } from "effect"
import { AnalysisOutcomeLive } from "../analytics/AnalysisOutcome.ts"
import { Analytics } from "../analytics/Analytics.ts"
import { RollupRepo } from "../analytics/RollupRepo.ts"
import { Rollups } from "../analytics/Rollups.ts"

export const AnalyticsLive = Layer.mergeAll(Analytics.layer, Layer.provide(AnalysisOutcomeLive, Rollups.layer)).pipe(Layer.provide(RollupRepo.layer))
