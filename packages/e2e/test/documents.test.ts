/** Documents by an API server and a worker as they are started, and by whoever uses them over REST. */
import { assert, layer } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { BatchSummary } from "@englog/domain/tasks/DocumentBatch"
import { BulkDocumentsAccepted } from "@englog/rpc/http/DocumentRequest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Context, Effect, FileSystem, Layer, Redacted, Schema, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { Installation } from "../src/Installation.ts"
import { librarian } from "../src/Librarian.ts"
import { ask, password, register } from "../src/Person.ts"
import { fileURLToPath } from "node:url"

const atWork = Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  const worker = yield* installation.startWorker("librarian", { LLM_PROVIDER: "builtin" })
  return { api, worker, ada: yield* librarian(api.url, "ada@example.com") }
})

class AtWork extends Context.Service<AtWork, Effect.Success<typeof atWork>>()("@englog/e2e/test/documents/AtWork") {
  static readonly layer = Layer.effect(AtWork, atWork)
}

const world = AtWork.layer.pipe(Layer.provideMerge(Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeFileSystem.layer)))

const handbook = `# Handbook

## Backups

Backups are taken at two in the morning and kept for thirty days.

## Key rotation

A key is rotated by putting a new one first in the ring. Older keys still decrypt.

\`\`\`sh
npm run admin -- rotate-keys
\`\`\`
`

layer(world, { excludeTestServices: true, timeout: "120 seconds" })("a document", (it) => {
  it.effect("as the seed hands it in is cut, stored and found, with its headings and where it stands", () =>
    Effect.gen(function*() {
      const { ada } = yield* AtWork
      const summary = yield* ada.processed({ document_id: "doc_123", content: handbook, chunk_size: 1000, priority: "normal" })
      assert.deepInclude(summary, { document_id: "doc_123", stored: true, chunks: 2, added: 2, removed: 0, unchanged: 0, model: "builtin-lexical-1" })
      const { items, vector_problem } = yield* ada.search("rotating keys")
      assert.isNull(vector_problem)
      const [first] = items
      assert.deepStrictEqual(first?.heading_path, ["Handbook", "Key rotation"])
      assert.strictEqual(first?.text, handbook.slice(first?.start, first?.end))
      assert.include(first?.text, "rotate-keys\n```", "its code is whole")
      const document = yield* ada.read("doc_123")
      assert.deepInclude({ ...document }, { title: "Handbook", format: "markdown", status: "completed", revision: 1, searched_revision: 1, chunks: 2 })
    }))

  it.effect("that is handed in again has only those chunks replaced that changed", () =>
    Effect.gen(function*() {
      const { ada } = yield* AtWork
      const before = yield* ada.search("backups morning", { document_ids: ["doc_123"] })
      const summary = yield* ada.processed({ document_id: "doc_123", content: handbook.replace("Older keys still decrypt.", "Older ones stay.") })
      assert.deepInclude(summary, { chunks: 2, added: 1, removed: 1, unchanged: 1 })
      const after = yield* ada.search("backups morning", { document_ids: ["doc_123"] })
      assert.strictEqual(after.items[0]?.chunk_id, before.items[0]?.chunk_id)
      assert.lengthOf((yield* ada.search("decrypt")).items.filter(({ found_by }) => found_by.includes("words")), 0)
      assert.deepInclude(yield* ada.processed({ document_id: "doc_123" }), { added: 0, removed: 0, unchanged: 2 }, "the same once more changes nothing")
    }))

  it.effect("of a bulk is one task among others, whose parent completes after all of them and tells of each", () =>
    Effect.gen(function*() {
      const { ada } = yield* AtWork
      const accepted = yield* ada.answered("POST", "/api/background/integrations/knowledge/process-bulk", BulkDocumentsAccepted, {
        documents: [
          { document_id: "bulk-1", content: "Tomatoes ripen in August." },
          { document_id: "bulk-2", content_base64: Buffer.from("%PDF-1.7\ngarbage").toString("base64") },
          { document_id: "bulk-3", content: "<html><body><h1>Cellar</h1><p>Potatoes rest in the dark.</p></body></html>" },
          { document_id: "bulk-4", content: "<html><script>only()</script></html>" }
        ]
      })
      const { result, status } = yield* ada.ended(accepted.task_id)
      assert.strictEqual(status, "TASK_STATUS_COMPLETED")
      const summary = yield* Schema.decodeEffect(Schema.fromJsonString(BatchSummary))(result)
      assert.deepInclude(summary, { documents: 4, succeeded: 2, failed: 2, chunks: 2, words: 10 })
      assert.deepStrictEqual(summary.items.map(({ document_id, status, task_id }) => ({ document_id, status, task_id })), accepted.items.map(({ document_id, task_id }, index) =>
        ({ document_id, status: index % 2 === 0 ? "completed" as const : "failed" as const, task_id })))
      assert.match(summary.items[1]?.error ?? "", /not a PDF that can be read/)
      assert.match(summary.items[3]?.error ?? "", /holds no text/)
      assert.deepStrictEqual(summary.items.filter(({ error }) => error === null).map(({ document_id }) => document_id), ["bulk-1", "bulk-3"])
      const states = yield* Effect.forEach(accepted.items, ({ task_id }) => Effect.map(ada.ended(task_id), ({ status }) => status))
      assert.deepStrictEqual(states, ["TASK_STATUS_COMPLETED", "TASK_STATUS_FAILED", "TASK_STATUS_COMPLETED", "TASK_STATUS_FAILED"])
      assert.deepStrictEqual((yield* ada.search("potato cellar")).items[0]?.heading_path, ["Cellar"])
    }))

  it.effect("of a bulk of which none can be read has a parent that completes, and says so", () =>
    Effect.gen(function*() {
      const { ada } = yield* AtWork
      const { task_id } = yield* ada.answered("POST", "/api/background/integrations/knowledge/process-bulk", BulkDocumentsAccepted, {
        documents: [{ document_id: "none-1", content: "<html></html>" }]
      })
      const { result, status } = yield* ada.ended(task_id)
      assert.strictEqual(status, "TASK_STATUS_COMPLETED")
      assert.deepInclude(yield* Schema.decodeEffect(Schema.fromJsonString(BatchSummary))(result), { documents: 1, succeeded: 0, failed: 1, chunks: 0, words: 0 })
    }))

  it.effect("that is deleted is found no more, and is nobody else's before either", () =>
    Effect.gen(function*() {
      const { ada, api } = yield* AtWork
      yield* ada.processed({ document_id: "secret", content: "The password of the cellar is swordfish." })
      const eve = yield* librarian(api.url, "eve@example.com")
      assert.lengthOf((yield* eve.search("swordfish")).items, 0)
      assert.isAbove((yield* ada.search("swordfish")).items.length, 0)
      assert.strictEqual((yield* ask("DELETE", `${api.url}/v1/knowledge/documents/secret`, { token: eve.token })).status, 404)
      assert.strictEqual((yield* ask("DELETE", `${api.url}/v1/knowledge/documents/secret`, { token: ada.token })).status, 204)
      assert.lengthOf((yield* ada.search("swordfish")).items, 0)
    }))

  it.effect("is handed in alone or with others, and asked for, through the typed client; both ways of reaching the server answer alike", () =>
    Effect.gen(function*() {
      const { api } = yield* AtWork
      const handbook = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(fileURLToPath(new URL("../../../examples/knowledge/handbook.md", import.meta.url))))
      for (const transport of ["http", "websocket"] as const) {
        const email = `typed-${transport}@example.com`
        yield* register(api.url, email)
        const client = yield* Layer.build(EngLogClient.layer({ url: api.url, transport, auth: { email, password: Redacted.make(password) } }))
        const englog = Context.get(client, EngLogClient)
        const one = yield* englog.submitDocumentProcessing({ document_id: "handbook", content: handbook, chunk_size: 500 })
        const steps = yield* Stream.runCollect(one.steps)
        assert.strictEqual(steps.at(-1)?.type, "completed")
        const summary = yield* one.result
        assert.deepInclude(summary, { document_id: "handbook", stored: true, removed: 0 })
        assert.isAtLeast(summary.chunks, 36, "a section is a chunk at least")
        const { items } = yield* englog.searchKnowledge({ query: "how long are backups kept?", limit: 5 })
        assert.include(items.map(({ heading_path }) => heading_path.at(-1)), "Backups")
        const many = yield* englog.submitDocuments({ documents: [{ document_id: "a", content: "Tomatoes ripen in August." }, { document_id: "b", content: "Potatoes rest in the dark." }] })
        assert.deepInclude(yield* many.result, { documents: 2, chunks: 2 })
        assert.strictEqual((yield* englog.searchKnowledge({ query: "tomatoes", document_ids: ["a"] })).items[0]?.document_id, "a")
        const unreadable = yield* englog.submitDocumentProcessing({ document_id: "broken", content_base64: Buffer.from("%PDF-1.7 garbage").toString("base64") })
        const failure = yield* Effect.flip(unreadable.result)
        assert.strictEqual(failure._tag === "TaskNotCompleted" ? failure.state : failure._tag, "failed")
        assert.deepInclude(yield* Effect.flip(englog.submitDocumentProcessing({ document_id: "none" })), { reason: "not_found" })
      }
    }))

  it.effect("in any script is found by words of it", () =>
    Effect.gen(function*() {
      const { ada } = yield* AtWork
      const texts = {
        pt: ["A reunião começou às nove. Café e pão de queijo.", "reuniao"],
        ru: ["Сервер обновили вчера вечером.", "вечером"],
        zh: ["数据库每天凌晨两点备份。", "备份"],
        ar: ["تم تحديث الخادم مساء أمس.", "الخادم"],
        hi: ["सर्वर कल शाम अपडेट किया गया।", "सर्वर"],
        emoji: ["Deploy 👩‍👩‍👧‍👦 went well 🚀", "🚀"]
      } as const
      for (const [name, [content]] of Object.entries(texts)) yield* ada.processed({ document_id: `script-${name}`, content })
      for (const [name, [, query]] of Object.entries(texts)) {
        const { items } = yield* ada.search(query)
        assert.strictEqual(items[0]?.document_id, `script-${name}`, query)
      }
    }))

  it.effect("that cannot be read fails at once with the reason, and the one before it stays", () =>
    Effect.gen(function*() {
      const { ada } = yield* AtWork
      const bytes = (text: string) => Buffer.from(text).toString("base64")
      const refusals = [
        [{ content_base64: bytes("%PDF-1.7\ngarbage") }, /not a PDF that can be read/],
        [{ content: `<html><body>${"<div>".repeat(5_000)}` }, /more than 512 elements within each other/],
        [{ content_base64: Buffer.from([0x41, 0xff, 0x80]).toString("base64"), format: "text" }, /no text in UTF-8/],
        [{ content: "<html><script>only()</script></html>" }, /holds no text/]
      ] as const
      for (const [index, [document, reason]] of refusals.entries()) {
        const { error, status } = yield* ada.refused({ document_id: `unreadable-${index}`, ...document })
        assert.strictEqual(status, "TASK_STATUS_FAILED")
        assert.match(error, reason)
      }
      yield* ada.processed({ document_id: "stays", content: "A lighthouse on a rock." })
      yield* ada.refused({ document_id: "stays", ...refusals[0][0] })
      assert.strictEqual((yield* ada.search("lighthouse")).items[0]?.document_id, "stays")
      assert.deepInclude({ ...yield* ada.read("stays") }, { status: "failed", revision: 2, searched_revision: 1 })
    }))

  it.effect("of more than a request may hold is refused before it is read", () =>
    Effect.gen(function*() {
      const { ada, api } = yield* AtWork
      const body = { document_id: "large", content: "x".repeat(2_000_000) }
      const { status, text } = yield* ask("POST", `${api.url}/api/background/tasks/document-processing`, { token: ada.token, body })
      assert.strictEqual(status, 413)
      assert.include(text, "1048576")
    }))
})
