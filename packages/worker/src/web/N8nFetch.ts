/**
 * Asking an organization's n8n. It often runs in a private network: those hosts that the operator of this worker names may be asked
 * there, over plain HTTP too; all others only as any URL that a user named.
 */
import { Context, Effect, Layer } from "effect"
import { AppConfig } from "../AppConfig.ts"
import { GuardedFetch, type GuardedRequest, type GuardedResponse } from "./GuardedFetch.ts"
import type { WebFailure } from "./WebFailure.ts"

export class N8nFetch extends Context.Service<N8nFetch, {
  readonly fetch: (request: GuardedRequest) => Effect.Effect<GuardedResponse, WebFailure>
}>()("@englog/worker/web/N8nFetch") {
  static readonly layer = Layer.effect(
    N8nFetch,
    Effect.gen(function*() {
      const { n8nPrivateHosts } = yield* AppConfig
      const publicly = yield* GuardedFetch
      const privately = yield* GuardedFetch.make({ allowPrivate: true })
      return N8nFetch.of({ fetch: (request) => (isNamed(request.url, n8nPrivateHosts) ? privately : publicly).fetch(request) })
    })
  )
}

/** `host` names it at any port, `host:port` at that one. */
export const isNamed = (text: string, hosts: ReadonlyArray<string>): boolean => {
  const url = URL.parse(text)
  if (url === null) return false
  const port = url.port === "" ? url.protocol === "https:" ? "443" : "80" : url.port
  return hosts.includes(url.hostname) || hosts.includes(`${url.hostname}:${port}`)
}
