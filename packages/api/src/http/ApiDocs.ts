/**
 * `/openapi.json`: the API in OpenAPI 3.1. `/docs`: the interactive reference, bundled with the server. A content security
 * policy keeps it from loading anything from anywhere else.
 */
import { EngLogApi } from "@englog/rpc/http/Api"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { HttpApiScalar, OpenApi } from "effect/http-api"

const policy = [
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval'",
  "style-src 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

const cached = { "cache-control": "public, max-age=300" }

/** The bundle takes some 25 MB of memory: it is loaded when somebody looks for the first time. */
const reference = Effect.scoped(Effect.gen(function*() {
  const router = yield* HttpRouter.make
  const page = HttpApiScalar.layer(EngLogApi, {
    path: "/docs",
    scalar: {
      withDefaultFonts: false,
      showOperationId: true,
      authentication: { preferredSecurityScheme: "bearer" }
    }
  })
  return yield* Effect.as(
    Layer.build(page.pipe(Layer.provide(Layer.succeed(HttpRouter.HttpRouter, router)))),
    Effect.map(router.asHttpEffect(), HttpServerResponse.setHeaders({ "content-security-policy": policy, ...cached }))
  )
}))

const docs = HttpRouter.use(Effect.fnUntraced(function*(router) {
  const loaded = yield* Effect.cached(reference)
  yield* router.add("GET", "/docs", Effect.orDie(Effect.flatten(loaded)))
}))

const document = HttpRouter.add("GET", "/openapi.json", Effect.sync(() => HttpServerResponse.jsonUnsafe(OpenApi.fromApi(EngLogApi), { headers: cached })))

export const ApiDocs = { layer: Layer.merge(docs, document) } as const
