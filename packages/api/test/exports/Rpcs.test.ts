import { assert, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { FeedId } from "@englog/domain/Ids"
import { Effect, Layer, Redacted, Stream } from "effect"
import { HttpServer } from "effect/http"
import { randomUUID } from "node:crypto"
import { entry, TestApi } from "../http/TestApi.ts"
import { somebody } from "../support/Person.ts"
import { wholeApi } from "../support/WholeApi.ts"

const clientOf = Effect.fnUntraced(function*(token: string, transport: "http" | "websocket") {
  const { address } = yield* HttpServer.HttpServer
  const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
  return yield* Effect.provide(EngLogClient, yield* Layer.build(EngLogClient.layer({ url, auth: Redacted.make(token), transport })))
})

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("exports over RPC", (it) => {
  it.effect("are what they are over REST", () => Effect.gen(function*() {
    const ada = yield* somebody()
    yield* ada.post("/v1/logs", entry)
    for (const transport of ["http", "websocket"] as const) {
      const client = yield* clientOf(ada.token, transport)
      const csv = (yield* Stream.runCollect(client.GetCsv({ type: "code", order: "desc" }))).join("")
      assert.strictEqual(csv, (yield* ada.get("/v1/export/csv?type=code&order=desc")).text)
      const feed = yield* client.CreateCalendarFeed({ name: "Work", disclosure: "titles", filter: { type: "code" } })
      const read = yield* TestApi.use(({ ask }) => ask("GET", feed.url))
      assert.include(read.text, "SUMMARY:Fix the login race")
      assert.deepStrictEqual((yield* client.ListCalendarFeeds({ limit: 1 })).items.map(({ id }) => id), [feed.id])
      yield* client.RevokeCalendarFeed({ id: feed.id })
      assert.strictEqual((yield* TestApi.use(({ ask }) => ask("GET", feed.url))).status, 404)
      assert.deepInclude(yield* Effect.flip(client.RevokeCalendarFeed({ id: FeedId.make(randomUUID()) })), { reason: "not_found" })
    }
  }).pipe(Effect.scoped))

  it.effect("are refused to API tokens that may not do it", () => Effect.gen(function*() {
    const { ask } = yield* TestApi
    const ada = yield* somebody()
    const tokenFor = (scope: string) =>
      Effect.map(ada.post("/v1/users/tokens", { name: "T", scopes: [scope] }), (answer) => String(answer.at("token")))
    const [reader, writer] = [yield* tokenFor("read"), yield* tokenFor("write")]
    assert.strictEqual((yield* ask("GET", "/v1/export/csv", { token: reader })).status, 200)
    assert.strictEqual((yield* ask("GET", "/v1/export/csv", { token: writer })).status, 403)
    // An address that outlives the token would be more than the token is.
    const making = yield* ask("POST", "/v1/export/ics/feeds", { token: writer, body: { name: "F" } })
    assert.deepStrictEqual([making.status, making.error], [403, "an API token may not do this; log in"])
    const client = yield* clientOf(writer, "http")
    assert.deepInclude(yield* Effect.flip(client.CreateCalendarFeed({ name: "F", disclosure: "busy", filter: {} })), { reason: "forbidden" })
    assert.deepInclude(yield* Effect.flip(Stream.runCollect(client.GetCsv({}))), { reason: "forbidden" })
  }).pipe(Effect.scoped))
})
