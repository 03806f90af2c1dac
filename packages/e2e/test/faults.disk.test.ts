/** The embedded database on a disk that really runs full, while people write. */
import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, Fiber, Layer, Ref, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { Installation } from "../src/Installation.ts"
import { type Answer, anEntry, ask, register } from "../src/Person.ts"
import * as SmallDisk from "../src/SmallDisk.ts"
import { waitUntil } from "../src/WaitUntil.ts"

const possible = SmallDisk.canMount()
if (!possible) process.stderr.write("SKIPPED: a full disk is tested only as root on Linux, where a small file system can be mounted\n")

const world = Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeFileSystem.layer)

const Listed = Schema.fromJsonString(Schema.Struct({ items: Schema.Array(Schema.Struct({ title: Schema.String })) }))

describe.runIf(possible)("a full disk", () => {
  it.live("costs 503 for what is written, not for what is read, and nothing is half-written; with space again all goes on", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const disk = yield* SmallDisk.make(installation.dataDir, 256)
      // After the API, which would start it again, and while its name can be read from the disk.
      yield* Effect.addFinalizer(() => installation.killPostgres)
      const api = yield* installation.startApi()
      const ada = yield* register(api.url, "ada@example.com")
      const answers: Array<Answer> = []
      const stopped = yield* Ref.make(false)
      const write = Effect.gen(function*() {
        const body = { ...anEntry, title: `entry ${answers.length}`, description: "x".repeat(1_900) }
        answers.push(yield* ask("POST", `${api.url}/v1/logs`, { token: ada.token, body }))
      })
      const writing = yield* Effect.forkScoped(write.pipe(Effect.repeat({ until: () => Ref.get(stopped) })))
      const comes = (status: number, count: number) => {
        const from = answers.length
        return waitUntil(`${count} answers ${status}`, () => answers.slice(from).filter((answer) => answer.status === status).length >= count)
      }
      yield* comes(201, 20)
      yield* disk.fill
      yield* comes(503, 20)
      yield* api.said(/less than 64 MiB are free in .*nothing is written/)

      assert.match(answers.at(-1)?.text ?? "", /disk is full: nothing can be written/)
      assert.isAtLeast(Number(answers.at(-1)?.headers["retry-after"]), 1)
      assert.strictEqual((yield* ask("GET", `${api.url}/v1/logs`, { token: ada.token })).status, 200)
      assert.strictEqual((yield* ask("GET", `${api.url}/ready`)).status, 200)
      assert.match((yield* ask("GET", `${api.url}/health`)).text, /"disk":\{"status":"down","detail":"\d+ MiB are free: nothing is written/)

      yield* disk.free
      yield* comes(201, 5)
      yield* Ref.set(stopped, true)
      yield* Fiber.join(writing)
      assert.match((yield* ask("GET", `${api.url}/health`)).text, /"disk":\{"status":"up"/)
      assert.deepStrictEqual([...new Set(answers.map(({ status }) => status))], [201, 503])
      const { text } = yield* ask("GET", `${api.url}/v1/logs?limit=200`, { token: ada.token })
      const { items } = yield* Schema.decodeEffect(Listed)(text)
      const stored = items.map(({ title }) => title)
      const accepted = answers.flatMap(({ status }, index) => status === 201 ? [`entry ${index}`] : [])
      assert.sameMembers(stored, accepted.slice(-200))
      const told = api.lines.filter((line) => /"level":"(WARN|ERROR)"/.test(line))
      assert.isAtMost(told.length, 6, told.join("\n"))
    }).pipe(Effect.scoped, Effect.provide(world)))
})
