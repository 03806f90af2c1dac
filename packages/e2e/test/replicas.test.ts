/**
 * Several API servers on one database: what one of them does for all goes on when it is killed, alone or with cluster sockets.
 */
import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Database } from "@englog/api/db/Database"
import { Context, Effect, Layer, Redacted, Schedule, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { SqlClient } from "effect/sql"
import * as net from "node:net"
import { Installation } from "../src/Installation.ts"
import { ask, register } from "../src/Person.ts"

const world = () => Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeFileSystem.layer)

const freePort = Effect.callback<string>((resume) => {
  const server = net.createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(String(typeof address === "object" && address !== null ? address.port : 0))))
  })
})

const modes = {
  "standing by": Effect.succeed({}),
  "with cluster sockets": Effect.map(freePort, (port) => ({ CLUSTER_HOST: "127.0.0.1", CLUSTER_PORT: port }))
} as const

const often = Schedule.spaced("100 millis")

const Created = Schema.Struct({ id: Schema.String })
const decodeCreated = Schema.decodeUnknownEffect(Schema.fromJsonString(Created))

describe("two API servers on one database", () => {
  it.live.each(["standing by", "with cluster sockets"] as const)("carry out each occurrence once, though kill -9 takes the one that does it (%s)", (mode) =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const apis = [yield* installation.startApi(yield* modes[mode]), yield* installation.startAnotherApi(yield* modes[mode])]
      const sql = Context.get(
        yield* Layer.build(Database.layer({ url: Redacted.make(yield* installation.postgresUrl), applicationName: "test" })),
        SqlClient.SqlClient
      )
      const doesIt = /the schedules are carried out (here)/
      const owner = yield* Effect.raceAll(apis.map((api) => Effect.as(api.said(doesIt), api)))
      const other = apis.find((api) => api !== owner) ?? owner
      const ada = yield* register(other.url, "ada@example.com")
      yield* sql`UPDATE users SET is_admin = true`
      const made = yield* ask("POST", `${other.url}/v1/schedules`, {
        token: ada.token,
        body: { task_type: "cleanup", payload: { dry_run: true }, cron: "* * * * * *", catch_up: "all" }
      })
      assert.strictEqual(made.status, 201, made.text)
      const { id } = yield* decodeCreated(made.text)
      const occurrences = sql<{ unique_key: string }>`SELECT unique_key FROM tasks WHERE unique_key LIKE ${`schedule:${id}:%`} ORDER BY unique_key`.pipe(
        Effect.map((rows) => rows.map(({ unique_key }) => Date.parse(unique_key.slice(-24))))
      )
      yield* Effect.repeat(occurrences, { until: (found) => found.length >= 3, schedule: often })

      assert.strictEqual(yield* owner.end("SIGKILL"), 137)
      const killed = (yield* occurrences).length
      yield* other.said(doesIt)
      yield* Effect.repeat(occurrences, { until: (found) => found.length >= killed + 5, schedule: often })
      assert.strictEqual((yield* ask("DELETE", `${other.url}/v1/schedules/${id}`, { token: ada.token })).status, 204)

      const found = yield* occurrences
      const expected = found.map((_, index) => (found[0] ?? 0) + index * 1_000)
      assert.deepStrictEqual(found, expected, "every second once, and none left out")
    }).pipe(Effect.scoped, Effect.provide(world())), 180_000)
})
