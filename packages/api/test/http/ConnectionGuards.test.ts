import { assert, layer } from "@effect/vitest"
import { Duration, Effect, Layer, Logger, Schedule } from "effect"
import { connectionBounds } from "../../src/http/edge/ConnectionGuards.ts"
import { dial, exchange } from "../support/RawHttp.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { eventually } from "../support/WholeApi.ts"
import { entry, register, serverOn, TestApi } from "./TestApi.ts"

/** The server of the tests, in a hurry. */
const Hasty = serverOn(TestDatabase.layer, {
  ...connectionBounds,
  connections: 100,
  head: Duration.millis(400),
  request: Duration.millis(800),
  upload: Duration.millis(2_500),
  idle: Duration.millis(300)
})

const timely = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.orDie(Effect.timeout(effect, "5 seconds"))

layer(Hasty, { excludeTestServices: true, timeout: "60 seconds" })("a connection", (it) => {
  it.effect("that sends half a head is ended with 408", () => Effect.scoped(Effect.gen(function*() {
    const slow = yield* dial
    yield* slow.send("GET /live HTTP/1.1\r\nhost: x\r\nx-slow")
    const answer = yield* timely(slow.end)
    assert.match(answer, /^HTTP\/1.1 408 /)
    assert.include(answer, "{\"error\":\"the request took too long to arrive\",\"code\":\"request_timeout\",\"details\":[]}")
    assert.include(answer, "connection: close")
  })))

  it.effect("that sends half a body is ended with 408", () => Effect.scoped(Effect.gen(function*() {
    const { token } = yield* register("slowloris@example.com")
    const slow = yield* dial
    yield* slow.send(
      `POST /v1/logs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"title"`
    )
    assert.match(yield* timely(slow.end), /^HTTP\/1.1 408 /)
  })))

  it.effect("that uploads a document may take longer for it, and is ended with 408 as well", () => Effect.scoped(Effect.gen(function*() {
    const { token } = yield* register("slow-upload@example.com")
    const upload = Effect.fnUntraced(function*(rest: Effect.Effect<void>) {
      const slow = yield* dial
      const head = `authorization: Bearer ${token}\r\ncontent-type: text/plain\r\ncontent-length: 20\r\nconnection: close`
      yield* slow.send(`POST /api/background/documents/uploads HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\nten bytes.`)
      yield* Effect.andThen(rest, Effect.suspend(() => slow.send("and again.")))
      return yield* timely(slow.end)
    })
    assert.match(yield* upload(Effect.sleep("1200 millis")), /^HTTP\/1.1 201 /)
    assert.match(yield* upload(Effect.sleep("3 seconds")), /^HTTP\/1.1 408 /)
  })))

  it.effect("that keeps adding a header now and then is ended all the same", () => Effect.scoped(Effect.gen(function*() {
    const slow = yield* dial
    yield* slow.send("GET /live HTTP/1.1\r\nhost: x\r\n")
    yield* Effect.forkScoped(Effect.repeat(slow.send("x-more: 1\r\n"), Schedule.spaced("50 millis")))
    assert.match(yield* timely(slow.end), /^HTTP\/1.1 408 /)
  })))

  it.effect("that says nothing is closed", () => Effect.scoped(Effect.gen(function*() {
    const silent = yield* dial
    assert.notMatch(yield* timely(silent.end), /^HTTP\/1.1 [^4]/)
  })))

  it.effect("that is kept alive for nothing is closed", () => Effect.scoped(Effect.gen(function*() {
    const idle = yield* dial
    yield* idle.send("GET /live HTTP/1.1\r\nhost: x\r\n\r\n")
    assert.match(yield* timely(idle.end), /^HTTP\/1.1 200 /)
  })))

  it.effect("serves again after slow ones were ended", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const { token } = yield* register("after@example.com")
    assert.strictEqual((yield* ask("POST", "/v1/logs", { token, body: entry })).status, 201)
  }))
})

const lines: Array<string> = []
const log = Logger.make(({ message }) => { lines.push(String(Array.isArray(message) ? message[0] : message)) })
const Small = serverOn(TestDatabase.layer, { ...connectionBounds, connections: 3 }).pipe(Layer.provide(Logger.layer([log])))

layer(Small, { excludeTestServices: true, timeout: "60 seconds" })("a connection too many", (it) => {
  it.effect("is closed at once, which is logged once, and the others are served", () => Effect.scoped(Effect.gen(function*() {
    const [first] = yield* Effect.all([dial, dial, dial])
    for (const extra of yield* Effect.all([dial, dial])) assert.strictEqual(yield* timely(extra.end), "")
    yield* first.send("GET /live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert.match(yield* timely(first.end), /^HTTP\/1.1 200 /)
    const told = yield* eventually(Effect.sync(() => lines.filter((line) => line.includes("connections are open"))), (told) => told.length > 0)
    assert.deepStrictEqual(told, ["3 connections are open: further ones are closed; said once a minute"])
  })))
})

layer(TestApi.layer, { excludeTestServices: true, timeout: "60 seconds" })("the head of a request", (it) => {
  const head = (lines: ReadonlyArray<string>, url = "/live") => `GET ${url} HTTP/1.1\r\nhost: x\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`
  const refused = Effect.fnUntraced(function*(bytes: string, status: number, error: string) {
    const answer = yield* exchange(bytes)
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
    assert.include(answer, JSON.stringify({ error }).slice(0, -1))
    assert.include(answer.toLowerCase(), "connection: close")
  })
  const headers = "headers: must be at most 100 lines and 16384 bytes"
  const url = "url: must be at most 8192 characters"

  it.effect("has at most 16 KiB", () => refused(head([`x-large: ${"x".repeat(17_000)}`]), 431, headers))

  it.effect("has at most a hundred lines, repeated names too", () => Effect.gen(function*() {
    yield* refused(head(Array.from({ length: 100 }, (_, n) => `x-${n}: 1`)), 431, headers)
    yield* refused(head(Array.from({ length: 100 }, () => "x: 1")), 431, headers)
    assert.match(yield* exchange(head(Array.from({ length: 98 }, (_, n) => `x-${n}: 1`).concat("connection: close"))), /^HTTP\/1.1 200 /)
  }))

  it.effect("has an address of at most 8192 characters, however long it is", () => Effect.gen(function*() {
    yield* refused(head([], `/live?${"x".repeat(8_192)}`), 414, url)
    yield* refused(head([], `/live?${"x".repeat(30_000)}`), 414, url)
  }))
})
