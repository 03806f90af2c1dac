/** People with entries, and the contract worker that writes (or lies) about them, for tests of narration end to end. */
import { EntryId, TaskId } from "@englog/domain/Ids"
import { Effect, Schema } from "effect"
import { entry, register, TestApi } from "../http/TestApi.ts"
import { COMPLETED, INSIGHT_GENERATION, join, WEEKLY_REPORT } from "./ContractWorker.ts"
import { grpcAddress } from "./WholeApi.ts"

let people = 0

/** A registered user with two entries: a fix of 90 minutes in code, a meeting of an hour, both on 2026-01-05. */
export const author = Effect.fnUntraced(function*(more: Record<string, unknown> = {}) {
  const { ask } = yield* TestApi
  const { id, refresh, token } = yield* register(`author-${++people}@example.com`, more)
  const log = Effect.fnUntraced(function*(fields: Record<string, unknown>) {
    const answer = yield* ask("POST", "/v1/logs", { token, body: { ...entry, ...fields } })
    if (answer.status !== 201) return yield* Effect.die(new Error(answer.text))
    return EntryId.make(String(answer.at("id")))
  })
  const fix = yield* log({ title: "Fix the login race", description: "Cut p95 latency by 90%" })
  const meeting = yield* log({ title: "Plan the quarter", type: "meeting", start_time: "2026-01-05T12:00:00Z", end_time: "2026-01-05T13:00:00Z" })
  const get = (path: string, headers: Record<string, string> = {}) => ask("GET", path, { token, headers })
  const post = (path: string, body: unknown = {}) => ask("POST", path, { token, body })
  return {
    id,
    token,
    refresh,
    entries: [fix, meeting] as const,
    fix,
    meeting,
    get,
    post,
    requestInsight: (fields: Record<string, unknown> = {}) =>
      post("/v1/tasks/insights", { user_id: id, entry_ids: [fix, meeting], insight_type: "productivity", ...fields }),
    requestReport: (fields: Record<string, unknown>) => post("/v1/tasks/reports", { user_id: id, ...fields })
  }
})

export type Author = Effect.Success<ReturnType<typeof author>>

/** The id of the task that an answer says was accepted. */
export const accepted = (answer: { readonly status: number; readonly text: string; readonly at: (key: string) => unknown }) =>
  answer.status === 202
    ? Effect.succeed(TaskId.make(String(answer.at("task_id"))))
    : Effect.die(new Error(`not accepted: ${answer.status} ${answer.text}`))

let workers = 0

/** A worker for insights and reports, written from the contract. It has room for what other tests left behind, too. */
export const narrator = Effect.gen(function*() {
  const worker = yield* join(yield* grpcAddress, {
    workerId: `narrator-${++workers}`,
    capabilities: [INSIGHT_GENERATION, WEEKLY_REPORT],
    metadata: { max_concurrent_tasks: "100" }
  })
  return {
    ...worker,
    /** Waits for exactly this task. */
    take: (task_id: TaskId) => worker.next.pipe(Effect.repeat({ until: (task) => task.taskId === task_id })),
    /** Hands in a draft as the task's result. */
    write: (task_id: TaskId, draft: unknown) => worker.report(task_id, { status: COMPLETED, result: JSON.stringify(draft) })
  }
})

/** Requests an insight and has a contract worker, which then leaves, answer it with this draft. */
export const narrated = Effect.fnUntraced(function*(by: Author, draft: Record<string, unknown>, request: Record<string, unknown> = {}) {
  const worker = yield* narrator
  const task_id = yield* accepted(yield* by.requestInsight(request))
  yield* worker.take(task_id)
  yield* worker.write(task_id, draft)
  yield* worker.leave
  return { task_id, ...(yield* resultOf(by, task_id)) }
}, Effect.scoped)

export const week = { report_type: "weekly", period_start: "2026-01-05", period_end: "2026-01-11" }

/** Asks for an insight over a period and has a contract worker, which then leaves, write it. */
export const generated = Effect.fnUntraced(function*(
  by: Author,
  request: Record<string, unknown> = week,
  content = "You recorded {{total.time}}.",
  more: Record<string, unknown> = {}
) {
  const worker = yield* narrator
  const task_id = yield* accepted(yield* by.post("/v1/insights/generate", request))
  const { payload } = yield* worker.take(task_id)
  const data: unknown = JSON.parse(yield* worker.data(task_id))
  yield* worker.write(task_id, { content, tags: ["Focus", "deep work"], confidence: 1, ...more })
  yield* worker.leave
  const asked: unknown = JSON.parse(payload)
  return { task_id, data, asked, ...(yield* resultOf(by, task_id)) }
}, Effect.scoped)

/** A completed task's result as its owner gets it, and the stored insight it names. */
export const resultOf = Effect.fnUntraced(function*(by: Author, task_id: TaskId) {
  const view = yield* by.get(`/v1/tasks/${task_id}/result`)
  const result = yield* Effect.orDie(decodeResult(String(view.at("result"))))
  const insight = yield* by.get(`/v1/insights/${String(result["insight_id"])}`)
  return { view, result, insight }
})

const decodeResult = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json)))
