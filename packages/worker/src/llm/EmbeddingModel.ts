/**
 * What turns texts into vectors: a model of Ollama or of an OpenAI-compatible endpoint where one is configured, else the
 * built-in lexical embedding. There is no fallback from one to another: their vectors cannot be compared.
 */
import { LEXICAL_MODEL, lexicalEmbedding } from "@englog/domain/search/LexicalEmbedding"
import { Context, Duration, Effect, Layer, Schedule } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { AppConfig } from "../AppConfig.ts"
import * as CircuitBreaker from "../CircuitBreaker.ts"
import { boundedFetch } from "./BoundedFetch.ts"
import type { EmbedCall, Vectors } from "./Embedding.ts"
import { ModelError } from "./InsightModel.ts"
import { ModelLimits } from "./ModelCalls.ts"
import * as OllamaEmbedding from "./OllamaEmbedding.ts"
import * as OpenAiEmbedding from "./OpenAiEmbedding.ts"

export class EmbeddingModel extends Context.Service<EmbeddingModel, {
  /** Stored with every vector. */
  readonly name: string
  /** Texts of one call. */
  readonly batch: number
  /** One vector for each text, all of one dimension. */
  readonly embed: EmbedCall
}>()("@englog/worker/llm/EmbeddingModel") {
  static readonly layer = Layer.effect(EmbeddingModel, Effect.suspend(() => make)).pipe(
    Layer.provide(FetchHttpClient.layer),
    Layer.provide(Layer.succeed(FetchHttpClient.Fetch, boundedFetch))
  )
}

/** Of a remote model: more in one call are no faster, and lost together. */
const BATCH = 32
/** The built-in one answers at once; progress is told after each batch. */
const BUILTIN_BATCH = 64

const make = Effect.gen(function*() {
  const { embeddings } = yield* AppConfig
  if (embeddings._tag === "Builtin") {
    return EmbeddingModel.of({
      name: LEXICAL_MODEL,
      batch: BUILTIN_BATCH,
      embed: (texts) => Effect.sync(() => texts.map(lexicalEmbedding))
    })
  }
  const limits = yield* ModelLimits
  const breaker = yield* CircuitBreaker.make({ name: "embeddings", ...CircuitBreaker.seedPolicy })
  const call = embeddings._tag === "Ollama" ? OllamaEmbedding.make(embeddings) : yield* OpenAiEmbedding.make(embeddings)
  return EmbeddingModel.of({
    name: `${embeddings._tag.toLowerCase()}/${embeddings.model}`,
    batch: BATCH,
    embed: Effect.fn("EmbeddingModel.embed")(function*(texts) {
      return yield* breaker.run(
        call(texts).pipe(
          Effect.timeoutOrElse({
            duration: limits.call,
            orElse: () => Effect.fail(new ModelError({ reason: "Timeout", message: `the embedding model did not answer within ${Duration.format(limits.call)}` }))
          }),
          Effect.filterOrFail((vectors) => fits(vectors, texts.length), () =>
            new ModelError({ reason: "Garbage", message: "the embedding model's answer does not have one vector for each text" }))
        ),
        (error) => error.isTransient
      ).pipe(
        Effect.retry({
          schedule: Schedule.exponential(limits.firstDelay).pipe(Schedule.jittered),
          times: limits.retries,
          while: (error) => error._tag === "ModelError" && error.isTransient
        }),
        Effect.catchTag("CircuitOpen", ({ message }) => Effect.fail(new ModelError({ reason: "ServerError", message })))
      )
    })
  })
})

const fits = (vectors: Vectors, count: number): boolean =>
  vectors.length === count && vectors.every((vector) => vector.length > 0 && vector.length === vectors[0]?.length && vector.every(Number.isFinite))
