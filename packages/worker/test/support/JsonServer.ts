/** An API of another system as its documentation describes it: each path answers as a test says, and what was asked is kept. */
import { GuardedFetch } from "@englog/worker/web/GuardedFetch"
import { Effect } from "effect"
import type * as http from "node:http"
import { httpServer } from "./WebServer.ts"

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Text is sent as it is. */
  readonly body?: unknown
  /** The connection ends after half of the body. */
  readonly cutOff?: boolean
}

export interface Asked {
  readonly url: URL
  readonly headers: http.IncomingHttpHeaders
}

export const jsonServer = Effect.fnUntraced(function*(answer: (asked: Asked, base: string) => Reply) {
  const asked: Array<Asked> = []
  const port: number = yield* httpServer((request, response) => {
    const base = `http://${request.headers.host}`
    const one = { url: new URL(request.url ?? "/", base), headers: request.headers }
    asked.push(one)
    const { body = {}, cutOff = false, headers = {}, status = 200 } = answer(one, base)
    const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body))
    response.writeHead(status, { "content-type": "application/json", "content-length": bytes.length, ...headers })
    if (cutOff) response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy())
    else response.end(bytes)
  })
  return { asked, base: `http://127.0.0.1:${port}` }
})

export const openFetch = Effect.provideServiceEffect(GuardedFetch, GuardedFetch.make({ allowPrivate: true }))

/** The faults of a network, each once, before an answer. */
export const faultsFirst = (faults: ReadonlyArray<Reply>, answer: (asked: Asked, base: string) => Reply) => {
  const left = [...faults]
  return (asked: Asked, base: string): Reply => left.shift() ?? answer(asked, base)
}
