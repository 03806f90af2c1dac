/** An HTTP server that speaks Ollama's API and OpenAI's, and behaves as badly as the test's script says. */
import { Effect } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"

export type Behaviour =
  | { readonly text: string; readonly cutOff?: boolean }
  | { readonly status: number }
  | "hang"
  | "drop"
  | "no-json"
  /** The connection is reset in the middle of the body. */
  | "reset"
  /** The body never ends: as fast as it is read. */
  | "endless"

export const good = { text: JSON.stringify({ content: "You wrote tests.", tags: ["testing"], confidence: 0.9 }) }

/** The n-th chat call behaves as the n-th entry says, later ones as the last. Checks hang while `hung.checks` is true. */
export const make = Effect.fnUntraced(function*(script: ReadonlyArray<Behaviour>) {
  const chats: Array<Record<string, unknown>> = []
  const headers: Array<IncomingMessage["headers"]> = []
  const seen = { aborted: 0, checks: 0, endlessBytes: 0 }
  const hung = { checks: false }
  const chat = (request: IncomingMessage, response: ServerResponse, body: string) => {
    chats.push(JSON.parse(body))
    headers.push(request.headers)
    const behaviour = script[Math.min(chats.length, script.length) - 1] ?? "hang"
    response.once("close", () => {
      if (!response.writableEnded) seen.aborted++
    })
    if (behaviour === "hang") return
    if (behaviour === "drop") return request.socket.destroy()
    response.setHeader("content-type", "application/json")
    if (behaviour === "reset") return response.write("{\"model\":\"", () => request.socket.resetAndDestroy())
    if (behaviour === "endless") {
      const more = () => {
        while (!response.destroyed) {
          seen.endlessBytes += 65_536
          if (!response.write(" ".repeat(65_536))) return void response.once("drain", more)
        }
      }
      return more()
    }
    if (behaviour === "no-json") return response.end("<html>gateway</html>")
    if ("status" in behaviour) {
      response.statusCode = behaviour.status
      return response.end(JSON.stringify({ error: "as scripted" }))
    }
    response.end(JSON.stringify(request.url === "/api/chat" ? ollamaReply(behaviour) : openAiReply(behaviour)))
  }
  const server = createServer((request, response) => {
    if (request.url === "/api/version" || request.url === "/v1/models") {
      seen.checks++
      if (hung.checks) return
      response.setHeader("content-type", "application/json")
      return response.end(JSON.stringify({ version: "0.12.0" }))
    }
    let body = ""
    request.on("data", (chunk) => body += String(chunk))
    request.on("end", () => chat(request, response, body))
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () =>
      Effect.callback<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, chats, headers, seen, hung }
})

const ollamaReply = ({ text, cutOff }: { readonly text: string; readonly cutOff?: boolean }) => ({
  model: "llama3.2:3b",
  message: { role: "assistant", content: text },
  done: true,
  done_reason: cutOff === true ? "length" : "stop",
  prompt_eval_count: 321,
  eval_count: 45
})

const openAiReply = ({ text, cutOff }: { readonly text: string; readonly cutOff?: boolean }) => ({
  choices: [{ message: { role: "assistant", content: text }, finish_reason: cutOff === true ? "length" : "stop" }],
  usage: { prompt_tokens: 321, completion_tokens: 45 }
})
