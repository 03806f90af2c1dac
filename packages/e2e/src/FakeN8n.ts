/**
 * A server that speaks the protocol of n8n's Webhook node: production and test URLs, the answers of workflows that are inactive, of
 * wrong credentials and of workflows that fail. It keeps what workflows got.
 */
import { Context, Effect, Layer } from "effect"
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http"
import { listenOnLoopback } from "./Loopback.ts"

export interface Started {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

/** A workflow: whom it lets in, and what it answers to the n-th who come (the last one for good); null: nothing at all. */
export interface Workflow {
  readonly accepts?: (headers: IncomingHttpHeaders) => boolean
  readonly answers?: ReadonlyArray<{ readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> } | null>
}

export class FakeN8n extends Context.Service<FakeN8n, {
  readonly url: string
  readonly host: string
  /** By their URL's path: `/webhook/a` where it is active, `/webhook-test/a` where an editor listens. */
  readonly workflows: Map<string, Workflow>
  readonly started: ReadonlyArray<Started>
}>()("@englog/e2e/FakeN8n") {
  static readonly layer = Layer.effect(FakeN8n, Effect.gen(function*() {
    const workflows = new Map<string, Workflow>()
    const started: Array<Started> = []
    const server = createServer((request, response) => answer(workflows, started, request, response))
    const port = yield* Effect.acquireRelease(
      listenOnLoopback(server),
      () => Effect.callback<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
    )
    return FakeN8n.of({ url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, workflows, started })
  }))
}

const answer = (workflows: ReadonlyMap<string, Workflow>, started: Array<Started>, request: IncomingMessage, response: ServerResponse): void => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    const path = request.url ?? ""
    const workflow = workflows.get(path)
    if (workflow === undefined || request.method !== "POST") return send(response, 404, notRegistered(request.method ?? "", path))
    if (workflow.accepts?.(request.headers) === false) return send(response, 403, "Authorization data is wrong!")
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"))
    const before = started.filter((one) => one.path === path).length
    started.push({ path, headers: request.headers, body })
    const answers = workflow.answers ?? [{ status: 200, body: { message: "Workflow was started" } }]
    const next = answers[Math.min(before, answers.length - 1)]
    if (next != null) send(response, next.status, next.body, next.headers)
  })
}

const send = (response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void => {
  response.writeHead(status, { "content-type": typeof body === "string" ? "text/html; charset=utf-8" : "application/json; charset=utf-8", ...headers })
  response.end(typeof body === "string" ? body : JSON.stringify(body))
}

/** Word for word as n8n says it. */
const notRegistered = (method: string, path: string) => ({
  code: 404,
  message: `The requested webhook "${method} ${path.replace(/^\/webhook(-test)?\//, "")}" is not registered.`,
  hint: path.startsWith("/webhook-test/")
    ? "Click the 'Execute workflow' button on the canvas, then try again. (In test mode, the webhook only works for one call after you click this button)"
    : "The workflow must be active for a production URL to run successfully. You can activate the workflow using the toggle in the top-right of the editor. Note that unlike test URL calls, production URL calls aren't shown on the canvas (only in the executions list)"
})
