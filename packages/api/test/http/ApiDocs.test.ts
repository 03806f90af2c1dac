import { NodeHttpClient } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { ApiDocs } from "../../src/http/ApiDocs.ts"
import { RequestLimits } from "../../src/http/edge/RequestLimits.ts"
import { hash } from "node:crypto"
import { HttpListener } from "../../src/http/edge/HttpListener.ts"
import { TestApi } from "./TestApi.ts"

const unlimited = Layer.succeed(RequestLimits, {
  ofAddress: () => Effect.undefined,
  ofUser: () => Effect.undefined
})

const Docs = TestApi.client.pipe(
  Layer.provideMerge(HttpListener.serve(ApiDocs.layer)),
  Layer.provideMerge(HttpListener.layer({ host: "127.0.0.1", port: 0, drain: "100 millis" })),
  Layer.provide([NodeHttpClient.layerNodeHttp, unlimited])
)

layer(Docs, { excludeTestServices: true, timeout: "60 seconds" })("the docs", (it) => {
  it.effect("are one page that loads nothing from anywhere", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const page = yield* ask("GET", "/docs")
    assert.strictEqual(page.status, 200)
    assert.include(page.text, "createApiReference")
    const markup = page.text.replace(/<script>[^]*?<\/script>/g, "<script></script>")
    assert.notMatch(markup, /\b(src|href)\s*=/i)
    assert.include(page.text, "\"withDefaultFonts\":false")
    const policy = page.headers["content-security-policy"] ?? ""
    assert.include(policy, "default-src 'none'")
    assert.notMatch(policy, /https?:|\*/)
    const [, scripts] = /script-src ([^;]*)/.exec(policy) ?? []
    const own = [...page.text.matchAll(/<script>([^]*?)<\/script>/g)].map((match) => `'sha256-${hash("sha256", match[1] ?? "", "base64")}'`)
    assert.lengthOf(own, 2)
    assert.strictEqual(scripts, own.join(" "))
    assert.match(page.headers["cache-control"] ?? "", /^public/)
  }))

  it.effect("describe the API as OpenAPI 3.1", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const document = yield* ask("GET", "/openapi.json")
    assert.strictEqual(document.at("openapi"), "3.1.0")
    assert.deepStrictEqual(document.at("paths", "/v1/logs", "post", "security"), [{ bearer: [] }])
  }))
})
