/**
 * `/openapi.json`: the API in OpenAPI 3.1. `/docs`: the interactive reference, bundled with the server. Its content security
 * policy lets exactly the scripts run that the page was made with, and nothing be loaded from anywhere else.
 */
import { EngLogApi } from "@englog/rpc/http/Api"
import { Effect, Layer } from "effect"
import { hash } from "node:crypto"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { HttpApiScalar, OpenApi } from "effect/http-api"

const policyFor = (page: string): string => [
  "default-src 'none'",
  `script-src ${scriptsOf(page).map((script) => `'sha256-${hash("sha256", script, "base64")}'`).join(" ")}`,
  "style-src 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

/** As a browser hashes them: all between the tags. */
const scriptsOf = (page: string): ReadonlyArray<string> => [...page.matchAll(/<script>([^]*?)<\/script>/g)].flatMap((match) => match[1] ?? [])

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
  yield* Layer.build(page.pipe(Layer.provide(Layer.succeed(HttpRouter.HttpRouter, router))))
  const answer = yield* router.asHttpEffect()
  const headers = { "content-security-policy": policyFor(yield* textOf(answer)), ...cached }
  return HttpServerResponse.setHeaders(answer, headers)
}))

const textOf = ({ body }: HttpServerResponse.HttpServerResponse): Effect.Effect<string> =>
  body._tag === "Uint8Array" ? Effect.succeed(new TextDecoder().decode(body.body)) : Effect.die(new Error("the reference is no page"))

const docs = HttpRouter.use(Effect.fnUntraced(function*(router) {
  const loaded = yield* Effect.cached(reference)
  yield* router.add("GET", "/docs", Effect.orDie(loaded))
}))

const document = HttpRouter.add("GET", "/openapi.json", Effect.sync(() => HttpServerResponse.jsonUnsafe(OpenApi.fromApi(EngLogApi), { headers: cached })))

export const ApiDocs = { layer: Layer.merge(docs, document) } as const
