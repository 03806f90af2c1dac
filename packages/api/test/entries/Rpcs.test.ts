/** Log entries over RPC, by the client that people use. */
import { assert, layer } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { DateTime, Effect, Redacted } from "effect"
import { HttpServer } from "effect/http"
import { engineer } from "../support/Engineer.ts"
import { wholeApi } from "../support/WholeApi.ts"

layer(wholeApi(), { excludeTestServices: true, timeout: "60 seconds" })("log entries over RPC", (it) => {
  it.effect("are started, stopped, searched, changed together and guarded by their tags", () => Effect.gen(function*() {
    const { address } = yield* HttpServer.HttpServer
    const ada = yield* engineer("rpc-entries@example.com")
    const subject = { title: "Release", type: "ops", tags: ["backend"], value_rating: "high", impact_level: "team" } as const
    const entry = { ...subject, start_time: DateTime.makeUnsafe("2026-01-05T09:00:00Z"), end_time: DateTime.makeUnsafe("2026-01-05T10:00:00Z") }
    yield* Effect.gen(function*() {
      const client = yield* EngLogClient
      const running = yield* client.StartEntry(subject)
      assert.isNull(running.end_time)
      assert.deepStrictEqual((yield* client.ListEntries({ running: true, tags: ["backend"], q: "RELEASE", sort: "duration", order: "asc" })).items, [running])
      const stopped = yield* client.StopEntry({ id: running.id })
      assert.isNotNull(stopped.end_time)
      assert.deepInclude(yield* Effect.flip(client.StopEntry({ id: running.id })), { reason: "conflict" })
      const changed = yield* client.ChangeEntries({
        operations: [{ action: "create", entry }, { action: "update", id: running.id, entry: { ...entry, title: "Changed" }, if_match: stopped.etag }]
      })
      assert.deepStrictEqual(changed.items.map(({ entry, status }) => [status, entry?.title]), [[201, "Release"], [200, "Changed"]])
      const stale = { reason: "precondition_failed" } as const
      assert.deepInclude(yield* Effect.flip(client.UpdateEntry({ id: running.id, entry, if_match: stopped.etag })), stale)
      assert.deepInclude(yield* Effect.flip(client.DeleteEntry({ id: running.id, if_match: stopped.etag })), stale)
      yield* client.DeleteEntry({ id: running.id, if_match: (yield* client.GetEntry({ id: running.id })).etag })
      assert.deepInclude(yield* Effect.flip(client.GetEntry({ id: running.id })), { reason: "not_found" })
      const undone = yield* client.ChangeEntries({ operations: [{ action: "create", entry }, { action: "delete", id: running.id }], atomic: true })
      assert.deepStrictEqual([undone.failed_index, undone.items.map(({ status }) => status)], [1, [424, 404]])
    }).pipe(Effect.provide(EngLogClient.layer({
      url: `http://127.0.0.1:${"port" in address ? address.port : 0}`,
      auth: Redacted.make(ada.token)
    })))
  }))
})
