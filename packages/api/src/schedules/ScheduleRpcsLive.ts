/** RPC of recurring tasks: see ScheduleRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { ScheduleRpcs } from "@englog/rpc/rpc/ScheduleRpcs"
import { Effect } from "effect"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { Schedules } from "./Schedules.ts"
import { QUEUED } from "./SchedulesHttp.ts"

export const ScheduleRpcsLive = ScheduleRpcs.toLayer(Effect.gen(function*() {
  const schedules = yield* Schedules
  return ScheduleRpcs.of({
    CreateSchedule: (request) => CurrentUser.use((user) => orRpcFailure(schedules.create(user, request))),
    ListSchedules: (page) => CurrentUser.use((user) => orRpcFailure(schedules.list(user, page))),
    GetSchedule: ({ id }) => CurrentUser.use((user) => orRpcFailure(schedules.get(user, id))),
    UpdateSchedule: ({ id, schedule }) => CurrentUser.use((user) => orRpcFailure(schedules.update(user, id, schedule))),
    DeleteSchedule: ({ id }) => CurrentUser.use((user) => orRpcFailure(schedules.remove(user, id))),
    PauseSchedule: ({ id }) => CurrentUser.use((user) => orRpcFailure(schedules.setPaused(user, id, true))),
    ResumeSchedule: ({ id }) => CurrentUser.use((user) => orRpcFailure(schedules.setPaused(user, id, false))),
    RunSchedule: ({ id }) =>
      CurrentUser.use((user) => orRpcFailure(schedules.run(user, id))).pipe(Effect.map((task_id) => ({ task_id, message: QUEUED })))
  })
}))
