/** HTTP and HTTPS servers on free ports of this machine, answering as a test says. */
import { Effect } from "effect"
import * as http from "node:http"
import * as https from "node:https"
import type { AddressInfo, Server } from "node:net"
import { authority, fromNowFor, sign } from "../../../../scripts/certs/Certificate.ts"

export type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void

const listening = <S extends Server>(server: S, end: () => void) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address: AddressInfo | string | null = server.address()
        resume(Effect.succeed(address !== null && typeof address === "object" ? address.port : 0))
      })
    }),
    () => Effect.callback<void>((resume) => {
      end()
      server.close(() => resume(Effect.void))
    })
  )

export const httpServer = (answer: Answer) => {
  const server = http.createServer(answer)
  return listening(server, () => server.closeAllConnections())
}

/** An authority of its own, and what it signed for `names`. */
export const certificates = Effect.fnUntraced(function*(...names: ReadonlyArray<string>) {
  const period = yield* fromNowFor(1)
  const ca = yield* authority("test authority", period)
  return { ca: ca.cert, server: yield* sign(ca, { ...period, commonName: "test server", names, use: "server" }) }
})

export const httpsServer = (pair: { readonly cert: string; readonly key: string }, answer: Answer) => {
  const server = https.createServer(pair, answer)
  return listening(server, () => server.closeAllConnections())
}

/** The whole body of a request. */
export const bodyOf = (request: http.IncomingMessage, done: (body: string) => void): void => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => done(Buffer.concat(chunks).toString()))
}
