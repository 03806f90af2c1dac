/** Handles UPDATE_USER_METRICS: the API computes when it accepts the outcome; what a worker says about figures, nobody would believe. */
import { UpdateUserMetrics } from "@englog/domain/tasks/UpdateUserMetrics"
import { Effect } from "effect"
import * as TaskHandler from "./TaskHandler.ts"

export const updateUserMetrics = Effect.succeed(TaskHandler.make(UpdateUserMetrics, () => Effect.succeed({})))
