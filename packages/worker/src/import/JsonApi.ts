/**
 * Reading an API that answers JSON over HTTP. What goes wrong once is asked again; where the API asks for patience, it is waited for as long as the
 * task's deadline allows. The token goes to the API's own origin only.
 */
import { DateTime, Duration, Effect, Option, Schedule, Schema } from "effect"
import { TaskFailure } from "../handlers/TaskHandler.ts"
import type { GuardedFetch, GuardedResponse } from "../web/GuardedFetch.ts"
import { limitOf } from "./RateLimit.ts"

/** The API wants no further question before then, which is too late for this task. */
export class Limited extends Schema.TaggedError<Limited>()("Limited", { until: Schema.DateTimeUtc }) {
  override get message() {
    return `the rate limit is used up until ${DateTime.formatIso(this.until)}`
  }
}

/** An answer that is none: 4xx. What it means, the API's own file knows. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  status: Schema.Int,
  headers: Schema.Record(Schema.String, Schema.String),
  text: Schema.String
}) {}

export interface JsonApiOptions {
  readonly fetch: GuardedFetch["Service"]["fetch"]
  /** What people call it. */
  readonly name: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeLeft: Effect.Effect<Duration.Duration>
}

export interface JsonAnswer<A> {
  readonly body: A
  readonly headers: Readonly<Record<string, string>>
}

export interface JsonApi {
  readonly get: <A, I>(url: string, body: Schema.Codec<A, I>) => Effect.Effect<JsonAnswer<A>, TaskFailure | Limited | Refused>
}

const MAX_BYTES = 10 * 1024 * 1024
const TIMEOUT = Duration.seconds(30)
/** A slot is not held for longer by waiting. */
const LONGEST_WAIT = Duration.minutes(15)
/** What is left to hand in what was found. */
const RESERVE = Duration.seconds(30)
const MAX_WAITS = 20
const MAX_REDIRECTS = 3

export const make = ({ fetch, headers, name, timeLeft }: JsonApiOptions): JsonApi => {
  const once = Effect.fnUntraced(function*(url: string) {
    const response = yield* fetch({ method: "GET", url, headers, redirects: 0, maxBytes: MAX_BYTES, excess: "fail", timeout: TIMEOUT }).pipe(
      Effect.mapError(({ message, retryable }) => new TaskFailure({ message: `${name}: ${message}`, retryable }))
    )
    // Some say with a 503 when to come again.
    if (response.status >= 500 && response.headers["retry-after"] === undefined) return yield* new TaskFailure({ message: `${name} answered ${response.status}`, retryable: true })
    if (response.status !== 200) return { response, json: null }
    const json = parse(textOf(response))
    return Option.isSome(json) ? { response, json: json.value } : yield* new TaskFailure({ message: `${name}'s answer is no whole JSON`, retryable: true })
  })

  const patient = Effect.fnUntraced(function*(wait: Duration.Duration, waits: number) {
    const patience = Duration.min(LONGEST_WAIT, Duration.subtract(yield* timeLeft, RESERVE))
    if (Duration.isGreaterThan(wait, patience) || waits >= MAX_WAITS) {
      return yield* new Limited({ until: DateTime.addDuration(yield* DateTime.now, wait) })
    }
    yield* Effect.sleep(wait)
  })

  const answered = Effect.fnUntraced(function*(asked: string) {
    let url = asked
    let waits = 0
    let redirects = 0
    while (true) {
      const { json, response } = yield* again(once(url))
      const limit = limitOf(response, yield* DateTime.now)
      const moved = redirectOf(response, url)
      if (Option.isSome(limit)) yield* patient(limit.value, waits++)
      else if (moved !== undefined && redirects++ < MAX_REDIRECTS) url = moved
      else if (response.status !== 200) return yield* new Refused({ status: response.status, headers: response.headers, text: textOf(response).slice(0, 2_000) })
      else return { json, headers: response.headers }
    }
  })

  return {
    get: Effect.fn("JsonApi.get")(function*<A, I>(url: string, schema: Schema.Codec<A, I>): Effect.fn.Return<JsonAnswer<A>, TaskFailure | Limited | Refused> {
      const { headers, json } = yield* answered(url)
      const body = yield* Schema.decodeUnknownEffect(schema)(json).pipe(
        // The cause would quote the answer.
        Effect.mapError(() => new TaskFailure({ message: `${name} answers ${new URL(url).pathname} with something else than it documents`, retryable: false }))
      )
      return { body, headers }
    })
  }
}

const again = <A>(asking: Effect.Effect<A, TaskFailure>) =>
  Effect.retry(asking, { times: 2, schedule: Schedule.exponential("300 millis"), while: ({ retryable }) => retryable !== false })

const textOf = ({ body }: GuardedResponse): string => new TextDecoder("utf-8").decode(body)

const parse = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Json))

/** What was renamed, at the same origin. */
const redirectOf = ({ headers, status }: GuardedResponse, url: string): string | undefined => {
  const to = [301, 302, 307, 308].includes(status) ? URL.parse(headers["location"] ?? "", url) : null
  return to !== null && to.origin === new URL(url).origin ? to.href : undefined
}

/** Those that fit; what does not is told by its place. */
export const sortOut = <S extends Schema.Codec<unknown, unknown>>(schema: S, found: ReadonlyArray<unknown>): {
  readonly fitting: ReadonlyArray<S["Type"]>
  readonly odd: number
} => {
  const decode = Schema.decodeUnknownOption(schema)
  const fitting = found.flatMap((one) => Option.toArray(decode(one)))
  return { fitting, odd: found.length - fitting.length }
}
