import { assert, describe, it } from "@effect/vitest"
import { jsonLogger } from "@englog/platform/telemetry/JsonLogger"
import { Telemetry } from "@englog/platform/telemetry/Telemetry"
import { Cause, Console, DateTime, Effect, Layer, Logger, Redacted, Schema } from "effect"

const Line = Schema.Record(Schema.String, Schema.Unknown)

/** What the program writes to the console, each line as JSON. */
const linesOf = (program: Effect.Effect<unknown>, logs: Layer.Layer<never> = Logger.layer([jsonLogger])) =>
  Effect.gen(function*() {
    const texts: Array<string> = []
    const console: Console.Console = { ...globalThis.console, log: (text: string) => void texts.push(text) }
    yield* program.pipe(Effect.provide(logs), Effect.provideService(Console.Console, console))
    // Lines are written at the end of the turn in which they were logged.
    yield* Effect.callback<void>((resume) => void setImmediate(() => setImmediate(() => resume(Effect.void))))
    return yield* Effect.forEach(texts.flatMap((text) => text.split("\n")), (text) => Schema.decodeEffect(Schema.fromJsonString(Line))(text))
  })

class Unwritten extends Schema.TaggedError<Unwritten>()("Unwritten", { message: Schema.String, cause: Schema.Defect() }) {}

describe("JSON log lines", () => {
  it.effect("carry the fields of seed 000: timestamp, level, component, operation and ids", () =>
    Effect.gen(function*() {
      const [line] = yield* linesOf(Effect.logInfo("accepted an insight request").pipe(Effect.annotateLogs({
        component: "insight_generation",
        operation: "request_received",
        user_id: "dd72f29f-a51b-4a2d-add8-496537c8e078",
        task_id: "insight_1",
        entry_count: 2,
        request_id: "req-123456789"
      })))
      assert.deepStrictEqual(line, {
        timestamp: DateTime.formatIso(DateTime.makeUnsafe(0)),
        level: "INFO",
        component: "insight_generation",
        operation: "request_received",
        user_id: "dd72f29f-a51b-4a2d-add8-496537c8e078",
        task_id: "insight_1",
        entry_count: 2,
        request_id: "req-123456789",
        message: "accepted an insight request"
      })
    }))

  it.effect("name the trace they belong to", () =>
    Effect.gen(function*() {
      const ids: Array<string> = []
      const [line] = yield* linesOf(
        Effect.gen(function*() {
          const span = yield* Effect.orDie(Effect.currentSpan)
          ids.push(span.traceId, span.spanId)
          yield* Effect.logWarning("slow")
        }).pipe(Effect.withSpan("work"))
      )
      assert.deepStrictEqual([line?.["trace_id"], line?.["span_id"], line?.["level"]], [...ids, "WARN"])
    }))

  it.effect("survive values that JSON does not know, and hide secrets", () =>
    Effect.gen(function*() {
      const loop: Record<string, unknown> = { name: "loop" }
      loop["self"] = loop
      const lines = yield* linesOf(Effect.logInfo("odd", loop, 12n).pipe(
        Effect.annotateLogs({ count: 12n, password: Redacted.make("hunter2") })
      ))
      assert.lengthOf(lines, 1)
      assert.match(String(lines[0]?.["count"]), /^12n?$/)
      assert.notInclude(JSON.stringify(lines), "hunter2")
    }))

  it.effect("tell the whole cause of a failure in one line, and nothing that it quotes", () =>
    Effect.gen(function*() {
      const full = Object.assign(new Error("could not write what Ada wrote"), { code: "ENOSPC" })
      const failure = Cause.die(new Unwritten({ message: "could not write", cause: full }))
      const [line] = yield* linesOf(Effect.logError("gave up", failure, full))
      assert.strictEqual(line?.["message"], "gave up Error (ENOSPC)")
      assert.match(String(line?.["cause"]), /Unwritten: could not write[\s\S]*ENOSPC/)
      assert.notInclude(JSON.stringify(line), "Ada")
    }))
})

describe("LOG_LEVEL and LOG_FORMAT", () => {
  const telemetry = (logLevel: "debug" | "warn" | "none", logFormat: "json" | "pretty") =>
    Telemetry.logs({ logLevel, logFormat })
  const talk = Effect.andThen(Effect.logDebug("quiet"), Effect.logWarning("loud"))

  it.effect("keep back what is below the level", () =>
    Effect.gen(function*() {
      const messages = (level: "debug" | "warn" | "none") =>
        Effect.map(linesOf(talk, telemetry(level, "json")), (lines) => lines.map((line) => line["message"]))
      assert.deepStrictEqual(yield* messages("debug"), ["quiet", "loud"])
      assert.deepStrictEqual(yield* messages("warn"), ["loud"])
      assert.deepStrictEqual(yield* messages("none"), [])
    }))

  it.effect("tell people at a terminal no more of an error than the others", () =>
    Effect.gen(function*() {
      const texts: Array<string> = []
      const tell = (...parts: ReadonlyArray<unknown>) => void texts.push(parts.map(String).join(" "))
      const console: Console.Console = { ...globalThis.console, log: tell, error: tell, group: tell }
      yield* Effect.logError("gave up", Cause.die(new Error("what Ada wrote"))).pipe(
        Effect.provide(telemetry("warn", "pretty")),
        Effect.provideService(Console.Console, console)
      )
      assert.include(texts.join("\n"), "gave up")
      assert.match(texts.join("\n"), /JsonLogger\.test\.ts:\d+/)
      assert.notInclude(texts.join("\n"), "Ada")
    }))
})
