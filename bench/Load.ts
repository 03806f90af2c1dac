/** People with real entries, and requests for insights about them, against a running API. */
import { Effect, Schedule } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { register } from "@englog/e2e/Person"
import { timed } from "./Figures.ts"

export type Person = Effect.Success<ReturnType<typeof register>>

/** With their request for an insight, ready to be sent. */
export interface Asker {
  readonly person: Person
  readonly request: HttpClientRequest.HttpClientRequest
}

const types = ["code", "review", "meeting", "debug", "docs"] as const
const ENTRIES = 20

/** `count` people with 20 entries each over two working weeks. */
export const askers = (url: string, count: number) =>
  Effect.forEach(Array.from({ length: count }, (_, number) => number), (number) =>
    Effect.gen(function*() {
      const person = yield* register(url, `bench-${number}@example.com`)
      const entry_ids = yield* Effect.forEach(Array.from({ length: ENTRIES }, (_, index) => index), (index) => {
        const day = `2026-01-${String(5 + Math.floor(index / 2) + (index >= 10 ? 2 : 0)).padStart(2, "0")}`
        const [start, end] = index % 2 === 0 ? ["09:00", "11:30"] : ["13:00", "15:00"]
        return person.addEntry({
          title: `Work package ${index + 1}`,
          type: types[index % types.length],
          start_time: `${day}T${start}:00Z`,
          end_time: `${day}T${end}:00Z`
        })
      })
      const body = JSON.stringify({ user_id: person.user_id, entry_ids, insight_type: "productivity", context: "Weekly productivity analysis" })
      const request = HttpClientRequest.post(`${url}/v1/tasks/insights`).pipe(
        HttpClientRequest.bearerToken(person.token),
        HttpClientRequest.bodyText(body, "application/json")
      )
      return { person, request } satisfies Asker
    }), { concurrency: 2 })

/** Sends the request; the body of the answer is read to its end. */
export const submit = ({ request }: Asker) =>
  Effect.gen(function*() {
    const response = yield* HttpClient.execute(request)
    return { status: response.status, text: yield* response.text }
  }).pipe(timed)

/** Waits until the cluster has nothing left to do. */
export const idle = (url: string, { person }: Asker) =>
  HttpClient.execute(HttpClientRequest.bearerToken(HttpClientRequest.get(`${url}/v1/workers/health`), person.token)).pipe(
    Effect.flatMap((response) => response.text),
    Effect.map((text) => /"active_tasks":0\b/.test(text) && /"queued_tasks":0\b/.test(text)),
    Effect.repeat({ until: (done) => done, schedule: Schedule.spaced("100 millis") }),
    Effect.timeout("3 minutes")
  )
