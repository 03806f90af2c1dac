/** Embeddings of OpenAI-compatible endpoints (OpenRouter, OpenAI, vLLM …). */
import { Effect, Schema } from "effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { ModelError } from "./InsightModel.ts"
import { answered, clientOf, type OpenAiOptions, WHO } from "./OpenAiModel.ts"
import type { EmbedCall } from "./Embedding.ts"

const Answer = Schema.Struct({
  data: Schema.Array(Schema.Struct({ index: Schema.Int, embedding: Schema.Array(Schema.Finite) }))
})

export const make = Effect.fnUntraced(function*(options: OpenAiOptions) {
  const client = yield* clientOf(options)
  const { model } = options
  const embed: EmbedCall = (texts) =>
    answered(client.execute(HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post("/embeddings"), { model, input: texts, encoding_format: "float" })), model).pipe(
      Effect.flatMap((response) =>
        HttpClientResponse.schemaBodyJson(Answer)(response).pipe(
          Effect.mapError((cause) => new ModelError({ reason: "Garbage", message: `${WHO} answered in an unknown form`, cause }))
        )),
      Effect.map(({ data }) => [...data].sort((a, b) => a.index - b.index).map(({ embedding }) => embedding))
    )
  return embed
})
