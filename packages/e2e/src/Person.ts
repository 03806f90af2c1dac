/**
 * Somebody who uses a running EngLog over its REST API, with an account of their own. Nothing here knows the server's
 * insides; what is answered is read by the published schemas.
 */
import { EntryId, type TaskId, UserId } from "@englog/domain/Ids"
import { Insight } from "@englog/domain/insights/Insight"
import { InsightPage } from "@englog/rpc/http/InsightsApi"
import { NarrationResult, TaskAccepted, TaskResultView, TaskStep, TaskView } from "@englog/rpc/http/TaskView"
import { Effect, Schedule, Schema } from "effect"
import { HttpClient, HttpClientRequest, HttpMethod } from "effect/http"

export class UnexpectedAnswer extends Schema.TaggedError<UnexpectedAnswer>()("UnexpectedAnswer", {
  request: Schema.String,
  status: Schema.Int,
  body: Schema.String
}) {
  override get message(): string {
    return `${this.request} answered ${this.status}: ${this.body}`
  }
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
}

export interface RawBody {
  readonly type: string
  readonly text: string
}

export interface AskOptions {
  readonly token?: string
  readonly body?: unknown
  /** As it is, instead of `body`. */
  readonly raw?: RawBody
  readonly headers?: Readonly<Record<string, string>>
}

/** One request. Fails only where there is no answer at all. */
export const ask = Effect.fnUntraced(function*(
  method: HttpMethod.HttpMethod,
  url: string,
  options: AskOptions = {}
) {
  const request = HttpClientRequest.make(method)(url, {
    headers: { ...options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }, ...options.headers }
  })
  const { text, type } = options.raw ?? { text: JSON.stringify(options.body), type: "application/json" }
  const response = yield* HttpClient.execute(
    options.body === undefined && options.raw === undefined ? request : HttpClientRequest.bodyText(request, text, type)
  )
  const answer: Answer = { status: response.status, text: yield* response.text, headers: response.headers }
  return answer
  // A trace is given by `headers` or not at all.
}, Effect.provideService(HttpClient.TracerDisabledWhen, () => true))

export const password = "correct horse battery staple"

const Session = Schema.Struct({ access_token: Schema.String, user: Schema.Struct({ id: UserId }) })
const Created = Schema.Struct({ id: EntryId })

/** Registers an account. `url` is read at each request: after a restart the server may be elsewhere. */
export const register = Effect.fnUntraced(function*(url: string, email: string) {
  const session = yield* expect("POST", `${url}/v1/auth/register`, 201, Session, {
    body: { email, password, first_name: "Ada", last_name: "Lovelace" }
  })
  return personOf(url, { token: session.access_token, user_id: session.user.id })
})

/** Somebody who exists, by whatever token: an access token ends after a quarter of an hour. */
export const personOf = (url: string, { token, user_id }: { readonly token: string; readonly user_id: UserId }) => {
  const addEntry = (entry: Readonly<Record<string, unknown>>) =>
    Effect.map(expect("POST", `${url}/v1/logs`, 201, Created, { token, body: { ...anEntry, ...entry } }), ({ id }) => id)

  const submit = (
    entry_ids: ReadonlyArray<EntryId>,
    more: { readonly context?: unknown; readonly insight_type?: string; readonly headers?: Readonly<Record<string, string>> } = {}
  ) => {
    const { headers, ...fields } = more
    return Effect.map(
      expect("POST", `${url}/v1/tasks/insights`, 202, TaskAccepted, {
        token,
        body: { user_id, entry_ids, insight_type: "productivity", ...fields },
        ...(headers === undefined ? {} : { headers })
      }),
      ({ task_id }) => task_id
    )
  }

  const task = (task_id: TaskId) => expect("GET", `${url}/v1/tasks/${task_id}`, 200, TaskView, { token })

  /** Polls until the task is as wanted; a server that is away is waited for. */
  const taskThat = (task_id: TaskId, holds: (task: TaskView) => boolean) =>
    task(task_id).pipe(
      Effect.filterOrFail(holds, (view) => view),
      Effect.retry({ schedule: Schedule.spaced("50 millis"), times: 1_200 })
    )

  const ended = (task_id: TaskId) =>
    Effect.andThen(
      taskThat(task_id, (view) => view.completed_at !== null),
      expect("GET", `${url}/v1/tasks/${task_id}/result`, 200, TaskResultView, { token })
    )

  /** The result of a task that must complete. */
  const result = Effect.fnUntraced(function*(task_id: TaskId) {
    const view = yield* ended(task_id)
    if (view.status !== "TASK_STATUS_COMPLETED") {
      return yield* new UnexpectedAnswer({ request: `result of ${task_id}`, status: 200, body: JSON.stringify(view) })
    }
    return { view, narration: yield* Schema.decodeEffect(Schema.fromJsonString(NarrationResult))(view.result) }
  })

  /** Every stored insight of a task, whole. */
  const insightsOf = Effect.fnUntraced(function*(task_id: TaskId) {
    const { items } = yield* expect("GET", `${url}/v1/insights?limit=200`, 200, InsightPage, { token })
    return yield* Effect.forEach(
      items.filter((insight) => insight.task_id === task_id),
      ({ id }) => expect("GET", `${url}/v1/insights/${id}`, 200, Insight, { token })
    )
  })

  /** A task's whole history, read from its event stream. */
  const history = Effect.fnUntraced(function*(task_id: TaskId) {
    const { text } = yield* ask("GET", `${url}/v1/tasks/${task_id}/stream`, { token })
    const data = [...text.matchAll(/^data: (\{"seq".*\})$/gm)].map((match) => match[1] ?? "")
    return yield* Effect.forEach(data, (line) => Schema.decodeEffect(Schema.fromJsonString(TaskStep))(line))
  })

  return { token, user_id, addEntry, submit, task, taskThat, ended, result, insightsOf, history }
}

/** A morning's work, for whoever cares about nothing in particular. */
export const anEntry = {
  title: "Fix the login race",
  description: "Two refreshes at once revoked the session.",
  type: "debug",
  tags: ["backend"],
  start_time: "2026-01-05T09:00:00Z",
  end_time: "2026-01-05T10:30:00Z",
  value_rating: "high",
  impact_level: "product"
} as const

const expect = Effect.fnUntraced(function*<A, E>(
  method: HttpMethod.HttpMethod,
  url: string,
  status: number,
  schema: Schema.Codec<A, E>,
  options: AskOptions
) {
  const answer = yield* ask(method, url, options)
  if (answer.status !== status) {
    return yield* new UnexpectedAnswer({ request: `${method} ${url}`, status: answer.status, body: answer.text })
  }
  return yield* Schema.decodeEffect(Schema.fromJsonString(schema))(answer.text)
})
