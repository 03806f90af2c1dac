/** People and a worker for background tasks of kinds that the worker brings. */
import { TaskId } from "@englog/domain/Ids"
import { Duration, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { type Ask, register, TestApi } from "../http/TestApi.ts"
import { join, type WorkerOptions } from "./ProtocolTwoWorker.ts"
import { type ApiOptions, grpcAddress, wholeApi } from "./WholeApi.ts"

/** Its workers are never taken for lost, however busy the machine. */
export const patientApi = (options: ApiOptions = {}) =>
  wholeApi({ ...options, liveness: { lease: Duration.minutes(2), deafAfter: Duration.minutes(1), deliveryLimit: Duration.seconds(30), resumeGrace: Duration.seconds(30), closedGrace: Duration.seconds(30) } })

let people = 0

/** A registered user who submits background tasks. */
export const person = Effect.fnUntraced(function*(more: { readonly admin?: boolean } = {}) {
  const { ask } = yield* TestApi
  const sql = yield* SqlClient.SqlClient
  const { id, token } = yield* register(`person-${++people}@example.com`)
  if (more.admin === true) yield* sql`UPDATE users SET is_admin = true WHERE id = ${id}::uuid`
  const get = (path: string, headers: Ask["headers"] = {}) => ask("GET", `/api/background${path}`, { token, headers })
  const post = (path: string, body?: unknown) => ask("POST", `/api/background${path}`, { token, ...body === undefined ? {} : { body } })
  return {
    id,
    token,
    get,
    post,
    submit: (task: Record<string, unknown>) => post("/tasks", task),
    /** The id of a task that has to be accepted. */
    started: Effect.fnUntraced(function*(task: Record<string, unknown>) {
      const answer = yield* post("/tasks", task)
      if (answer.status !== 202) return yield* Effect.die(new Error(`not accepted: ${answer.status} ${answer.text}`))
      return TaskId.make(String(answer.at("task_id")))
    })
  }
})

export type Person = Effect.Success<ReturnType<typeof person>>

let workers = 0

/** A worker that brings these kinds. */
export const workerFor = Effect.fnUntraced(function*(kinds: ReadonlyArray<string>, options: Partial<WorkerOptions> = {}) {
  return yield* join(yield* grpcAddress, { worker_id: `background-${++workers}`, kinds, slots: 100, ...options })
})

/** The messages of an SSE answer: id, event and data of each. */
export const sse = (text: string) =>
  text.split("\n\n").filter((message) => message.trim() !== "").map((message) => {
    const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, "m").exec(message)?.[1] ?? ""
    const data: unknown = JSON.parse(field("data"))
    return { id: field("id"), event: field("event"), data }
  })
