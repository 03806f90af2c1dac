import { assert, describe, it } from "@effect/vitest"
import { calendarUrl } from "@englog/worker/import/calendar/CalendarUrl"
import { GuardedFetch } from "@englog/worker/web/GuardedFetch"
import { Effect } from "effect"
import { gzipSync } from "node:zlib"
import { type Answer, httpServer } from "../support/WebServer.ts"
import { fixture, jobOf, readBy } from "./read.ts"

const read = (url: string, allowPrivate = true) =>
  Effect.flatMap(GuardedFetch.make({ allowPrivate }), (guarded) =>
    readBy(calendarUrl, jobOf({ source: "calendar_url", url, attendee: "imports@example.com" })).pipe(Effect.provideService(GuardedFetch, guarded)))

const answered = (answer: Answer) => Effect.scoped(Effect.flatMap(httpServer(answer), (port) => read(`http://127.0.0.1:${port}/secret/basic.ics`)))

describe("a calendar at an address", () => {
  it.live("is read where it leads, packed or not", () => Effect.gen(function*() {
    const { items, problems } = yield* answered((request, response) =>
      request.url === "/moved.ics"
        ? response.writeHead(200, { "content-type": "text/calendar", "content-encoding": "gzip" }).end(gzipSync(fixture("google.ics")))
        : response.writeHead(302, { location: "/moved.ics" }).end())
    assert.deepStrictEqual([items.filter(({ removed }) => !removed).length, problems], [6, []])
  }))

  it.live("fails with what is wrong, for good or until another time", () => Effect.gen(function*() {
    const failure = (answer: Answer) => Effect.map(Effect.flip(answered(answer)), ({ message, retryable }) => [message, retryable])
    assert.deepStrictEqual(yield* failure((_, response) => response.writeHead(404).end()), ["url: the server answered 404", false])
    assert.deepStrictEqual(yield* failure((_, response) => response.writeHead(503).end()), ["url: the server answered 503", true])
    assert.deepStrictEqual(yield* failure((_, response) => response.writeHead(429).end()), ["url: the server answered 429", true])
    assert.deepStrictEqual(yield* failure((_, response) => response.end("<html>Log in</html>")), [
      "url: what it answers is no iCalendar text: it does not begin with BEGIN:VCALENDAR", false
    ])
    const [endless] = yield* failure((_, response) => response.end("BEGIN:VCALENDAR\r\n" + "X".repeat(11 * 1024 * 1024)))
    assert.strictEqual(endless, "url: the answer has more than 10485760 bytes")
  }))

  it.live("is not asked for in a private network, nor without TLS", () => Effect.scoped(Effect.gen(function*() {
    const asked: Array<string> = []
    const port = yield* httpServer((request, response) => {
      asked.push(request.url ?? "")
      response.end(fixture("google.ics"))
    })
    for (const url of [`http://127.0.0.1:${port}/a.ics`, `https://127.0.0.1:${port}/a.ics`, `webcal://localhost:${port}/a.ics`, "https://169.254.169.254/latest/meta-data", "https://[::1]/a.ics"]) {
      assert.isFalse((yield* Effect.flip(read(url, false))).retryable, url)
    }
    assert.deepStrictEqual(asked, [])
  })))
})
