/** Schedules for people: those of an organization that the caller belongs to. */
import { ScheduleId, type TaskId } from "@englog/domain/Ids"
import { nextAfter, parse } from "@englog/domain/schedules/Recurrence"
import { publicName } from "@englog/domain/tasks/TaskKind"
import type { CurrentUser } from "@englog/rpc/http/Authorization"
import { BadRequest, Conflict, Forbidden, NotFound, type PayloadTooLarge, type TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { defaultPageSize } from "@englog/rpc/http/Page"
import { type ScheduleRequest, ScheduleView } from "@englog/rpc/http/SchedulesApi"
import { Context, DateTime, Effect, Layer, Option, Result, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { TaskSubmissions } from "../background/TaskSubmissions.ts"
import { decodeCursor, toPage } from "../http/Cursor.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { orConflict, orTooMany } from "../tasks/SubmissionProblem.ts"
import { TaskAccess } from "../tasks/TaskAccess.ts"
import { taskOf } from "./DueSchedules.ts"
import { type NewSchedule, type Schedule, ScheduleRepo } from "./ScheduleRepo.ts"

type Caller = CurrentUser["Service"]
type Refused = BadRequest | Forbidden | NotFound | PayloadTooLarge | SqlError

/** Schedules of one organization. */
export const MAX_SCHEDULES = 1_000

export class Schedules extends Context.Service<Schedules, {
  readonly create: (caller: Caller, request: ScheduleRequest) => Effect.Effect<ScheduleView, Refused | Conflict>
  /** The one with this id, which is made unless it is there. */
  readonly ensure: (caller: Caller, id: ScheduleId, request: ScheduleRequest) => Effect.Effect<ScheduleView, Refused | Conflict>
  readonly list: (
    caller: Caller,
    page: { readonly limit?: number; readonly cursor?: string }
  ) => Effect.Effect<{ readonly items: ReadonlyArray<ScheduleView>; readonly next_cursor: string | null }, BadRequest | SqlError>
  readonly get: (caller: Caller, id: ScheduleId) => Effect.Effect<ScheduleView, NotFound | SqlError>
  readonly update: (caller: Caller, id: ScheduleId, request: ScheduleRequest) => Effect.Effect<ScheduleView, Refused>
  readonly remove: (caller: Caller, id: ScheduleId) => Effect.Effect<void, NotFound | SqlError>
  readonly setPaused: (caller: Caller, id: ScheduleId, paused: boolean) => Effect.Effect<ScheduleView, NotFound | SqlError>
  /** Submits its task besides its occurrences. */
  readonly run: (caller: Caller, id: ScheduleId) => Effect.Effect<TaskId, NotFound | Conflict | TooManyRequests | SqlError>
}>()("@englog/api/schedules/Schedules") {
  static readonly layer = Layer.effect(
    Schedules,
    Effect.gen(function*() {
      const repo = yield* ScheduleRepo
      const submissions = yield* TaskSubmissions
      const access = yield* TaskAccess
      const queue = yield* TaskQueue

      const missing = (id: ScheduleId) => new NotFound({ error: `there is no schedule ${id}` })
      const orMissing = (id: ScheduleId) => (found: Option.Option<Schedule>) =>
        Option.isSome(found) ? toView(found.value) : Effect.fail(missing(id))

      const find = Effect.fnUntraced(function*(caller: Caller, id: ScheduleId) {
        const found = yield* repo.find(id)
        if (Option.isNone(found)) return yield* missing(id)
        yield* access.organization(caller, found.value.organization_id).pipe(
          Effect.catchIf((error): error is Forbidden => error instanceof Forbidden, () => Effect.fail(missing(id)))
        )
        return found.value
      })

      /** The request's task as it would be submitted, and when. */
      const prepare = Effect.fnUntraced(function*(caller: Caller, id: ScheduleId, request: ScheduleRequest): Effect.fn.Return<NewSchedule, Refused> {
        const { catch_up, catch_up_limit, cron, paused, timezone } = request
        const next_run_at = yield* nextRun(cron, timezone)
        const { kind, name = null, organization_id, payload, policy, user_id } = yield* submissions.prepare(caller, taskRequest(request))
        return { id, organization_id, user_id, name, kind, payload, policy, cron, timezone, paused, catch_up, catch_up_limit, next_run_at }
      })

      const ensure = Effect.fnUntraced(function*(caller: Caller, id: ScheduleId, request: ScheduleRequest) {
        const known = yield* repo.find(id)
        if (Option.isSome(known)) return yield* toView(known.value)
        const schedule = yield* prepare(caller, id, request)
        if ((yield* repo.count(schedule.organization_id)) >= MAX_SCHEDULES) {
          return yield* new Conflict({ error: `this organization has ${MAX_SCHEDULES} schedules already; delete one first`, code: "limit_reached" })
        }
        // Where somebody else makes it at this moment, it is theirs.
        return yield* Effect.flatMap(repo.insert(schedule), Option.match({ onNone: () => Effect.flatMap(repo.find(id), orMissing(id)), onSome: toView }))
      })

      return Schedules.of({
        create: Effect.fn("Schedules.create")((caller, request) => ensure(caller, ScheduleId.make(randomUUID()), request)),
        ensure: Effect.fn("Schedules.ensure")(ensure),
        list: Effect.fn("Schedules.list")(function*(caller, { cursor, limit = defaultPageSize }) {
          const after = cursor === undefined ? Option.none() : Option.some(yield* decodeCursor(cursor))
          const { next_cursor, rows } = toPage(yield* repo.list(caller.organization_id, after, limit + 1), limit)
          return { items: yield* Effect.forEach(rows, toView), next_cursor }
        }),
        get: Effect.fn("Schedules.get")((caller, id) => Effect.flatMap(find(caller, id), toView)),
        update: Effect.fn("Schedules.update")(function*(caller, id, request) {
          yield* find(caller, id)
          const changed = yield* prepare(caller, id, request)
          return yield* Effect.flatMap(repo.replace(changed), orMissing(id))
        }),
        remove: Effect.fn("Schedules.remove")(function*(caller, id) {
          yield* find(caller, id)
          if (!(yield* repo.remove(id))) return yield* missing(id)
        }),
        setPaused: Effect.fn("Schedules.setPaused")(function*(caller, id, paused) {
          const { cron, timezone } = yield* find(caller, id)
          const next = yield* Effect.orDie(nextRun(cron, timezone))
          return yield* Effect.flatMap(repo.setPaused(id, paused, next), orMissing(id))
        }),
        run: Effect.fn("Schedules.run")(function*(caller, id) {
          const schedule = yield* find(caller, id)
          return yield* orConflict(orTooMany(queue.submit(taskOf(schedule))))
        })
      })
    })
  )
}

const nextRun = Effect.fnUntraced(function*(cron: string, timezone: string) {
  const now = yield* DateTime.now
  const next = Result.flatMap(parse(cron, timezone), (parsed): ReturnType<typeof nextAfter> => nextAfter(parsed, now))
  return Result.isSuccess(next) ? next.success : yield* new BadRequest({ error: "cron: never fires" })
})

const taskRequest = (
  { deadline, max_retries, name, organization_id, payload, priority, queue, result_ttl, retry_policy, task_type, timeout }: ScheduleRequest
) => ({
  task_type,
  ...(name === undefined || name === null ? {} : { name }),
  ...(priority === undefined ? {} : { priority }),
  ...(payload === undefined ? {} : { payload }),
  ...(organization_id === undefined ? {} : { organization_id }),
  ...(queue === undefined ? {} : { queue }),
  ...(deadline === undefined ? {} : { deadline }),
  ...(timeout === undefined ? {} : { timeout }),
  ...(max_retries === undefined ? {} : { max_retries }),
  ...(retry_policy === undefined ? {} : { retry_policy }),
  ...(result_ttl === undefined ? {} : { result_ttl })
})

const decodeJson = Schema.decodeEffect(Schema.fromJsonString(Schema.Json))

const toView = Effect.fnUntraced(function*({ kind, micros: _, policy, payload, ...schedule }: Schedule) {
  const { base_delay, max_delay, ...retry } = policy.retry
  return new ScheduleView({
    ...schedule,
    task_type: publicName(kind),
    payload: yield* Effect.orDie(decodeJson(payload)),
    priority: policy.priority,
    queue: policy.queue,
    timeout: policy.attempt_timeout / 1_000,
    deadline: policy.deadline / 1_000,
    ...(policy.result_ttl === undefined ? {} : { result_ttl: policy.result_ttl / 1_000 }),
    retry_policy: { ...retry, base_delay: base_delay / 1_000, max_delay: max_delay / 1_000 }
  })
})
