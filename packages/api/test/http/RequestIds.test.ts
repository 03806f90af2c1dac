import { assert, describe, it } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect, Layer, Logger, Redacted, References } from "effect"
import { Headers } from "effect/http"
import { RpcClient } from "effect/rpc"
import { SqlClient } from "effect/sql"
import { httpPort } from "../support/RawHttp.ts"
import { wholeApi } from "../support/WholeApi.ts"
import { entry, register, TestApi } from "./TestApi.ts"

interface Line {
  readonly message: string
  readonly annotations: Readonly<Record<string, unknown>>
}

const collect = (lines: Array<Line>) =>
  Logger.make<unknown, void>(({ fiber, message }) => {
    lines.push({
      message: String(Array.isArray(message) ? message[0] : message),
      annotations: { ...fiber.getRef(References.CurrentLogAnnotations) }
    })
  })

/** Breaks what every entry needs, so that a request fails inside its handler. */
const breakEntries = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`ALTER TABLE log_entries RENAME TO gone`)

describe("the id of a request", () => {
  it.live("stands in the answer and in every line that is logged for it, with the user", () => {
    const lines: Array<Line> = []
    return Effect.gen(function*() {
      const { ask } = yield* TestApi
      const { token } = yield* register("lines@example.com")
      yield* breakEntries
      lines.length = 0
      const answer = yield* ask("POST", "/v1/logs", { token, body: entry, headers: { "x-request-id": "r-42" } })
      assert.strictEqual(answer.status, 500)
      assert.deepStrictEqual(answer.body, { error: "internal error", code: "internal", details: [] })
      assert.strictEqual(answer.headers["x-request-id"], "r-42")
      const ours = yield* ask("POST", "/v1/logs", { token, body: entry })
      const given = ours.headers["x-request-id"] ?? ""
      assert.isNotEmpty(lines)
      assert.deepStrictEqual([...new Set(lines.map(({ annotations }) => annotations["request_id"]))], ["r-42", given])
    }).pipe(Effect.provide(TestApi.layer.pipe(Layer.provideMerge(Logger.layer([collect(lines)])))))
  }, 60_000)

  it.live("is that of an RPC's own request", () => {
    const lines: Array<Line> = []
    return Effect.gen(function*() {
      const { id, token } = yield* register("rpc-lines@example.com")
      yield* breakEntries
      lines.length = 0
      yield* Effect.exit(Effect.flatMap(EngLogClient, (client) => client.ListEntries({})).pipe(
        RpcClient.withHeaders(Headers.fromInput({ "x-request-id": "r-43" })),
        Effect.provide(EngLogClient.layer({ url: `http://127.0.0.1:${yield* httpPort}`, auth: Redacted.make(token) }))
      ))
      const own = lines.filter(({ annotations }) => annotations["component"] === "rpc")
      assert.isNotEmpty(own)
      for (const { annotations } of own) {
        assert.deepInclude(annotations, { operation: "ListEntries", request_id: "r-43", user_id: id })
      }
      lines.length = 0
      const { ask } = yield* TestApi
      const unnamed = yield* ask("POST", "/rpc", {
        token,
        raw: `${JSON.stringify({ _tag: "Request", id: "1", tag: "ListEntries", payload: {}, headers: [] })}\n`,
        headers: { "content-type": "application/ndjson" }
      })
      const ids = lines.filter(({ annotations }) => annotations["component"] === "rpc").map(({ annotations }) => annotations["request_id"])
      assert.deepStrictEqual([...new Set(ids)], [unnamed.headers["x-request-id"]])
    }).pipe(Effect.provide(wholeApi({ log: collect(lines) })))
  }, 60_000)
})
