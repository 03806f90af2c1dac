/**
 * A server that speaks Ollama's HTTP API (/api/version, /api/tags, /api/chat) and answers as a test tells it: well, slowly,
 * falsely, brokenly, or not at all. It keeps the chat requests it got.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { listenOnLoopback } from "./Loopback.ts"
import { type NeverCame, waitUntil } from "./WaitUntil.ts"

export type Answer =
  /** The model's text: an insight as JSON. */
  | { readonly _tag: "Insight"; readonly content: string; readonly confidence?: number; readonly tags?: ReadonlyArray<string> }
  /** The model's text as it is. */
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Status"; readonly status: number; readonly error?: string }
  /** The response breaks off in the middle of its body. */
  | { readonly _tag: "Truncated" }
  /** The connection is reset in the middle of the body. */
  | { readonly _tag: "Reset" }
  /** The body goes on for as long as it is read. */
  | { readonly _tag: "Endless" }
  /** Nothing is answered until `release`; then `answer` is. */
  | { readonly _tag: "Held"; readonly answer: Answer }

export interface ChatRequest {
  readonly model: string
  readonly messages: ReadonlyArray<{ readonly role: string; readonly content: string }>
  readonly format: unknown
  readonly traceparent: string | undefined
  /** The caller went away before it was answered. */
  aborted: boolean
}

export class FakeOllama extends Context.Service<FakeOllama, {
  readonly url: string
  /** From now on; one after the other, the last one for good. */
  readonly answer: (first: Answer, ...more: ReadonlyArray<Answer>) => Effect.Effect<void>
  /** Answers what is held, and what would be held, until the next `answer`. */
  readonly release: Effect.Effect<void>
  readonly requests: ReadonlyArray<ChatRequest>
  /** Answers when it has got so many chat requests in all. */
  readonly asked: (count: number) => Effect.Effect<void, NeverCame>
  /** Refuses connections and cuts those that are open. */
  readonly leave: Effect.Effect<void>
  readonly comeBack: Effect.Effect<void>
  /** Accepts connections but answers nothing at all, not even its version. */
  readonly freeze: Effect.Effect<void>
}>()("@englog/e2e/FakeOllama") {
  static readonly layer = Layer.effect(FakeOllama, Effect.suspend(() => make))
}

export const insight = (content: string, confidence = 0.8): Answer => ({ _tag: "Insight", content, confidence })
export const held = (answer: Answer): Answer => ({ _tag: "Held", answer })

const make = Effect.gen(function*() {
  const requests: Array<ChatRequest> = []
  let script: ReadonlyArray<Answer> = [insight("Steady work on the project.")]
  /** Answers that are held; undefined once they are released. */
  let waiting: Array<() => void> | undefined = []
  let frozen = false

  const next = (): Answer => {
    const [first, ...rest] = script
    if (rest.length > 0) script = rest
    return first ?? { _tag: "Status", status: 500 }
  }

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (frozen) return
    if (request.url === "/api/version") return json(response, { version: "0.6.0" })
    if (request.url === "/api/tags") return json(response, { models: [{ name: MODEL, model: MODEL }] })
    if (request.url !== "/api/chat") return json(response, { error: "not found" }, 404)
    readBody(request, (body) => {
      const chat: ChatRequest = { ...decodeChat(body), traceparent: header(request, "traceparent"), aborted: false }
      requests.push(chat)
      response.on("close", () => {
        chat.aborted = !response.writableFinished
      })
      say(next(), response)
    })
  }

  const say = (answer: Answer, response: ServerResponse): void => {
    switch (answer._tag) {
      case "Insight":
        return json(response, reply(JSON.stringify({
          content: answer.content,
          tags: answer.tags ?? ["productivity"],
          confidence: answer.confidence ?? 0.8
        })))
      case "Text":
        return json(response, reply(answer.text))
      case "Status":
        return json(response, { error: answer.error ?? `scripted status ${answer.status}` }, answer.status)
      case "Truncated":
        response.writeHead(200, { "content-type": "application/json", "content-length": "4096" })
        response.write("{\"model\":\"", () => response.destroy())
        return
      case "Reset":
        response.writeHead(200, { "content-type": "application/json" })
        response.write("{\"model\":\"", () => response.socket?.resetAndDestroy())
        return
      case "Endless":
        response.writeHead(200, { "content-type": "application/json" })
        return goOn(response)
      case "Held":
        return waiting === undefined ? say(answer.answer, response) : void waiting.push(() => say(answer.answer, response))
    }
  }

  const server = createServer(handle)
  const leave = Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })
  const port = yield* Effect.acquireRelease(listenOnLoopback(server), () => leave)

  return FakeOllama.of({
    url: `http://127.0.0.1:${port}`,
    requests,
    answer: (first, ...more) =>
      Effect.sync(() => {
        script = [first, ...more]
        waiting ??= []
      }),
    release: Effect.sync(() => {
      const answers = waiting ?? []
      waiting = undefined
      for (const answer of answers) answer()
    }),
    asked: (count) => waitUntil(`the model is asked ${count} times`, () => requests.length >= count),
    leave,
    comeBack: Effect.suspend(() => {
      frozen = false
      return server.listening ? Effect.void : Effect.asVoid(listenOnLoopback(server, port))
    }),
    freeze: Effect.sync(() => {
      frozen = true
    })
  })
})

const goOn = (response: ServerResponse): void => {
  while (!response.destroyed) if (!response.write(" ".repeat(65_536))) return void response.once("drain", () => goOn(response))
}

const MODEL = "llama3.2:3b"

const reply = (content: string) => ({
  model: MODEL,
  created_at: "2026-01-01T00:00:00Z",
  message: { role: "assistant", content },
  done: true,
  done_reason: "stop",
  load_duration: 1_500_000_000,
  prompt_eval_count: 120,
  eval_count: 40
})

const json = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}

const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name]
  return typeof value === "string" ? value : undefined
}

const readBody = (request: IncomingMessage, use: (body: string) => void): void => {
  let body = ""
  request.setEncoding("utf8")
  request.on("data", (chunk: string) => {
    body += chunk
  })
  request.on("end", () => use(body))
}

const decodeChat = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({
  model: Schema.String,
  messages: Schema.Array(Schema.Struct({ role: Schema.String, content: Schema.String })),
  format: Schema.Unknown
})))
