/**
 * Ollama as an InsightModel, through its own package: structured output by JSON schema, and requests that really abort.
 *
 * The package's non-streaming calls take no AbortSignal, and `abort()` would end all requests of a client; so each call
 * has a client of its own whose `fetch` carries the signal.
 */
import { Effect } from "effect"
import { Ollama } from "ollama/browser"
import { AnswerTooLong, boundedFetch } from "./BoundedFetch.ts"
import { errorOfStatus, type InsightModel, ModelError } from "./InsightModel.ts"

export const make = (url: string, model: string): InsightModel => {
  const use = <A>(run: (client: Ollama) => Promise<A>) =>
    Effect.tryPromise({
      try: (signal) => run(new Ollama({ host: url, fetch: (input, init) => boundedFetch(input, { ...init, signal }) })),
      catch: (cause) => errorOf(cause, model)
    })
  return {
    system: "ollama",
    model,
    call: ({ system, user, format }) =>
      use((client) =>
        client.chat({
          model,
          stream: false,
          format,
          messages: [{ role: "system", content: system }, { role: "user", content: user }],
          // The prompt is sized for a window of 8,192 tokens, a quarter of it for the answer; Ollama's default is smaller.
          options: { temperature: 0.2, num_ctx: 8_192, num_predict: 2_048 }
        })
      ).pipe(
        Effect.map((reply) => ({
          text: reply.message.content,
          complete: reply.done && reply.done_reason !== "length",
          inputTokens: reply.prompt_eval_count,
          outputTokens: reply.eval_count,
          // In nanoseconds. A server that leaves it out has nothing to load.
          loadSeconds: (reply.load_duration ?? 0) / 1e9
        }))
      ),
    check: Effect.asVoid(use((client) => client.version()))
  }
}

export const errorOf = (cause: unknown, model: string): ModelError => {
  if (hasStatus(cause)) return errorOfStatus("Ollama", model, cause.status_code, cause)
  if (cause instanceof AnswerTooLong) return new ModelError({ reason: "Garbage", message: "Ollama's answer had no end", cause })
  // fetch reports every transport failure as a TypeError; a body that is no JSON is a SyntaxError.
  return cause instanceof SyntaxError
    ? new ModelError({ reason: "Garbage", message: "Ollama answered something that is not JSON", cause })
    : new ModelError({ reason: "Unreachable", message: "Ollama is not reachable", cause })
}

const hasStatus = (cause: unknown): cause is { readonly status_code: number } =>
  typeof cause === "object" && cause !== null && "status_code" in cause && typeof cause.status_code === "number"
