/**
 * The headers that every answer has, whoever wrote it. The API answers with data only: nothing of it is a page that may run,
 * load or be framed (OWASP REST Security Cheat Sheet), and nothing is stored on the way but what a route calls public, and by nobody but what it calls private.
 */
import type { HttpServerResponse } from "effect/http"
import type { EdgePolicy } from "./EdgePolicy.ts"

export const answerHeaders = ({ behindTls }: Pick<EdgePolicy, "behindTls">): Readonly<Record<string, string>> => ({
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  // A year; RFC 6797. Over plain http browsers ignore it.
  ...(behindTls ? { "strict-transport-security": "max-age=31536000" } : {})
})

/** Headers that depend on the answer: a page's own policy and a public route's own caching stand. */
export const headersFor = ({ headers, status }: HttpServerResponse.HttpServerResponse): Readonly<Record<string, string>> => {
  const policy = headers["content-security-policy"]
  const caching = headers["cache-control"]
  return {
    ...(policy === undefined ? {} : { "content-security-policy": policy }),
    ...(caching !== undefined && /^(public|private)\b/.test(caching) ? { "cache-control": caching } : {}),
    ...(status === 401 ? { "www-authenticate": "Bearer" } : {})
  }
}
