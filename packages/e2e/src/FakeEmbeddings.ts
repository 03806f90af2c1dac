/**
 * A server that speaks the embedding APIs of Ollama (/api/embed) and of OpenAI (/v1/embeddings). Its model knows a few concepts:
 * texts that mean the same have the same direction, whatever their words.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { listenOnLoopback } from "./Loopback.ts"

export interface EmbedRequest {
  readonly path: string
  readonly model: string
  readonly input: ReadonlyArray<string>
  readonly authorization: string | undefined
}

export class FakeEmbeddings extends Context.Service<FakeEmbeddings, {
  readonly url: string
  readonly requests: ReadonlyArray<EmbedRequest>
  /** Answers every call with this status from now on; undefined: well again. */
  readonly fail: (status: number | undefined) => Effect.Effect<void>
}>()("@englog/e2e/FakeEmbeddings") {
  static readonly layer = Layer.effect(FakeEmbeddings, Effect.suspend(() => make))
}

const concepts = [["cat", "feline", "kitten"], ["car", "automobile", "vehicle"], ["rain", "downpour", "drizzle"], ["bread", "loaf", "bakery"], ["violin", "fiddle"]]

/** Of OpenAI's model a number more: two models never have the same vectors. */
const vectorOf = (text: string, more: number) => {
  const words = text.toLowerCase()
  const vector = concepts.map((names) => names.some((name) => words.includes(name)) ? 1 : 0.01)
  return [...vector, ...Array.from({ length: more }, () => 0.02)]
}

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ model: Schema.String, input: Schema.Array(Schema.String) })))

const make = Effect.gen(function*() {
  const requests: Array<EmbedRequest> = []
  let status: number | undefined

  const answer = (request: IncomingMessage, response: ServerResponse, body: string) => {
    const path = request.url ?? ""
    const { input, model } = decode(body)
    requests.push({ path, model, input, authorization: request.headers.authorization })
    if (status !== undefined) return json(response, { error: `scripted status ${status}` }, status)
    if (path === "/api/embed") return json(response, { model, embeddings: input.map((text) => vectorOf(text, 0)) })
    if (path === "/v1/embeddings") {
      // In another order than they were asked in, as the API allows.
      return json(response, { data: input.map((text, index) => ({ index, embedding: vectorOf(text, 1) })).toReversed(), model })
    }
    json(response, { error: "not found" }, 404)
  }

  const server = createServer((request, response) => {
    if (request.method === "GET") return json(response, { version: "0.12.0", data: [] })
    let body = ""
    request.setEncoding("utf8")
    request.on("data", (chunk: string) => body += chunk)
    request.on("end", () => answer(request, response, body))
  })
  const port = yield* Effect.acquireRelease(
    listenOnLoopback(server),
    () => Effect.callback<void>((resume) => {
      server.close(() => resume(Effect.void))
      server.closeAllConnections()
    })
  )
  return FakeEmbeddings.of({
    url: `http://127.0.0.1:${port}`,
    requests,
    fail: (next) => Effect.sync(() => {
      status = next
    })
  })
})

const json = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}
