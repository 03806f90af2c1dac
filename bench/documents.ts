/**
 * `npm run bench:documents`: documents by an API, its embedded PostgreSQL and one worker, each a process of its own. How long a
 * document of 1,000 words takes from its submission to its being searched; words a second and the memory of both processes
 * over 20 MB in documents of the largest size that a body of JSON holds; how many of the questions of examples/knowledge find
 * their section among the first five chunks, and how long a search takes. Linux only, for the memory. Larger ones: largeDocuments.ts.
 */
import { SearchAnswer } from "@englog/rpc/http/DocumentRequest"
import { TaskAccepted } from "@englog/rpc/http/TaskView"
import { Installation } from "@englog/e2e/Installation"
import { ask, register } from "@englog/e2e/Person"
import { peakMiB, residentMiB } from "@englog/e2e/Resident"
import { Effect, Schema } from "effect"
import * as fs from "node:fs"
import { note, percentile, report, rounded, timed } from "./Figures.ts"
import { runBench } from "./runBench.ts"

const SMALL = 12
const MEGABYTES = 20

const read = (file: string) => fs.readFileSync(new URL(`../examples/knowledge/${file}`, import.meta.url), "utf8")
const questions = Schema.decodeSync(Schema.fromJsonString(Schema.Array(Schema.Struct({ question: Schema.String, section: Schema.String }))))(read("questions.json"))

/** Different words, in sentences and paragraphs, the same for the same seed. */
const prose = (words: number, seed: number): string => {
  let state = seed
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % below
  }
  const syllables = ["ba", "ke", "lo", "mi", "nu", "ra", "se", "ti", "vo", "za", "der", "gon", "pla", "stri"]
  const word = () => Array.from({ length: 1 + next(3) }, () => syllables[next(syllables.length)]).join("")
  return Array.from({ length: words }, (_, index) => `${word()}${index % 100 === 99 ? ".\n\n" : index % 12 === 11 ? ". " : " "}`).join("")
}

runBench(Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  const worker = yield* installation.startWorker("bench")
  const person = yield* register(api.url, "bench@example.com")
  const post = <A, E>(path: string, schema: Schema.Codec<A, E>, body: unknown) =>
    Effect.flatMap(ask("POST", `${api.url}${path}`, { token: person.token, body }), ({ text }) => Schema.decodeEffect(Schema.fromJsonString(schema))(text))
  const processed = Effect.fnUntraced(function*(document_id: string, content: string) {
    const { task_id } = yield* post("/api/background/tasks/document-processing", TaskAccepted, { document_id, content })
    yield* person.history(task_id)
    const { error, status } = yield* person.ended(task_id)
    if (status !== "TASK_STATUS_COMPLETED") return yield* Effect.die(new Error(`${document_id}: ${error}`))
  })
  const memory = Effect.all({ api_mib: residentMiB(api.pid), worker_mib: residentMiB(worker.pid) })

  yield* note(`${SMALL} documents of 1,000 words, one after the other`)
  const small = yield* Effect.forEach(Array.from({ length: SMALL }, (_, index) => index), (index) =>
    Effect.map(timed(processed(`small-${index}`, prose(1_000, index + 1))), ({ ms }) => ms))

  yield* note(`${questions.length} questions about the handbook`)
  yield* processed("handbook", read("handbook.md"))
  const answers = yield* Effect.forEach(questions, ({ question, section }) =>
    Effect.map(timed(post("/v1/knowledge/search", SearchAnswer, { query: question, limit: 5, document_ids: ["handbook"] })), ({ ms, value }) =>
      ({ ms, found: value.items.some(({ heading_path }) => heading_path.at(-1) === section), first: value.items[0]?.heading_path.at(-1) === section })))

  const large = prose(190_000, 7).slice(0, 1_000_000)
  yield* note(`${MEGABYTES} documents of ${large.length} characters, two at a time`)
  const ready = yield* memory
  const words = large.match(/\w+/g)?.length ?? 0
  const all = yield* timed(Effect.forEach(Array.from({ length: MEGABYTES }, (_, index) => index), (index) =>
    Effect.andThen(processed(`large-${index}`, `${index} ${large}`), index % 10 === 9 ? note(`${index + 1} of ${MEGABYTES}`) : Effect.void), { concurrency: 2 }))

  const after = yield* memory
  const peak = { api_mib: yield* peakMiB(api.pid), worker_mib: yield* peakMiB(worker.pid) }

  const [cold = 0, ...warm] = small
  yield* report("documents", {
    thousand_words: { first_ms: rounded(cold), p50_ms: rounded(percentile(warm, 0.5)), max_ms: rounded(Math.max(...warm)), target_ms: 2_000 },
    large: { megabytes: MEGABYTES, words_per_second: Math.round(words * MEGABYTES / (all.ms / 1_000)), seconds: Math.round(all.ms / 1_000) },
    memory: { ready, after, peak },
    search: {
      questions: questions.length,
      recall_at_5: rounded(answers.filter(({ found }) => found).length / answers.length),
      first_is_right: rounded(answers.filter(({ first }) => first).length / answers.length),
      p50_ms: rounded(percentile(answers.map(({ ms }) => ms), 0.5)),
      p95_ms: rounded(percentile(answers.map(({ ms }) => ms), 0.95))
    }
  })
}), "30 minutes")
