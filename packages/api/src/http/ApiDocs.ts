/**
 * `/openapi.json`: the API in OpenAPI 3.1. `/docs`: the interactive reference, bundled with the server. A content security policy keeps it from loading anything
 * from anywhere else.
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

const closed = HttpRouter.middleware((page) =>
  Effect.map(page, (response) => HttpServerResponse.setHeader(response, "content-security-policy", policy)))

const reference = HttpApiScalar.layer(EngLogApi, {
  path: "/docs",
  scalar: {
    withDefaultFonts: false,
    showOperationId: true,
    authentication: { preferredSecurityScheme: "bearer" }
  }
}).pipe(Layer.provide(closed.layer))

const document = HttpRouter.add("GET", "/openapi.json", Effect.sync(() => HttpServerResponse.jsonUnsafe(OpenApi.fromApi(EngLogApi))))

export const ApiDocs = { layer: Layer.merge(reference, document) } as const
