import { assert, describe, it } from "@effect/vitest"
import type { CategorizationInput } from "@englog/domain/categorization/Categorization"
import { EntryId } from "@englog/domain/Ids"
import { AppConfig, type LlmConfig } from "@englog/worker/AppConfig"
import { Categorizer } from "@englog/worker/llm/Categorizer"
import { ModelCalls, ModelLimits } from "@englog/worker/llm/ModelCalls"
import { ModelChoice } from "@englog/worker/llm/ModelChoice"
import { Duration, Effect, Layer, Option } from "effect"
import * as FakeModelServer from "../support/FakeModelServer.ts"
import { config } from "../support/TestWorker.ts"

const limits = { call: Duration.millis(300), reserve: Duration.seconds(20), retries: 1, firstDelay: Duration.millis(5) }

const categorizer = (llm: Partial<LlmConfig>) =>
  Layer.build(
    Categorizer.layer.pipe(
      Layer.provide(ModelCalls.layer),
      Layer.provide(ModelChoice.layer),
      Layer.provide(Layer.succeed(ModelLimits, limits)),
      Layer.provide(Layer.succeed(AppConfig, AppConfig.of(config([], { llm: { ...config([]).llm, ...llm } }))))
    )
  ).pipe(Effect.flatMap((context) => Effect.provide(Categorizer, context)))

const ollama = (server: { readonly url: string }) => ({ provider: "ollama" as const, ollamaUrl: Option.some(server.url) })
const plenty = Effect.succeed(Duration.minutes(5))

const id = (n: number) => EntryId.make(`00000000-0000-4000-8000-${String(n).padStart(12, "0")}`)
const input = (count: number): CategorizationInput => ({
  entries: Array.from({ length: count }, (_, i) => ({ id: id(i), title: "Fix a bug", description: null, type: "code" as const, project_name: null, tags: [] })),
  tags: ["bug-fix"]
})
const says = (count: number, type: string) => ({
  text: JSON.stringify({ entries: Array.from({ length: count }, (_, i) => ({ number: i + 1, type, tags: ["bug-fix"] })) })
})

describe("a categorization", () => {
  it.live("is what the model answered, a few entries a question, each by its number", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make([says(20, "debug"), says(3, "ops")])
      const { propose } = yield* categorizer(ollama(server))
      const { model, proposals, source } = yield* propose(input(23), plenty)
      assert.deepStrictEqual([model, source, proposals.length, server.chats.length], ["llama3.2:3b", "model", 23, 2])
      assert.deepStrictEqual(proposals[19], { entry_id: id(19), type: "debug", tags: ["bug-fix"] })
      assert.deepStrictEqual(proposals[20], { entry_id: id(20), type: "ops", tags: ["bug-fix"] })
      assert.include(JSON.stringify(server.chats[0]?.["format"]), "mentoring")
    }).pipe(Effect.scoped))

  it.live("is the rules' where the model answers with a type that there is not, and says why", () =>
    Effect.gen(function*() {
      const server = yield* FakeModelServer.make([says(1, "gardening")])
      const { propose } = yield* categorizer(ollama(server))
      const made = yield* propose(input(1), plenty)
      assert.deepStrictEqual(made.proposals, [{ entry_id: id(0), type: "debug", tags: ["bug-fix"] }])
      assert.deepInclude(made, { source: "builtin", model: "builtin", fallback_reason: "the model's answer does not fit the schema" })
    }).pipe(Effect.scoped))

  it.live("is the rules' where no model is configured or no time is left for one", () =>
    Effect.gen(function*() {
      const { propose } = yield* categorizer({ provider: "builtin" })
      assert.deepInclude(yield* propose(input(1), plenty), { source: "builtin", model: "builtin" })
      const server = yield* FakeModelServer.make([says(1, "ops")])
      const late = yield* categorizer(ollama(server))
      const made = yield* late.propose(input(1), Effect.succeed(Duration.seconds(19)))
      assert.strictEqual(made.fallback_reason, "too little time was left to ask the model")
      assert.strictEqual(server.chats.length, 0)
    }).pipe(Effect.scoped))
})
