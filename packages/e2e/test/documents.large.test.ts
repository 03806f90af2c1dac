/** Documents that are larger than a request's body of JSON, by an API server and workers as they are started. */
import { assert, describe, it } from "@effect/vitest"
import { DocumentThreads, ThreadLimits } from "@englog/worker/documents/DocumentThreads"
import { NodeFileSystem } from "@effect/platform-node"
import { DocumentSummary } from "@englog/domain/tasks/DocumentProcessing"
import { Duration, Effect, Layer, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { Installation } from "../src/Installation.ts"
import { largeDocument } from "../src/LargeDocument.ts"
import { largeText } from "../src/LargeText.ts"
import { librarian } from "../src/Librarian.ts"

const world = Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeFileSystem.layer)
const utf8 = (text: string) => new TextEncoder().encode(text)

/** A page with the word "secret", under a password. */
const encryptedPdf = [
  "JVBERi0xLjMKJf////8KOCAwIG9iago8PAovVHlwZSAvUGFnZQovUGFyZW50IDEgMCBSCi9NZWRpYUJveCBbMCAwIDYxMiA3OTJdCi9Db250ZW50cyA2IDAgUgovUmVzb3VyY2VzIDcg",
  "MCBSCi9Vc2VyVW5pdCAxCj4+CmVuZG9iago3IDAgb2JqCjw8Ci9Qcm9jU2V0IFsvUERGIC9UZXh0IC9JbWFnZUIgL0ltYWdlQyAvSW1hZ2VJXQovRm9udCA8PAovRjEgOSAwIFIKPj4K",
  "L0NvbG9yU3BhY2UgPDwKPj4KPj4KZW5kb2JqCjYgMCBvYmoKPDwKL0xlbmd0aCA4NwovRmlsdGVyIC9GbGF0ZURlY29kZQo+PgpzdHJlYW0Kk4VAF/4ng32AqtEm7vjk1PUe+atBFVDX",
  "HVzb22K9/lRskoJGYfwiiIl59IT4Rhhtxgl24Jdc8LlH4txSPuuSp+CzCETf7dmF7ewLh/taeNBzRPOtkhBUCmVuZHN0cmVhbQplbmRvYmoKMTEgMCBvYmoKKB4AeOCs2ikKZW5kb2Jq",
  "CjEyIDAgb2JqCihoT+lG8RMpCmVuZG9iagoxMyAwIG9iagooBj6T4zwm/Kllk9zYcXoB1/cpCmVuZG9iagoxMCAwIG9iago8PAovUHJvZHVjZXIgMTEgMCBSCi9DcmVhdG9yIDEyIDAg",
  "UgovQ3JlYXRpb25EYXRlIDEzIDAgUgo+PgplbmRvYmoKOSAwIG9iago8PAovVHlwZSAvRm9udAovQmFzZUZvbnQgL0hlbHZldGljYQovU3VidHlwZSAvVHlwZTEKL0VuY29kaW5nIC9X",
  "aW5BbnNpRW5jb2RpbmcKPj4KZW5kb2JqCjQgMCBvYmoKPDwKPj4KZW5kb2JqCjMgMCBvYmoKPDwKL1R5cGUgL0NhdGFsb2cKL1BhZ2VzIDEgMCBSCi9OYW1lcyAyIDAgUgo+PgplbmRv",
  "YmoKMSAwIG9iago8PAovVHlwZSAvUGFnZXMKL0NvdW50IDEKL0tpZHMgWzggMCBSXQo+PgplbmRvYmoKMiAwIG9iago8PAovRGVzdHMgPDwKICAvTmFtZXMgWwpdCj4+Cj4+CmVuZG9i",
  "ago1IDAgb2JqCjw8Ci9GaWx0ZXIgL1N0YW5kYXJkCi9WIDEKL1IgMgovTyA8NDAwOGViNGY5MDkxYmIyNDU2MTNhYzFkOGE0ZGE2ZjAyY2IwMTVhODM2YWZlMGYyODQ0NWIxYjNiNTA5",
  "NmFjMz4KL1UgPGUyYjFkMmZhZDJkYmYxNTE4MjVmNTVlNzhlYzliNGRiOWJkZmM0NzM1ZDJjMjJkZDI3OWIzMjgyZmYwZmIzYjk+Ci9QIC02NAo+PgplbmRvYmoKeHJlZgowIDE0CjAw",
  "MDAwMDAwMDAgNjU1MzUgZiAKMDAwMDAwMDczOCAwMDAwMCBuIAowMDAwMDAwNzk1IDAwMDAwIG4gCjAwMDAwMDA2NzYgMDAwMDAgbiAKMDAwMDAwMDY1NSAwMDAwMCBuIAowMDAwMDAw",
  "ODQyIDAwMDAwIG4gCjAwMDAwMDAyMzggMDAwMDAgbiAKMDAwMDAwMDEzMSAwMDAwMCBuIAowMDAwMDAwMDE1IDAwMDAwIG4gCjAwMDAwMDA1NTggMDAwMDAgbiAKMDAwMDAwMDQ4MiAw",
  "MDAwMCBuIAowMDAwMDAwMzk2IDAwMDAwIG4gCjAwMDAwMDA0MjEgMDAwMDAgbiAKMDAwMDAwMDQ0NiAwMDAwMCBuIAp0cmFpbGVyCjw8Ci9TaXplIDE0Ci9Sb290IDMgMCBSCi9JbmZv",
  "IDEwIDAgUgovSUQgWzxkNjAyMmJmYWFlMzFlNDIwMzhhNGQzMDVkY2Y0ZjZiYj4gPGQ2MDIyYmZhYWUzMWU0MjAzOGE0ZDMwNWRjZjRmNmJiPl0KL0VuY3J5cHQgNSAwIFIKPj4Kc3Rh",
  "cnR4cmVmCjEwMzgKJSVFT0YK"
].join("")

describe("a large document", () => {
  it.live("of 2 MB is uploaded, processed and found near its end; its progress counts chunks", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      yield* installation.startWorker("librarian")
      const ada = yield* librarian(api.url, "ada@example.com")
      const end = "The lighthouse keeper is called Ottilie. That is all."
      const text = `${largeText(2_000_000, 3)} ${end}`
      const { bytes, upload_id } = yield* ada.upload(utf8(text))
      assert.strictEqual(bytes, text.length)
      const task_id = yield* ada.submit({ document_id: "large", upload_id })
      const { error, result, status } = yield* Effect.retry(ada.ended(task_id), { times: 9 })
      assert.strictEqual(status, "TASK_STATUS_COMPLETED", error)
      const summary = yield* Schema.decodeEffect(Schema.fromJsonString(DocumentSummary))(result)
      assert.deepInclude(summary, { stored: true, characters: text.length, words: [...text.matchAll(/[\p{L}\p{N}]+/gu)].length, removed: 0, unchanged: 0, added: summary.chunks })
      assert.isAbove(summary.chunks, 2_000)
      const { items } = yield* ada.search("what is the lighthouse keeper called", { limit: 3 })
      assert.include(items[0]?.text, end)
      assert.strictEqual(items[0]?.position, summary.chunks - 1)
      assert.strictEqual(items[0]?.text, text.slice(items[0]?.start, items[0]?.end))

      const counts = (yield* ada.history(task_id)).flatMap(({ message }) => /^([\d,]+) of ([\d,]+) chunks$/.exec(message ?? "")?.slice(1) ?? [])
      const [done, all] = [counts.filter((_, index) => index % 2 === 0), counts.filter((_, index) => index % 2 === 1)].map((texts) => texts.map((text) => Number(text.replaceAll(",", ""))))
      assert.deepStrictEqual([...new Set(all)], [summary.chunks])
      assert.deepStrictEqual(done, done?.toSorted((a, b) => a - b))
      assert.isAbove(new Set(done).size, 2)
      assert.isBelow(done?.length ?? 0, summary.chunks / 10, "not a message for every chunk, nor for every batch")

      const again = yield* ada.processed({ document_id: "large" }, 5)
      assert.deepInclude(again, { chunks: summary.chunks, added: 0, removed: 0, unchanged: summary.chunks }, "what was uploaded is kept")
    }).pipe(Effect.scoped, Effect.provide(world)), 900_000)

  it.live("is completed by the next worker where one is killed in the middle of it, without any chunk twice", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      const first = yield* installation.startWorker("killed")
      const ada = yield* librarian(api.url, "ada@example.com")
      const text = `${largeText(1_500_000, 5)} The last sentence names a marmot.`
      const { upload_id } = yield* ada.upload(utf8(text))
      const task_id = yield* ada.submit({ document_id: "interrupted", upload_id })
      yield* ada.taskThat(task_id, ({ message }) => /^[1-9][\d,]* of [\d,]+ chunks$/.test(message ?? ""))
      yield* first.end("SIGKILL")
      const between = yield* ada.task(task_id)
      assert.isNull(between.completed_at, "it was killed in the middle")
      yield* installation.startWorker("next")
      const { error, result, status } = yield* Effect.retry(ada.ended(task_id), { times: 9 })
      assert.strictEqual(status, "TASK_STATUS_COMPLETED", error)
      const summary = yield* Schema.decodeEffect(Schema.fromJsonString(DocumentSummary))(result)
      assert.deepInclude(summary, { added: summary.chunks, removed: 0, unchanged: 0, characters: text.length })
      const { items } = yield* ada.search("the last sentence names a marmot", { limit: 20 })
      assert.lengthOf(items.filter((item) => item.text.includes("marmot")), 1)
      assert.deepInclude(yield* ada.processed({ document_id: "interrupted" }, 5), { chunks: summary.chunks, added: 0, removed: 0, unchanged: summary.chunks })
      const histories = yield* ada.history(task_id)
      assert.isAbove(Math.max(...histories.map(({ attempt }) => attempt)), 1)
    }).pipe(Effect.scoped, Effect.provide(world)), 900_000)

  it.live("that is a PDF of hundreds of pages is read in memory that does not grow with their number", () =>
    Effect.gen(function*() {
      const bytes = largeDocument("pdf", 7_800_000, 5, "The last line is here.")
      const { headings, text } = yield* DocumentThreads.use((threads) => threads.whole({ format: "pdf", bytes })).pipe(Effect.provide(DocumentThreads.layer))
      assert.isAbove(headings.length, 580)
      assert.include(text.slice(headings.at(-1)?.start), "The last line is here.")
    }).pipe(Effect.scoped, Effect.provideService(ThreadLimits, { time: Duration.minutes(3), megabytes: 112 })), 300_000)

  it.live("of every format comes through an upload, and fails with the reason where it cannot be read", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      yield* installation.startWorker("reader")
      const ada = yield* librarian(api.url, "ada@example.com")
      const filler = largeText(1_100_000, 7)
      const paragraphs = filler.split("\n\n")
      const markdown = `# Log\n\n${paragraphs.map((paragraph, index) => `## Day ${index}\n\n${paragraph}\n\n- done\n`).join("\n")}\n## The harbour\n\nA pelican stands on the pier.\n`
      yield* ada.processed({ document_id: "markdown", upload_id: (yield* ada.upload(utf8(markdown), "markdown")).upload_id }, 5)
      const [pelican] = (yield* ada.search("pelican on the pier")).items
      assert.deepStrictEqual([pelican?.document_id, pelican?.heading_path], ["markdown", ["Log", "The harbour"]])
      assert.deepInclude({ ...yield* ada.read("markdown") }, { title: "Log", format: "markdown" })
      const html = `<html><head><title>Page</title></head><body>${paragraphs.map((paragraph) => `<p>${paragraph}</p>`).join("")}<h2>Zoo</h2><p>An okapi hides.</p></body></html>`
      yield* ada.processed({ document_id: "html", upload_id: (yield* ada.upload(utf8(html), "html")).upload_id }, 5)
      assert.deepStrictEqual((yield* ada.search("okapi hides")).items[0]?.heading_path, ["Zoo"])

      const refusals = [
        [Buffer.from(encryptedPdf, "base64"), "pdf", /encrypted PDF; hand it in without a password/],
        [Buffer.from(`%PDF-1.7\n${filler}`), "pdf", /not a PDF that can be read/],
        [Buffer.concat([utf8(filler), Uint8Array.from([0xff, 0xfe])]), "text", /no text in UTF-8/],
        [utf8(" ".repeat(2_000_000)), "markdown", /holds no text/]
      ] as const
      for (const [index, [bytes, format, reason]] of refusals.entries()) {
        const { upload_id } = yield* ada.upload(bytes, format)
        const { error, status } = yield* ada.refused({ document_id: `refused-${index}`, upload_id })
        assert.strictEqual(status, "TASK_STATUS_FAILED")
        assert.match(error, reason)
      }
    }).pipe(Effect.scoped, Effect.provide(world)), 600_000)
})
