/** What becomes of an answer when the language model lies, breaks, hangs or is gone; with whole processes. */
import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { FakeOllama, held, insight } from "../src/FakeOllama.ts"
import { Installation } from "../src/Installation.ts"
import { ask, register } from "../src/Person.ts"
import { waitUntil } from "../src/WaitUntil.ts"

const world = () => Layer.mergeAll(Installation.layer(), FakeOllama.layer, FetchHttpClient.layer, NodeFileSystem.layer)

/** An API, one worker that asks the fake model, and a person with two entries of 90 minutes each. */
const atWork = Effect.gen(function*() {
  const installation = yield* Installation
  const ollama = yield* FakeOllama
  const api = yield* installation.startApi()
  const worker = yield* installation.startWorker("worker", { LLM_PROVIDER: "ollama", OLLAMA_URL: ollama.url })
  const ada = yield* register(api.url, "ada@example.com")
  const entries = [
    yield* ada.addEntry({ title: "Upgrade OAuth 2.0 client" }),
    yield* ada.addEntry({ start_time: "2026-01-05T13:00:00Z", end_time: "2026-01-05T14:30:00Z" })
  ]
  return { ada, api, entries, ollama, worker }
})

describe.concurrent("a language model that lies", () => {
  it.live("gets no figure of its own into the result or the stored insight, be it in digits, per cent or words", () =>
    Effect.gen(function*() {
      const { ada, entries, ollama } = yield* atWork
      yield* ollama.answer(insight(
        `${[
          "The work was steady and well described.",
          "You logged 47 hours in total.",
          "Debugging took 83% of the time.",
          "Output doubled compared with the week before.",
          "There were seventeen meetings."
        ].join(" ")}\n\nThe move to OAuth 2.0 was prepared [[${entries[0]}]].`,
        0.9
      ))
      const task_id = yield* ada.submit(entries)
      const { narration } = yield* ada.result(task_id)
      assert.strictEqual(narration.source, "model")
      assert.include(narration.content, "steady and well described")
      assert.include(narration.content, "OAuth 2.0", "a figure that stands in the cited entry")
      assert.notMatch(narration.content, /47|83|doubled|seventeen/i)
      assert.isBelow(narration.confidence, 0.9)
      const [stored] = yield* ada.insightsOf(task_id)
      assert.strictEqual(stored?.content, narration.content, "the result and the stored insight show the same")
      assert.isAtLeast(stored?.removed.length ?? 0, 4)
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.live("may refer to facts, whose true figures are put in", () =>
    Effect.gen(function*() {
      const { ada, entries, ollama } = yield* atWork
      yield* ollama.answer(held(insight("placeholder")))
      const first = yield* ada.submit(entries)
      yield* ollama.asked(1)
      const fact = /\b(total[a-z_.-]*(?:minutes|hours|time|duration))\b/i.exec(JSON.stringify(ollama.requests[0]?.messages))?.[1]
      yield* ollama.release
      yield* ada.result(first)
      assert.isDefined(fact, "the prompt names the fact of the total")
      yield* ollama.answer(insight(`In all it took {{${fact}}}. That makes 99 hours.`))
      const { narration } = yield* ada.result(yield* ada.submit(entries, { insight_type: "time_management" }))
      assert.match(narration.content, /In all it took .*(3|180)/)
      assert.notInclude(narration.content, "99")
    }).pipe(Effect.scoped, Effect.provide(world())))
})

describe.concurrent("a language model that fails", () => {
  it.live("is asked four times; then the built-in narrator answers, and the result says why", () =>
    Effect.gen(function*() {
      const { ada, entries, ollama } = yield* atWork
      yield* ollama.answer(
        { _tag: "Status", status: 500 },
        { _tag: "Truncated" },
        { _tag: "Text", text: "I am sorry, as a model I cannot answer in JSON." },
        { _tag: "Text", text: JSON.stringify({ content: "No confidence.", tags: "not a list" }) }
      )
      const { narration } = yield* ada.result(yield* ada.submit(entries))
      assert.strictEqual(narration.source, "builtin")
      assert.strictEqual(narration.model, "builtin")
      assert.match(narration.fallback_reason ?? "", /schema/)
      assert.isAbove(narration.content.length, 100)
      assert.lengthOf(ollama.requests, 4)
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.live("is not waited for when it accepts connections and says nothing", () =>
    Effect.gen(function*() {
      const ollama = yield* FakeOllama
      yield* ollama.freeze
      const { ada, entries } = yield* atWork
      const { narration } = yield* ada.result(yield* ada.submit(entries))
      assert.strictEqual(narration.source, "builtin")
      assert.match(narration.fallback_reason ?? "", /ollama/i)
      assert.lengthOf(ollama.requests, 0)
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.live("is left alone at once when its task is cancelled in the middle of a call", () =>
    Effect.gen(function*() {
      const { ada, api, entries, ollama } = yield* atWork
      yield* ollama.answer(held(insight("too late")))
      const task_id = yield* ada.submit(entries)
      yield* ollama.asked(1)
      const answer = yield* ask("POST", `${api.url}/v1/tasks/${task_id}/cancel`, { token: ada.token })
      assert.strictEqual(answer.status, 200)
      yield* waitUntil("the model's caller hangs up", () => ollama.requests[0]?.aborted === true)
      const view = yield* ada.ended(task_id)
      assert.strictEqual(view.status, "TASK_STATUS_CANCELLED")
      assert.lengthOf(yield* ada.insightsOf(task_id), 0)
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.live("has its earlier answer repeated for the same question when it is gone, and the narrator's text for another", () =>
    Effect.gen(function*() {
      const { ada, entries, ollama } = yield* atWork
      yield* ollama.answer(insight("A thoughtful answer about debugging."))
      const earlier = yield* ada.result(yield* ada.submit(entries))
      yield* ollama.leave
      const [same, other] = yield* Effect.all([
        Effect.flatMap(ada.submit(entries), ada.result),
        Effect.flatMap(ada.submit(entries, { insight_type: "skill_development" }), ada.result)
      ], { concurrency: 2 })

      assert.strictEqual(earlier.narration.source, "model")
      assert.strictEqual(same.narration.source, "cache")
      assert.strictEqual(same.narration.content, earlier.narration.content)
      assert.strictEqual(same.narration.model, earlier.narration.model)
      assert.match(same.narration.fallback_reason ?? "", /reachable|circuit|ollama/i)
      assert.strictEqual(other.narration.source, "builtin")
    }).pipe(Effect.scoped, Effect.provide(world())))
})
