/**
 * Parses documents in threads of their own, because what strangers hand in can keep a parser busy for as long as it likes and
 * fill any memory: the worker's heartbeats and other tasks go on, and a document that takes too much is refused. A thread that
 * has answered is kept for the next question; one that has not is ended. Threads see no environment variables. No more than
 * `AT_ONCE` of them work at a time, so that their memory is bounded, whatever the number of tasks.
 */
import { Context, Duration, Effect, Layer, Schema, Semaphore } from "effect"
import { Worker } from "node:worker_threads"
import type { ParsedSegment, Segment } from "./Markdown.ts"
import { type Parsed, Unreadable } from "./Parsed.ts"
import type { WholeSource } from "./ParseDocument.ts"
import type { Question } from "./ParseQuestion.ts"

export const ThreadLimits = Context.Reference<{ readonly time: Duration.Duration; readonly megabytes: number }>(
  "@englog/worker/documents/ThreadLimits",
  { defaultValue: () => ({ time: Duration.seconds(60), megabytes: 1_024 }) }
)

export class DocumentThreads extends Context.Service<DocumentThreads, {
  /** The bytes are the thread's from then on. */
  readonly whole: (source: WholeSource) => Effect.Effect<Parsed, Unreadable>
  readonly segment: (segment: Segment) => Effect.Effect<ParsedSegment, Unreadable>
}>()("@englog/worker/documents/DocumentThreads") {
  static readonly layer = Layer.effect(DocumentThreads, Effect.suspend(() => make))
}

/** Threads that work at a time; as many are kept while there is nothing to do. */
const AT_ONCE = 2

const make = Effect.gen(function*() {
  const { megabytes, time } = yield* ThreadLimits
  const idle: Array<Worker> = []
  const atOnce = yield* Semaphore.make(AT_ONCE)
  yield* Effect.addFinalizer(() => Effect.forEach(idle, end, { concurrency: "unbounded", discard: true }))

  const asked = <A>(question: Question, decode: (answer: unknown) => Effect.Effect<A, Schema.SchemaError>): Effect.Effect<A, Unreadable> =>
    atOnce.withPermit(Effect.acquireUseRelease(
      Effect.suspend(() => {
        const thread = idle.pop()
        return thread === undefined ? start(megabytes) : Effect.succeed(thread)
      }),
      (thread) => answerOf(thread, question, megabytes).pipe(
        Effect.timeoutOrElse({
          duration: Duration.sum(time, extraTime(question)),
          orElse: () => Effect.fail(new Unreadable({ message: `the document could not be read within ${Duration.format(Duration.sum(time, extraTime(question)))}` }))
        })
      ),
      (thread, exit) => exit._tag === "Success" && idle.length < AT_ONCE ? Effect.sync(() => void idle.push(thread)) : end(thread)
    )).pipe(
      Effect.flatMap((message) => Effect.orDie(decodeAnswer(message))),
      Effect.flatMap((told) => told._tag === "Read" ? Effect.orDie(decode(told.answer)) : Effect.fail(new Unreadable({ message: told.message })))
    )

  return DocumentThreads.of({
    whole: Effect.fn("DocumentThreads.whole")((source) => asked({ _tag: "Whole", ...source }, decodeParsed)),
    segment: Effect.fn("DocumentThreads.segment")((segment) => asked({ _tag: "Segment", ...segment }, decodeSegment))
  })
})

/** A document that is 50 times as large as a request's body may take as much longer. */
const extraTime = (question: Question): Duration.Duration =>
  question._tag === "Segment" ? Duration.zero : Duration.seconds(Math.floor(question.bytes.length / 1_048_576) * 5)

/** Beside this file in the sources, and beside the program in its bundle. */
const parser = new URL(import.meta.url.endsWith(".ts") ? "./parseThread.ts" : "./parseThread.js", import.meta.url)

/** Ready to read: loading the parsers is not the document's time. */
const start = (megabytes: number): Effect.Effect<Worker> =>
  Effect.callback<Worker>((resume) => {
    const thread = new Worker(parser, {
      env: {},
      execArgv: ["--disable-warning=ExperimentalWarning"],
      resourceLimits: { maxOldGenerationSizeMb: megabytes }
    })
    // It must not keep a process that has nothing else to do.
    thread.unref()
    thread.once("error", (cause) => resume(Effect.die(cause)))
    thread.once("exit", (code) => resume(Effect.die(new Error(`the thread of documents ended with ${code} before it was ready`))))
    thread.once("message", () => resume(Effect.succeed(thread)))
  })

const end = (thread: Worker) => Effect.promise(() => thread.terminate())

const answerOf = (thread: Worker, question: Question, megabytes: number) =>
  Effect.callback<unknown, Unreadable>((resume) => {
    thread.once("message", (message) => resume(Effect.succeed(message)))
    thread.removeAllListeners("error")
    thread.once("error", (cause) => resume(isOutOfMemory(cause) ? Effect.fail(tooMuch(megabytes)) : Effect.die(cause)))
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's, not a window's
    thread.postMessage(question, question._tag === "Whole" && question.bytes.buffer instanceof ArrayBuffer ? [question.bytes.buffer] : [])
  }).pipe(Effect.ensuring(Effect.sync(() => {
    thread.removeAllListeners("message")
    // An error that comes while it is being ended is nobody's.
    thread.removeAllListeners("error").on("error", () => undefined)
  })))

const tooMuch = (megabytes: number) => new Unreadable({ message: `the document needs more than ${megabytes} MiB to be read` })

const isOutOfMemory = (cause: unknown): boolean =>
  typeof cause === "object" && cause !== null && "code" in cause && cause.code === "ERR_WORKER_OUT_OF_MEMORY"

const decodeAnswer = Schema.decodeUnknownEffect(Schema.Union([
  Schema.TaggedStruct("Read", { answer: Schema.Unknown }),
  Schema.TaggedStruct("Unreadable", { message: Schema.String })
]))

const Span = { start: Schema.Int, end: Schema.Int }
const structure = {
  headings: Schema.Array(Schema.Struct({ ...Span, level: Schema.Int, title: Schema.String })),
  fences: Schema.Array(Schema.Struct(Span)),
  title: Schema.NullOr(Schema.String)
}
const decodeParsed = Schema.decodeUnknownEffect(Schema.Struct({ ...structure, text: Schema.String }))
const decodeSegment = Schema.decodeUnknownEffect(Schema.Struct({ ...structure, consumed: Schema.Int }))
