/** What the demo asks of the HTTP API, as its user: an account, projects, entries, an insight and its progress. */
import type { EntryId, ProjectId, TaskId, UserId } from "@englog/domain/Ids"
import { EngLogApi } from "@englog/rpc/http/Api"
import { NarrationResult, TaskStep } from "@englog/rpc/http/TaskView"
import { Effect, Predicate, Redacted, Schema, Stream } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { randomBytes } from "node:crypto"
import { DemoError } from "./DemoError.ts"
import type { WorkLog, WorkLogEntry } from "./WorkLog.ts"

/** Requests under way at a time. */
const CONCURRENCY = 8

/** Registers the engineer of the log and answers a client that is logged in. */
export const signUp = Effect.fn("DemoClient.signUp")(function*(url: string, engineer: WorkLog["engineer"]) {
  const anonymous = yield* HttpApiClient.make(EngLogApi, { baseUrl: url })
  const session = yield* told("the account was refused", anonymous.auth.register({
    payload: {
      email: `demo-${randomBytes(6).toString("hex")}@example.com`,
      password: Redacted.make(randomBytes(18).toString("base64url")),
      ...engineer
    }
  }))
  const api = yield* HttpApiClient.make(EngLogApi, {
    baseUrl: url,
    transformClient: HttpClient.mapRequest(HttpClientRequest.bearerToken(session.access_token))
  })
  return { api, user_id: session.user.id } satisfies DemoUser
})

export interface DemoUser {
  readonly api: HttpApiClient.ForApi<typeof EngLogApi>
  readonly user_id: UserId
}

/** Answers the entries' ids in the order of the log. */
export const record = Effect.fn("DemoClient.record")(function*({ api }: DemoUser, entries: ReadonlyArray<WorkLogEntry>) {
  const names = [...new Set(entries.flatMap(({ project }) => project ?? []))]
  const projects = new Map(yield* Effect.forEach(names, (name) =>
    told(`the project ${name} was refused`, api.projects.create({ payload: { name, status: "active" } })).pipe(
      Effect.map(({ body }) => [name, body.id] as const)
    ), { concurrency: CONCURRENCY }))
  return yield* Effect.forEach(entries, (entry) =>
    told(`the entry "${entry.title}" was refused`, api.entries.create({ payload: payloadOf(entry, projects) })).pipe(
      Effect.map(({ body }): EntryId => body.id)
    ), { concurrency: CONCURRENCY })
})

const payloadOf = ({ project, ...entry }: WorkLogEntry, projects: ReadonlyMap<string, ProjectId>) => ({
  ...entry,
  project_id: project === null ? null : projects.get(project) ?? null
})

export const requestInsight = Effect.fn("DemoClient.requestInsight")(function*(
  { api, user_id }: DemoUser,
  entry_ids: ReadonlyArray<EntryId>,
  context: string
) {
  const { task_id } = yield* told("the insight was refused", api.insights.submitInsight({
    payload: { user_id, entry_ids, insight_type: "productivity", context }
  }))
  return task_id
})

/** Every step after number `seq`, over one connection. */
export const steps = ({ api }: DemoUser, id: TaskId) => (seq: number) =>
  Stream.unwrap(api.tasks.stream({ params: { id }, headers: seq === 0 ? {} : { "last-event-id": seq } })).pipe(
    Stream.flatMap(({ data }) => data instanceof TaskStep ? Stream.succeed(data) : Stream.empty)
  )

/** Of a task that has ended; fails where it has no insight. */
export const fetchInsight = Effect.fn("DemoClient.fetchInsight")(function*({ api }: DemoUser, id: TaskId) {
  const result = yield* told("the result was refused", api.tasks.result({ params: { id } }))
  if (result.status !== "TASK_STATUS_COMPLETED") {
    return yield* new DemoError({ message: `the task ended as ${result.status}: ${result.error || "no reason was given"}` })
  }
  const { insight_id } = yield* told("the result is no insight", decodeResult(result.result))
  const insight = yield* told("the insight is not stored", api.insights.get({ params: { id: insight_id } }))
  return { status: result.status, insight }
})

const decodeResult = Schema.decodeEffect(Schema.fromJsonString(NarrationResult))

/** What went wrong, in the API's own words where it said some. */
const told = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, DemoError, R> =>
  Effect.mapError(effect, (error) => {
    const why = Predicate.hasProperty(error, "error") ? error.error : Predicate.hasProperty(error, "message") ? error.message : error
    return new DemoError({ message: `${what}: ${String(why)}` })
  })
