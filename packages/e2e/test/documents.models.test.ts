/** Documents whose vectors are a model's: an API server, workers, and a server that speaks the APIs of Ollama and OpenAI. */
import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { FakeEmbeddings } from "../src/FakeEmbeddings.ts"
import { Installation } from "../src/Installation.ts"
import { librarian } from "../src/Librarian.ts"

const world = Layer.mergeAll(Installation.layer(), FakeEmbeddings.layer, FetchHttpClient.layer, NodeFileSystem.layer)

const documents = [
  ["pets", "Our cat sleeps on the keyboard."],
  ["garage", "The car needs new tyres before the winter."],
  ["weather", "More rain is expected on Sunday."]
] as const

describe("documents with a model's vectors", () => {
  it.live("are found by what they mean; are found by their words while the model is away; and change over to another model", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const model = yield* FakeEmbeddings
      const api = yield* installation.startApi()
      const first = yield* installation.startWorker("with-ollama", {
        LLM_PROVIDER: "builtin", EMBEDDING_PROVIDER: "ollama", OLLAMA_URL: model.url, EMBEDDING_MODEL: "concepts"
      })
      const ada = yield* librarian(api.url, "ada@example.com")
      for (const [document_id, content] of documents) {
        assert.strictEqual((yield* ada.processed({ document_id, content })).model, "ollama/concepts")
      }
      const meant = yield* ada.search("a feline companion")
      assert.deepStrictEqual(meant.models, ["ollama/concepts"])
      assert.deepInclude({ ...meant.items[0] }, { document_id: "pets", found_by: ["vector"] })

      const calls = model.requests.length
      assert.deepInclude(yield* ada.processed({ document_id: "pets" }), { added: 0, unchanged: 1 })
      assert.lengthOf(model.requests, calls, "what has its vector is not asked for again")

      yield* model.fail(404)
      const missing = yield* ada.search("our keyboard")
      assert.deepInclude({ ...missing.items[0] }, { document_id: "pets", found_by: ["words"] })
      assert.match(missing.vector_problem ?? "", /no worker gave a vector of ollama\/concepts in time/)
      const refused = yield* ada.refused({ document_id: "fresh", content: "Something new." })
      assert.deepStrictEqual(refused.status, "TASK_STATUS_FAILED")
      assert.match(refused.error, /Ollama has no model concepts/)
      yield* model.fail(undefined)

      yield* first.end("SIGTERM")
      yield* installation.startWorker("with-openai", {
        LLM_PROVIDER: "builtin", EMBEDDING_PROVIDER: "openai", OPENAI_BASE_URL: `${model.url}/v1`, OPENAI_API_KEY: "sk-secret", EMBEDDING_MODEL: "other"
      })
      assert.match((yield* ada.search("feline")).vector_problem ?? "", /have vectors of ollama\/concepts, the workers use openai\/other now/)
      assert.deepInclude(yield* ada.processed({ document_id: "pets" }), { added: 1, removed: 1, unchanged: 0, model: "openai/other" })
      const after = yield* ada.search("kitten")
      assert.deepInclude({ ...after.items[0] }, { document_id: "pets", found_by: ["vector"] })
      assert.include(after.models, "openai/other")
      assert.isTrue(model.requests.filter(({ path }) => path === "/v1/embeddings").every(({ authorization }) => authorization === "Bearer sk-secret"))
    }).pipe(Effect.scoped, Effect.provide(world)), 180_000)
})
