import { assert, describe, it } from "@effect/vitest"
import type { InsightDraft } from "@englog/domain/insights/Insight"
import { AppConfig, type LlmConfig } from "@englog/worker/AppConfig"
import { InsightWriter } from "@englog/worker/llm/InsightWriter"
import { ModelCalls, ModelLimits } from "@englog/worker/llm/ModelCalls"
import { ModelChoice } from "@englog/worker/llm/ModelChoice"
import { Context, Duration, Effect, Fiber, Layer, Option, Redacted, Schedule, Tracer } from "effect"
import * as TestClock from "effect/testing/TestClock"
import * as FakeModelServer from "../support/FakeModelServer.ts"
import { input } from "../support/narration.ts"
import { config } from "../support/TestWorker.ts"

const { good } = FakeModelServer

const earlier: InsightDraft = { content: "Said before.", tags: [], confidence: 0.7, model: "llama3.2:3b", source: "model" }

const limits = { call: Duration.millis(300), reserve: Duration.seconds(20), retries: 3, firstDelay: Duration.millis(5) }

const writer = (llm: Partial<LlmConfig>, changed: Partial<typeof limits> = {}) =>
  Layer.build(
    InsightWriter.layer.pipe(
      Layer.provideMerge(ModelCalls.layer),
      Layer.provide(ModelChoice.layer),
      Layer.provide(Layer.succeed(ModelLimits, { ...limits, ...changed })),
      Layer.provide(Layer.succeed(AppConfig, AppConfig.of(config([], { llm: { ...config([]).llm, ...llm } }))))
    )
  ).pipe(Effect.map((context) => ({ write: Context.get(context, InsightWriter).write, breaker: Context.get(context, ModelCalls).breaker })))

const choiceOf = (llm: Partial<LlmConfig>) =>
  Layer.build(
    ModelChoice.layer.pipe(Layer.provide(Layer.succeed(AppConfig, AppConfig.of(config([], { llm: { ...config([]).llm, ...llm } })))))
  ).pipe(Effect.flatMap((context) => Effect.provide(ModelChoice, context)))

const plenty = Effect.succeed(Duration.minutes(5))
const ollama = (server: { readonly url: string }) => ({ provider: "ollama" as const, ollamaUrl: Option.some(server.url) })

describe("an insight by Ollama", () => {
  it.live("is what the model answered, asked with the schema as format", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make([good])
      const { write } = yield* writer(ollama(server))
      const draft = yield* write(input(), plenty)
      assert.strictEqual(draft.content, "You wrote tests.")
      assert.strictEqual(draft.source, "model")
      assert.strictEqual(draft.model, "llama3.2:3b")
      assert.isUndefined(draft.fallback_reason)
      const [chat] = server.chats
      assert.strictEqual(chat?.["model"], "llama3.2:3b")
      assert.strictEqual(chat?.["stream"], false)
      assert.deepInclude(chat?.["format"], { type: "object", required: ["content", "tags", "confidence"] })
    }))

  it.live("is found inside a code fence and a greeting", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make([{ text: `Sure! Here it is:\n\`\`\`json\n${good.text}\n\`\`\`\nAnything else?` }])
      const { write } = yield* writer(ollama(server))
      assert.strictEqual((yield* write(input(), plenty)).content, "You wrote tests.")
    }))

  const trouble: ReadonlyArray<readonly [string, FakeModelServer.Behaviour]> = [
    ["a server error", { status: 500 }],
    ["an answer that is no JSON", { text: "I would rather talk." }],
    ["a gateway's page", "no-json"],
    ["an answer cut off", { text: "{\"content\": \"You wr", cutOff: true }],
    ["an answer of another shape", { text: "{\"content\": \"x\", \"tags\": \"testing\", \"confidence\": 85}" }],
    ["an empty answer", { text: "{\"content\": \" \", \"tags\": [], \"confidence\": 0.5}" }],
    ["a dropped connection", "drop"],
    ["a connection that is reset in the middle of the answer", "reset"],
    ["a call that takes too long", "hang"]
  ]
  for (const [name, behaviour] of trouble) {
    it.live(`is asked for again after ${name}`, () =>
      Effect.gen(function*() {
        const server = yield* FakeModelServer.make([behaviour, good])
        const { write } = yield* writer(ollama(server))
        const draft = yield* write(input(), plenty)
        assert.strictEqual(draft.source, "model")
        assert.strictEqual(server.chats.length, 2)
      }))
  }

  for (const provider of ["ollama", "openai"] as const) {
    it.live(`by ${provider} is asked for again after an answer without end, of which little is read`, () =>
      Effect.gen(function*() {
        const server = yield* FakeModelServer.make(["endless", good])
        const openai = { provider, openaiBaseUrl: `${server.url}/v1`, openaiApiKey: Option.some(Redacted.make("key")) }
        const { write } = yield* writer(provider === "ollama" ? ollama(server) : openai, { call: Duration.seconds(20) })
        const draft = yield* write(input(), plenty)
        assert.strictEqual(draft.source, "model")
        assert.isBelow(server.seen.endlessBytes, 32 * 1024 * 1024)
      }))
  }

  it.live("is not asked for again when the model is missing", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make([{ status: 404 }])
      const { write } = yield* writer(ollama(server))
      const draft = yield* write(input(), plenty)
      assert.strictEqual(server.chats.length, 1)
      assert.strictEqual(draft.source, "builtin")
      assert.include(draft.fallback_reason ?? "", "llama3.2:3b")
    }))

  it.live("is given up after three retries; then the narrator writes it and says why", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make([{ status: 503 }])
      const { write } = yield* writer(ollama(server))
      const draft = yield* write(input(), plenty)
      assert.strictEqual(server.chats.length, 4)
      assert.strictEqual(draft.source, "builtin")
      assert.strictEqual(draft.model, "builtin")
      assert.include(draft.fallback_reason ?? "", "503")
      assert.isAbove(draft.content.length, 0)
    }))

  it.live("is an earlier answer to the same question where there is one", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make([{ status: 404 }])
      const { write } = yield* writer(ollama(server))
      const draft = yield* write(input({ cached: earlier }), plenty)
      assert.strictEqual(draft.content, "Said before.")
      assert.strictEqual(draft.source, "cache")
      assert.isString(draft.fallback_reason)
    }))

  it.live("aborts the HTTP request when the task is interrupted", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make(["hang"])
      const { write } = yield* writer(ollama(server), { call: Duration.minutes(2) })
      const fiber = yield* Effect.forkChild(write(input(), plenty))
      yield* Effect.suspend(() => server.chats.length === 1 ? Effect.void : Effect.fail("not asked")).pipe(Effect.eventually)
      yield* Fiber.interrupt(fiber)
      yield* Effect.suspend(() => server.seen.aborted === 1 ? Effect.void : Effect.fail("not aborted")).pipe(
        Effect.eventually,
        Effect.timeout("3 seconds")
      )
    }))

  it.live("aborts the HTTP request of a call that takes too long", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make(["hang"])
      const { write } = yield* writer(ollama(server), { call: Duration.millis(50) })
      assert.strictEqual((yield* write(input(), plenty)).source, "builtin")
      yield* Effect.suspend(() => server.seen.aborted === 4 ? Effect.void : Effect.fail("not aborted")).pipe(
        Effect.eventually,
        Effect.timeout("3 seconds")
      )
    }))

  it.live("is not waited for beyond 20 s before the deadline", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make(["hang"])
      const { write } = yield* writer(ollama(server), { call: Duration.minutes(2) })
      const [duration, draft] = yield* Effect.timed(write(input(), Effect.succeed(Duration.millis(20_200))))
      assert.strictEqual(draft.source, "builtin")
      assert.include(draft.fallback_reason ?? "", "deadline")
      assert.isBelow(Duration.toMillis(duration), 2_000)
      const late = yield* write(input(), Effect.succeed(Duration.seconds(19)))
      assert.include(late.fallback_reason ?? "", "too little time")
      assert.strictEqual(server.chats.length, 1)
    }))

  it.live("is not asked for while the circuit is open", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make([{ status: 500 }])
      const { breaker, write } = yield* writer(ollama(server))
      yield* write(input(), plenty)
      yield* write(input(), plenty)
      assert.strictEqual(server.chats.length, 5)
      assert.strictEqual(yield* breaker.state, "open")
      const draft = yield* write(input(), plenty)
      assert.include(draft.fallback_reason ?? "", "circuit breaker")
      assert.strictEqual(server.chats.length, 5)
    }))

  it.live("of a period without entries needs no model", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make([good])
      const { write } = yield* writer(ollama(server))
      const draft = yield* write(input({ entry_count: 0 }), plenty)
      assert.strictEqual(draft.source, "builtin")
      assert.isUndefined(draft.fallback_reason)
      assert.strictEqual(server.chats.length, 0)
    }))

  it.live("leaves a span per call, with the model and its tokens and none of the text", () =>
    Effect.gen(function*() {
      const spans: Array<Tracer.Span> = []
      const collecting = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const server = yield* FakeModelServer.make([{ status: 500 }, good])
      const { write } = yield* writer(ollama(server))
      yield* write(input(), plenty).pipe(Effect.withTracer(collecting))
      const calls = spans.filter((span) => span.name === "llm.generate")
      assert.strictEqual(calls.length, 2)
      const attributes = Object.fromEntries(calls[1]?.attributes ?? [])
      assert.strictEqual(attributes["gen_ai.provider.name"], "ollama")
      assert.strictEqual(attributes["gen_ai.request.model"], "llama3.2:3b")
      assert.strictEqual(attributes["gen_ai.usage.input_tokens"], 321)
      assert.strictEqual(attributes["gen_ai.usage.output_tokens"], 45)
      assert.notInclude(JSON.stringify(spans.map((span) => [...span.attributes])), "Wrote the worker")
    }))
})

describe("the choice of a model", () => {
  const openai = (server: { readonly url: string }) => ({
    openaiBaseUrl: `${server.url}/v1`,
    openaiApiKey: Option.some(Redacted.make("sk-test")),
    openaiModel: "gpt-test"
  })

  it.live("falls to an OpenAI-compatible endpoint where Ollama does not answer", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make([good])
      const { write } = yield* writer({ provider: "auto", ollamaUrl: Option.some("http://127.0.0.1:1"), ...openai(server) })
      const draft = yield* write(input(), plenty)
      assert.strictEqual(draft.source, "model")
      assert.strictEqual(draft.model, "gpt-test")
      assert.strictEqual(server.headers[0]?.authorization, "Bearer sk-test")
      assert.deepInclude(server.chats[0]?.["response_format"], { type: "json_schema" })
    }))

  it.live("asks the OpenAI-compatible endpoint again after trouble, aborting what takes too long", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make(["hang", { status: 429 }, { text: "no" }, good])
      const { write } = yield* writer({ provider: "openai", ...openai(server) })
      assert.strictEqual((yield* write(input(), plenty)).source, "model")
      assert.strictEqual(server.chats.length, 4)
      assert.strictEqual(server.seen.aborted, 1)
    }))

  it.live("is not made anew by a refused key", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make([{ status: 401 }])
      const { write } = yield* writer({ provider: "openai", ...openai(server) })
      const draft = yield* write(input(), plenty)
      assert.strictEqual(server.chats.length, 1)
      assert.include(draft.fallback_reason ?? "", "401")
      assert.notInclude(JSON.stringify(draft), "sk-test")
    }))

  it.live("says that a configured model was not reachable, and nothing where none was configured", () =>
    Effect.gen(function*() {
      const unreachable = yield* writer({ provider: "auto", ollamaUrl: Option.some("http://user:secret@127.0.0.1:1") })
      const draft = yield* unreachable.write(input(), plenty)
      assert.strictEqual(draft.fallback_reason, "Ollama is not reachable")
      const none = yield* writer({ provider: "auto" })
      assert.isUndefined((yield* none.write(input(), plenty)).fallback_reason)
      const builtin = yield* writer({ provider: "builtin" })
      assert.strictEqual((yield* builtin.write(input({ cached: earlier }), plenty)).source, "builtin")
    }))

  it.effect("is made anew every 15 s in the background, whoever waits for it or stops waiting", () =>
    Effect.gen(function*() {
      const server = yield* TestClock.withLive(FakeModelServer.make([]))
      server.hung.checks = true
      const eventually = (what: string, condition: Effect.Effect<boolean>) =>
        TestClock.withLive(condition.pipe(
          Effect.flatMap((holds) => holds ? Effect.void : Effect.fail(`never happened: ${what}`)),
          Effect.retry({ schedule: Schedule.spaced("10 millis"), times: 500 })
        ))
      const choice = yield* choiceOf(ollama(server))
      yield* eventually("a check", Effect.sync(() => server.seen.checks === 1))
      assert.isTrue(Option.isNone(yield* choice.lastKnown))
      const impatient = yield* Effect.forkChild(choice.current, { startImmediately: true })
      yield* Fiber.interrupt(impatient)
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual((yield* choice.current).problem, Option.some("ollama does not answer"))
      server.hung.checks = false
      yield* TestClock.adjust("15 seconds")
      yield* eventually("found", Effect.map(choice.lastKnown, (known) => Option.isSome(Option.flatMap(known, ({ model }) => model))))
      assert.strictEqual((yield* choice.current).problem._tag, "None")
      assert.strictEqual(server.seen.checks, 2)
    }))
})
