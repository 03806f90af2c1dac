/** A thread of DocumentThreads: says that it is ready, then takes one question after the other and answers each. */
import { Effect, Schema } from "effect"
import { parentPort } from "node:worker_threads"
import { Question } from "./ParseQuestion.ts"
import { type ParsedSegment, parseSegment } from "./Markdown.ts"
import type { Parsed, Unreadable } from "./Parsed.ts"
import { parseDocument } from "./ParseDocument.ts"

const decode = Schema.decodeUnknownEffect(Question)

parentPort?.on("message", (given) => {
  Effect.runFork(
    decode(given).pipe(
      Effect.flatMap((question): Effect.Effect<Parsed | ParsedSegment, Unreadable> => question._tag === "Whole" ? parseDocument(question) : parseSegment(question)),
      Effect.match({
        onSuccess: (answer) => ({ _tag: "Read", answer }),
        onFailure: ({ message }) => ({ _tag: "Unreadable", message })
      }),
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's, not a window's
      Effect.map((answer) => parentPort?.postMessage(answer))
    )
  )
})

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's, not a window's
parentPort?.postMessage("ready")
