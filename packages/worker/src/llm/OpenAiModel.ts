/** OpenAI-compatible endpoints (OpenAI, OpenRouter, vLLM …) as an InsightModel: chat/completions with a JSON schema. */
import { Effect, Option, Redacted, Schema } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { HttpClientError } from "effect/http/HttpClientError"
import { errorOfStatus, type InsightModel, ModelError, type ModelRequest } from "./InsightModel.ts"

export interface OpenAiOptions {
  readonly baseUrl: string
  /** None: a local endpoint that asks for none. */
  readonly apiKey: Option.Option<Redacted.Redacted<string>>
  readonly model: string
}

const Completion = Schema.Struct({
  choices: Schema.NonEmptyArray(Schema.Struct({
    message: Schema.Struct({ content: Schema.NullOr(Schema.String) }),
    finish_reason: Schema.NullOr(Schema.String)
  })),
  usage: Schema.optionalKey(Schema.NullOr(Schema.Struct({ prompt_tokens: Schema.Int, completion_tokens: Schema.Int })))
})

/** A client to the endpoint, with its key. */
export const clientOf = (options: Pick<OpenAiOptions, "baseUrl" | "apiKey">) =>
  Effect.map(HttpClient.HttpClient, HttpClient.mapRequest((request) =>
    request.pipe(
      HttpClientRequest.prependUrl(options.baseUrl),
      HttpClientRequest.acceptJson,
      Option.match(options.apiKey, {
        onNone: () => (unchanged: HttpClientRequest.HttpClientRequest) => unchanged,
        onSome: (key) => HttpClientRequest.bearerToken(Redacted.value(key))
      })
    )))

export const make = Effect.fnUntraced(function*(options: OpenAiOptions) {
  const { model } = options
  const client = yield* clientOf(options)
  const completions = (request: ModelRequest) =>
    client.execute(HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post("/chat/completions"), bodyOf(model, request)))
  const insightModel: InsightModel = {
    system: "openai",
    model,
    call: (request) =>
      answered(completions(request), model).pipe(
        Effect.flatMap(readCompletion),
        Effect.map(({ choices: [choice], usage }) => ({
          text: choice.message.content ?? "",
          complete: choice.finish_reason !== "length",
          inputTokens: usage?.prompt_tokens,
          outputTokens: usage?.completion_tokens
        }))
      ),
    check: Effect.asVoid(answered(client.execute(HttpClientRequest.get("/models")), model))
  }
  return insightModel
})

type Response = Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError>

/** For people; the address may hold credentials. */
export const WHO = "the OpenAI-compatible endpoint"

export const answered = (response: Response, model: string) =>
  response.pipe(
    Effect.mapError((cause) => new ModelError({ reason: "Unreachable", message: `${WHO} is not reachable`, cause })),
    Effect.filterOrFail(
      ({ status }) => status < 400,
      ({ status }) => errorOfStatus(WHO, model, status, `status ${status}`)
    )
  )

const readCompletion = (response: HttpClientResponse.HttpClientResponse) =>
  HttpClientResponse.schemaBodyJson(Completion)(response).pipe(
    Effect.mapError((cause) => new ModelError({ reason: "Garbage", message: `${WHO} answered in an unknown form`, cause }))
  )

const bodyOf = (model: string, request: ModelRequest) => ({
  model,
  temperature: 0.2,
  messages: [{ role: "system", content: request.system }, { role: "user", content: request.user }],
  response_format: { type: "json_schema", json_schema: { name: "insight", schema: request.format } }
})
