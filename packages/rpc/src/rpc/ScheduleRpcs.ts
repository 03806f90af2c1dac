/** Recurring tasks over RPC; see SchedulesApi. */
import { ScheduleId } from "@englog/domain/Ids"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { RequiredScope } from "../http/RequiredScope.ts"
import { SchedulePage, ScheduleRequest, ScheduleView } from "../http/SchedulesApi.ts"
import { StartsTask } from "../http/StartsTask.ts"
import { TaskAccepted } from "../http/TaskView.ts"
import { RpcAuthorization } from "./RpcAuthorization.ts"
import { RpcFailure } from "./RpcFailure.ts"

const error = RpcFailure
const schedule = { id: ScheduleId }
const PageSize = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 }, { expected: "a whole number from 1 to 200" }))

export class ScheduleRpcs extends RpcGroup.make(
  Rpc.make("CreateSchedule", { payload: ScheduleRequest, success: ScheduleView, error }),
  Rpc.make("ListSchedules", {
    payload: { limit: Schema.optionalKey(PageSize), cursor: Schema.optionalKey(Schema.String) },
    success: SchedulePage,
    error
  }),
  Rpc.make("GetSchedule", { payload: schedule, success: ScheduleView, error }),
  Rpc.make("UpdateSchedule", { payload: { ...schedule, schedule: ScheduleRequest }, success: ScheduleView, error }),
  Rpc.make("DeleteSchedule", { payload: schedule, error }),
  Rpc.make("PauseSchedule", { payload: schedule, success: ScheduleView, error }),
  Rpc.make("ResumeSchedule", { payload: schedule, success: ScheduleView, error }),
  Rpc.make("RunSchedule", { payload: schedule, success: TaskAccepted, error }).annotate(StartsTask, true)
).annotateRpcs(RequiredScope, "background").middleware(RpcAuthorization) {}
