/** What leaves a process, decoded where it arrives: by an OTLP receiver on a real port. */
import { assert, describe, it } from "@effect/vitest"
import { quietTelemetry } from "@englog/platform/Environment"
import { Telemetry } from "@englog/platform/telemetry/Telemetry"
import { Console, Effect, Option, Schedule, Schema, Tracer } from "effect"
import { HttpTraceContext } from "effect/http"
import { createServer } from "node:http"

/** An OTLP/HTTP receiver that keeps the bodies it gets. */
const receiver = Effect.gen(function*() {
  const bodies: Array<string> = []
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on("end", () => {
      bodies.push(body)
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
  })
  const listen = (port: number) =>
    Effect.callback<number>((resume) => {
      server.listen({ port, host: "127.0.0.1" }, () => {
        const address = server.address()
        resume(Effect.succeed(address !== null && typeof address !== "string" ? address.port : 0))
      })
    })
  const leave = Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })
  const port = yield* Effect.acquireRelease(listen(0), () => leave)
  return { endpoint: `http://127.0.0.1:${port}`, bodies, leave, comeBack: listen(port) }
})

const telemetry = (endpoint: string, sampler = quietTelemetry.sampler) =>
  Telemetry.layer({ ...quietTelemetry, service: "api", serviceVersion: "1.2.3", endpoint: Option.some(endpoint), sampler, logLevel: "info" })

class Broken extends Schema.TaggedError<Broken>()("Broken", { message: Schema.String, cause: Schema.Defect() }) {}

describe("exported traces", () => {
  it.live("name the service, its version and this process, and are sent at the latest when it stops", () =>
    Effect.gen(function*() {
      const { bodies, endpoint } = yield* receiver
      yield* Effect.void.pipe(Effect.withSpan("the last thing done"), Effect.provide(telemetry(endpoint)))
      const text = bodies.join()
      assert.include(text, "the last thing done")
      assert.match(text, /"service\.name","value":\{"stringValue":"englog-api"/)
      assert.match(text, /"service\.version","value":\{"stringValue":"1\.2\.3"/)
      assert.match(text, /"service\.instance\.id","value":\{"stringValue":"[0-9a-f-]{36}"/)
    }))

  it.live("are as many as OTEL_TRACES_SAMPLER says, unless the caller has decided", () =>
    Effect.gen(function*() {
      const { bodies, endpoint } = yield* receiver
      const caller = (sampled: boolean) => Tracer.externalSpan({ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", sampled })
      yield* Effect.all([
        Effect.withSpan(Effect.void, "nobody asked"),
        Effect.withSpan(Effect.void, "the caller asked", { parent: caller(true) }),
        Effect.withSpan(Effect.void, "the caller declined", { parent: caller(false) })
      ]).pipe(Effect.provide(telemetry(endpoint, { name: "parentbased_traceidratio", ratio: 0 })))
      assert.deepStrictEqual([...bodies.join().matchAll(/nobody asked|the caller asked|the caller declined/g)].map(String), ["the caller asked"])
    }))

  it.live("that are not sampled make no span below the first, and say so to whoever is called", () =>
    Effect.gen(function*() {
      const { bodies, endpoint } = yield* receiver
      const spans = yield* Effect.all({ outer: Effect.currentSpan, inner: Effect.withSpan(Effect.currentSpan, "inner") }).pipe(
        Effect.withSpan("outer"),
        Effect.provide(telemetry(endpoint, { name: "parentbased_traceidratio", ratio: 0 }))
      )
      assert.deepStrictEqual([spans.inner.traceId, spans.inner.spanId], [spans.outer.traceId, spans.outer.spanId])
      assert.strictEqual(HttpTraceContext.toHeaders(spans.inner)["traceparent"], `00-${spans.outer.traceId}-${spans.outer.spanId}-00`)
      assert.notInclude(bodies.join(), "inner")
    }))

  it.live("keep an error's type and place, and nothing that its messages quote", () =>
    Effect.gen(function*() {
      const { bodies, endpoint } = yield* receiver
      const canary = "canary@example.com wrote\n    at a (secret place)\n    at /etc/canary canary"
      yield* new Broken({ message: `cannot store ${canary}`, cause: new Error(`detail ${canary}`) }).pipe(
        Effect.withSpan("store"),
        Effect.ignore,
        Effect.provide(telemetry(endpoint))
      )
      const text = bodies.join()
      assert.include(text, "\"exception.type\"")
      assert.include(text, "Broken")
      assert.include(text, "TraceExporter.test.ts:")
      assert.notInclude(text, "canary")
      assert.notInclude(text, "secret place")
    }))
})

describe("a collector that does not answer", () => {
  it.live("costs one log line per outage and one when it is over", () =>
    Effect.gen(function*() {
      const said: Array<string> = []
      const console: Console.Console = { ...globalThis.console, log: (line: string) => void said.push(line) }
      const { bodies, comeBack, endpoint, leave } = yield* receiver
      yield* leave
      yield* Effect.gen(function*() {
        const saysSoon = (pattern: RegExp) =>
          Effect.void.pipe(
            Effect.withSpan("work"),
            Effect.andThen(Effect.sync(() => said.some((line) => pattern.test(line)))),
            Effect.repeat({ until: (yes) => yes, schedule: Schedule.spaced("50 millis") }),
            Effect.timeout("15 seconds")
          )
        yield* saysSoon(/traces are lost/)
        yield* comeBack
        yield* saysSoon(/takes traces again/)
      }).pipe(Effect.provide(telemetry(endpoint)), Effect.provideService(Console.Console, console))
      assert.deepStrictEqual(said.filter((line) => /traces/.test(line)).map((line) => line.includes(endpoint)), [true, true])
      assert.isNotEmpty(bodies)
    }))
})
