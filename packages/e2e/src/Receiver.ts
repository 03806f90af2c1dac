/** A receiver of webhooks on this machine, that fails as often as it is told, and remembers what it accepted. */
import { Effect } from "effect"
import * as http from "node:http"
import { listenOnLoopback } from "./Loopback.ts"

export interface Message {
  /** By their names in lower case. */
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export interface Receiver {
  readonly url: string
  /** Of each webhook-id, all messages that were answered 200, in the order in which they came. */
  readonly accepted: ReadonlyMap<string, ReadonlyArray<Message>>
  readonly requests: () => number
}

/** `fails`: of the n-th request, whether it is answered 500, cut off, or kept waiting for an answer for ever. */
export const receiver = Effect.fnUntraced(function*(fails: (n: number) => "answered" | "cut" | "held" | false) {
  const accepted = new Map<string, Array<Message>>()
  let requests = 0
  const server = http.createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("error", () => {}).on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => {
      requests += 1
      const failure = fails(requests)
      if (failure === "held") return
      if (failure === "cut") return void request.socket.destroy()
      if (failure === "answered") return void response.writeHead(500).end("not now")
      const id = String(request.headers["webhook-id"])
      const message = { headers: request.headers, body: Buffer.concat(chunks).toString() }
      accepted.set(id, [...accepted.get(id) ?? [], message])
      response.end("ok")
    })
  })
  const port = yield* Effect.acquireRelease(
    listenOnLoopback(server),
    () => Effect.callback<void>((resume) => {
      server.closeAllConnections()
      server.close(() => resume(Effect.void))
    })
  )
  const started: Receiver = { url: `http://127.0.0.1:${port}/hook`, accepted, requests: () => requests }
  return started
})
