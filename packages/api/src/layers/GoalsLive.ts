/** Goals and their progress. */
import { Layer } from "effect"
import { GoalProgress } from "../goals/GoalProgress.ts"
import { GoalRepo } from "../goals/GoalRepo.ts"
import { Goals } from "../goals/Goals.ts"

export const GoalsLive = Goals.layer.pipe(Layer.provideMerge(GoalProgress.layer), Layer.provide(GoalRepo.layer))
