/** What becomes of an answer when the language model lies, breaks, hangs or is gone; with whole processes. */
import { assert, layer } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Context, Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { FakeOllama, held, insight } from "../src/FakeOllama.ts"
import { Installation } from "../src/Installation.ts"
import { ask, register } from "../src/Person.ts"
import { waitUntil } from "../src/WaitUntil.ts"

/** An API and one worker that asks the fake model; and a person with two entries of 90 minutes each. */
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
  return { ada, api, entries, worker }
})

class AtWork extends Context.Service<AtWork, Effect.Success<typeof atWork>>()("@englog/e2e/test/AtWork") {
  static readonly layer = Layer.effect(AtWork, atWork)
}

const world = AtWork.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(Installation.layer(), FakeOllama.layer, FetchHttpClient.layer, NodeFileSystem.layer))
)

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("a language model", (it) => {
  it.effect("that lies gets no figure of its own into the result or the stored insight, be it in digits, per cent or words", () =>
    Effect.gen(function*() {
      const { ada, entries } = yield* AtWork
      const ollama = yield* FakeOllama
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
      const task_id = yield* ada.submit(entries, { insight_type: "lies" })
      const { narration } = yield* ada.result(task_id)
      assert.strictEqual(narration.source, "model")
      assert.include(narration.content, "steady and well described")
      assert.include(narration.content, "OAuth 2.0", "a figure that stands in the cited entry")
      assert.notMatch(narration.content, /47|83|doubled|seventeen/i)
      assert.isBelow(narration.confidence, 0.9)
      const [stored] = yield* ada.insightsOf(task_id)
      assert.strictEqual(stored?.content, narration.content, "the result and the stored insight show the same")
      assert.isAtLeast(stored?.removed.length ?? 0, 4)
    }))

  it.effect("may refer to facts, whose true figures are put in", () =>
    Effect.gen(function*() {
      const { ada, entries } = yield* AtWork
      const ollama = yield* FakeOllama
      const asked = JSON.stringify(ollama.requests[0]?.messages)
      const fact = /\b(total[a-z_.-]*(?:minutes|hours|time|duration))\b/i.exec(asked)?.[1]
      assert.isDefined(fact, "the prompt of the test before names the fact of the total")
      yield* ollama.answer(insight(`In all it took {{${fact}}}. That makes 99 hours.`))
      const { narration } = yield* ada.result(yield* ada.submit(entries, { insight_type: "facts" }))
      assert.match(narration.content, /In all it took .*(3|180)/)
      assert.notInclude(narration.content, "99")
    }))

  it.effect("is left alone at once when its task is cancelled in the middle of a call", () =>
    Effect.gen(function*() {
      const { ada, api, entries } = yield* AtWork
      const ollama = yield* FakeOllama
      const before = ollama.requests.length
      yield* ollama.answer(held(insight("too late")))
      const task_id = yield* ada.submit(entries, { insight_type: "cancelled" })
      yield* ollama.asked(before + 1)
      const answer = yield* ask("POST", `${api.url}/v1/tasks/${task_id}/cancel`, { token: ada.token })
      assert.strictEqual(answer.status, 200)
      yield* waitUntil("the model's caller hangs up", () => ollama.requests[before]?.aborted === true)
      assert.strictEqual((yield* ada.ended(task_id)).status, "TASK_STATUS_CANCELLED")
      assert.lengthOf(yield* ada.insightsOf(task_id), 0)
    }))

  it.effect("that fails is asked four times; then the built-in narrator answers, and the result says why", () =>
    Effect.gen(function*() {
      const { ada, entries } = yield* AtWork
      const ollama = yield* FakeOllama
      const before = ollama.requests.length
      yield* ollama.answer(
        { _tag: "Status", status: 500 },
        { _tag: "Truncated" },
        { _tag: "Text", text: "I am sorry, as a model I cannot answer in JSON." },
        { _tag: "Text", text: JSON.stringify({ content: "No confidence.", tags: "not a list" }) }
      )
      const { narration } = yield* ada.result(yield* ada.submit(entries, { insight_type: "failing" }))
      assert.strictEqual(narration.source, "builtin")
      assert.strictEqual(narration.model, "builtin")
      assert.match(narration.fallback_reason ?? "", /schema/)
      assert.isAbove(narration.content.length, 100)
      assert.lengthOf(ollama.requests.slice(before), 4)
    }))

  it.effect("has its earlier answer repeated for the same question when it is gone, and the narrator's text for another", () =>
    Effect.gen(function*() {
      const { ada, entries } = yield* AtWork
      const ollama = yield* FakeOllama
      const question = { insight_type: "gone", context: "for the review" }
      yield* ollama.answer(insight("A thoughtful answer about debugging."))
      const earlier = yield* ada.result(yield* ada.submit(entries, question))
      yield* ollama.leave
      const [same, other] = yield* Effect.all([
        Effect.flatMap(ada.submit(entries, question), ada.result),
        Effect.flatMap(ada.submit(entries, { ...question, context: "for myself" }), ada.result)
      ], { concurrency: 2 })

      assert.strictEqual(earlier.narration.source, "model")
      assert.strictEqual(same.narration.source, "cache")
      assert.strictEqual(same.narration.content, earlier.narration.content)
      assert.strictEqual(same.narration.model, earlier.narration.model)
      assert.match(same.narration.fallback_reason ?? "", /reachable|circuit/i)
      assert.strictEqual(other.narration.source, "builtin")
    }))

  it.effect("is not waited for when it accepts connections and says nothing", () =>
    Effect.gen(function*() {
      const { ada, entries, worker } = yield* AtWork
      const ollama = yield* FakeOllama
      yield* worker.end("SIGTERM")
      yield* ollama.comeBack
      yield* ollama.freeze
      const before = ollama.requests.length
      yield* (yield* Installation).startWorker("unlucky", { LLM_PROVIDER: "ollama", OLLAMA_URL: ollama.url })
      const { narration } = yield* ada.result(yield* ada.submit(entries, { insight_type: "frozen" }))
      assert.strictEqual(narration.source, "builtin")
      assert.match(narration.fallback_reason ?? "", /ollama/i)
      assert.lengthOf(ollama.requests, before)
    }))
})
