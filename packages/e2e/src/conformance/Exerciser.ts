/** Sends an operation's request of the Bruno collection to a running server, in the situation that it needs, and keeps what answers tell. */
import { children, type Json } from "@englog/rpc/http/JsonTree"
import { Effect, Schedule } from "effect"
import { HttpClient } from "effect/http"
import { randomUUID } from "node:crypto"
import { type Answer, ask, type AskOptions } from "../Person.ts"
import { openStream } from "../RawStream.ts"
import { type BrunoRequest, brunoRequests, type Filling } from "./BrunoRequests.ts"
import type { Operation } from "./Contract.ts"
import type { Prepared, Situation } from "./Situations.ts"

export interface ExerciserOptions {
  readonly url: string
  /** In the place of `https://….example.com` in what workers call. */
  readonly web: string
  readonly variables: Map<string, string>
  readonly administrator: string
  readonly situations: Readonly<Record<string, Prepared>>
}

/** Ten seconds. */
const patience = Schedule.spaced("100 millis").pipe(Schedule.upTo({ times: 100 }))

/** How a request differs from the collection's own. */
export interface Variation extends Filling {
  readonly situation?: Situation
  readonly anonymous?: boolean
}

export const makeExerciser = Effect.fnUntraced(function*({ administrator, situations, url, variables, web }: ExerciserOptions) {
  const http = yield* HttpClient.HttpClient
  const requests = new Map(brunoRequests().map((request) => [`${request.method} ${request.path}`, request]))

  const requestOf = ({ method, path }: Operation): BrunoRequest => {
    const found = requests.get(`${method} ${path}`)
    if (found === undefined) throw new Error(`examples/bruno has no ${method} ${path}`)
    return found
  }

  const filledIn = (text: string, fields: Situation["fields"]): string => {
    const near = text.replaceAll(/("(?:webhook_url|url|base_url)": ")https:\/\/[a-z0-9.]*example\.com/g, `$1${web}`)
    return fields === undefined ? near : JSON.stringify({ ...children(JSON.parse(near)), ...fields })
  }

  /** One request, and what it answers. */
  const send = Effect.fnUntraced(function*(operation: Operation, { anonymous = false, situation = {}, ...filling }: Variation = {}) {
    const known = new Map([...variables, ["$guid", randomUUID()], ...Object.entries(situation.variables ?? {})])
    const { headers, path, raw } = requestOf(operation).filled(known, filling)
    const usual = ["admin", "bounces"].includes(operation.scope ?? "") ? administrator : known.get("access_token")
    const token = anonymous || operation.scope === null ? undefined : situation.token ?? usual
    if (operation.streams && token !== undefined) return yield* headOf(`${url}${path}`, token, headers)
    const options: AskOptions = {
      ...(token === undefined ? {} : { token }),
      headers,
      ...(raw === undefined ? {} : { raw: { type: raw.type, text: filledIn(raw.text, situation.fields) } })
    }
    return yield* ask(operation.method, `${url}${path}`, options)
  }, Effect.provideService(HttpClient.HttpClient, http))

  /** In its situation. What is read is read until it is there: workers are at it. */
  const exercise = Effect.fnUntraced(function*(operation: Operation, everything = false) {
    const prepared = situations[operation.id] ?? {}
    const situation: Situation = prepared.situation === undefined ? {} : yield* prepared.situation
    const enough = (answer: Answer): boolean => everything || !operation.reads || hasCome(operation, answer)
    const sending = send(operation, { everything: everything || prepared.everything === true, situation })
    const answer = yield* Effect.repeat(sending, { until: enough, schedule: patience })
    for (const [name, value] of requestOf(operation).keeps({ status: answer.status, body: bodyOf(answer) })) variables.set(name, value)
    return answer
  }, Effect.provideService(HttpClient.HttpClient, http))

  return {
    send,
    exercise,
    hasCome,
    /** Whether all variables that it needs are known. */
    ready: (operation: Operation) => [...requestOf(operation).needs].every((name) => name === "$guid" || variables.has(name))
  }
})

/** All that it is about: where the documented list has items, this one does. */
const hasCome = ({ lists }: Operation, answer: Answer): boolean =>
  answer.status < 300 && (!lists || itemsOf(answer).length > 0)

const itemsOf = (answer: Answer): ReadonlyArray<Json> => {
  const { items } = children(bodyOf(answer))
  return Array.isArray(items) ? items.map(children) : []
}

const bodyOf = ({ headers, text }: Answer): unknown =>
  (headers["content-type"] ?? "").startsWith("application/json") && text !== "" ? JSON.parse(text) : null

/** Of a stream, which may not end by itself. */
const headOf = Effect.fnUntraced(function*(url: string, token: string, headers: Readonly<Record<string, string>>) {
  const stream = yield* openStream(url, token, headers)
  yield* stream.said(/\r\n\r\n/)
  const [head = ""] = stream.text().split("\r\n\r\n", 1)
  const [first = "", ...lines] = head.split("\r\n")
  const answer: Answer = {
    status: Number(first.split(" ")[1]),
    text: stream.text().slice(head.length + 4),
    headers: Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]))
  }
  return answer
}, Effect.scoped)
