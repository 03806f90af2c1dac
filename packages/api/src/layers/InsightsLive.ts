/** Insights: asked for, narrated, kept, verified. */
import { Layer } from "effect"
import { WorkingHoursRepo } from "../analytics/WorkingHoursRepo.ts"
import { InsightGenerator } from "../insights/InsightGenerator.ts"
import { InsightRepo } from "../insights/InsightRepo.ts"
import { Insights } from "../insights/Insights.ts"
import { InsightTasks } from "../insights/InsightTasks.ts"
import { InsightVerification } from "../insights/InsightVerification.ts"
import { NarrationOutcomesLive } from "../insights/NarrationOutcomes.ts"
import { Questions } from "../insights/Questions.ts"

export const InsightsLive = Layer.mergeAll(Insights.layer, InsightGenerator.layer, InsightVerification.layer, NarrationOutcomesLive).pipe(
  Layer.provideMerge(InsightTasks.layer),
  Layer.provide([Questions.layer, InsightRepo.layer]),
  Layer.provide(WorkingHoursRepo.layer)
)
