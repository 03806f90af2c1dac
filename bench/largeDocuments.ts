/**
 * `npm run bench:large-documents [-- FORMAT…]`: one document of 50 MiB of each format (text, markdown, html, pdf), by an API, its embedded
 * PostgreSQL and a worker that are started anew for it: seconds until it is uploaded and until it is processed, the highest memory
 * of both programs meanwhile, and a search that has to find its last sentence. Linux only, for the memory.
 */
import { DocumentFormat } from "@englog/domain/documents/Document"
import { MAX_DOCUMENT_BYTES } from "@englog/domain/documents/DocumentUpload"
import { Installation } from "@englog/e2e/Installation"
import { largeDocument } from "@englog/e2e/LargeDocument"
import { librarian } from "@englog/e2e/Librarian"
import { peakMiB, residentMiB } from "@englog/e2e/Resident"
import { Effect, Schema } from "effect"
import { note, report, rounded, timed } from "./Figures.ts"
import { runBench } from "./runBench.ts"

const LAST = "The lighthouse keeper is called Ottilie."

const given = process.argv.slice(2)
const formats = Schema.decodeUnknownSync(Schema.Array(DocumentFormat))(given.length === 0 ? DocumentFormat.literals : given)

const measured = Effect.fnUntraced(function*(format: DocumentFormat) {
  yield* note(`${MAX_DOCUMENT_BYTES} bytes of ${format}`)
  const installation = yield* Installation
  const api = yield* installation.startApi()
  const worker = yield* installation.startWorker(`bench-${format}`)
  const person = yield* librarian(api.url, `${format}@example.com`)
  const bytes = largeDocument(format, MAX_DOCUMENT_BYTES, 11, LAST)
  const ready = { api_mib: yield* residentMiB(api.pid), worker_mib: yield* residentMiB(worker.pid) }
  const uploaded = yield* timed(person.upload(bytes, format))
  const { ms, value: { chunks, words } } = yield* timed(person.processed({ document_id: format, upload_id: uploaded.value.upload_id }, 60))
  const found = yield* timed(person.search("what is the lighthouse keeper called?", { document_ids: [format] }))
  const peak = { api_mib: yield* peakMiB(api.pid), worker_mib: yield* peakMiB(worker.pid) }
  yield* worker.end("SIGTERM")
  yield* api.end("SIGTERM")
  return {
    bytes: bytes.length,
    chunks,
    words,
    upload_seconds: rounded(uploaded.ms / 1_000),
    processing_seconds: rounded(ms / 1_000),
    words_per_second: Math.round(words / (ms / 1_000)),
    memory: { ready, peak },
    search_ms: rounded(found.ms),
    last_sentence_found: found.value.items.some(({ text }) => text.includes("Ottilie"))
  }
})

runBench(
  Effect.flatMap(Effect.forEach(formats, (format) => Effect.map(measured(format), (figures) => [format, figures] as const)), (all) =>
    report("large-documents", Object.fromEntries(all))),
  "4 hours"
)
