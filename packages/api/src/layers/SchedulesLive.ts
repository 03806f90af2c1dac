/** Tasks that recur. */
import { Layer } from "effect"
import { DueSchedules } from "../schedules/DueSchedules.ts"
import { ScheduleRepo } from "../schedules/ScheduleRepo.ts"
import { Schedules } from "../schedules/Schedules.ts"

export const SchedulesLive = Layer.mergeAll(Schedules.layer, DueSchedules.layer).pipe(Layer.provide(ScheduleRepo.layer))
