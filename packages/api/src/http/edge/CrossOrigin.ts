/**
 * CORS (Fetch standard) for the configured origins. Callers authenticate by a token that their own code holds, never by a
 * cookie: credentials are not allowed, and an origin is named, never `*`. To other origins the API looks as if there were no
 * CORS, which is what makes a browser refuse.
 */
import { Effect } from "effect"
import { HttpMiddleware, type HttpServerRequest, type HttpServerResponse } from "effect/http"

export const crossOrigin = (origins: ReadonlySet<string>) => {
  const cors = HttpMiddleware.cors({
    allowedOrigins: (origin) => origins.has(origin),
    allowedMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowedHeaders: [
      "authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "last-event-id", "upload-complete", "upload-offset",
      "x-request-id", "traceparent", "tracestate"
    ],
    exposedHeaders: [
      "etag", "idempotent-replayed", "location", "upload-complete", "upload-offset", "x-request-id", "ratelimit-limit", "ratelimit-remaining",
      "ratelimit-reset", "retry-after", "www-authenticate"
    ],
    // What browsers keep at most (Chromium: two hours).
    maxAge: 7_200
  })
  return <E, R>(
    request: HttpServerRequest.HttpServerRequest,
    route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | HttpServerRequest.HttpServerRequest> =>
    origins.has(request.headers["origin"] ?? "") ? cors(route) : route
}
