/** Embeddings of an Ollama server, through its own package; a client for each call, as in OllamaModel. */
import { Effect } from "effect"
import { Ollama } from "ollama/browser"
import { boundedFetch } from "./BoundedFetch.ts"
import type { EmbedCall } from "./Embedding.ts"
import { errorOf } from "./OllamaModel.ts"

export interface OllamaEmbeddingOptions {
  readonly url: string
  readonly model: string
}

export const make = ({ model, url }: OllamaEmbeddingOptions): EmbedCall => (texts) =>
  Effect.tryPromise({
    try: (signal) =>
      new Ollama({ host: url, fetch: (input, init) => boundedFetch(input, { ...init, signal }) })
        // Texts beyond the model's window are cut off by it.
        .embed({ model, input: [...texts], truncate: true }),
    catch: (cause) => errorOf(cause, model)
  }).pipe(Effect.map(({ embeddings }) => embeddings))
