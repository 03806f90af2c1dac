/** The README's task of one's own, as it stands there: kind, worker and client against a running server. */
import { assert, describe, it } from "@effect/vitest"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { BackgroundTaskView } from "@englog/rpc/http/BackgroundView"
import { TaskAccepted } from "@englog/rpc/http/TaskView"
import { Effect, Layer, Redacted, Schedule, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"
import { countWords } from "../../../examples/word-count/countWords.ts"
import { Installation } from "../src/Installation.ts"
import { ask, register } from "../src/Person.ts"
import { runProgram } from "../src/RunningProgram.ts"

const folder = new URL("../../../examples/word-count/", import.meta.url)
const world = Layer.mergeAll(Installation.layer(), FetchHttpClient.layer)

describe("the README's task of one's own", () => {
  it("is the example that is run here, in 25 lines", () => {
    const readme = fs.readFileSync(new URL("../../../README.md", import.meta.url), "utf8")
    const shown = [...readme.matchAll(/```ts\n\/\/ (\w+\.ts): .+\n([\s\S]*?)```/g)].map(([, file = "", code = ""]) => ({ file, code }))
    assert.deepStrictEqual(shown.map(({ file }) => file), ["WordCount.ts", "worker.ts", "countWords.ts"])
    for (const { code, file } of shown) assert.strictEqual(code, fs.readFileSync(new URL(file, folder), "utf8"))
    assert.isAtMost(shown.flatMap(({ code }) => code.split("\n")).filter((line) => line !== "").length, 25)
  })

  it.live("is brought by a worker, submitted by a typed client, and known to REST by its name", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      const ada = yield* register(api.url, "ada@example.com")
      yield* runProgram({
        name: "worker",
        main: { file: fileURLToPath(new URL("worker.ts", folder)), args: [] },
        env: { API_SERVER_GRPC_ADDRESS: api.grpc, LOG_FORMAT: "json" }
      })
      const words = yield* countWords("one two  three").pipe(
        // The worker is not there yet.
        Effect.retry({ while: (error) => error._tag === "RpcFailure" && error.reason === "not_found", schedule: Schedule.spaced("100 millis") }),
        Effect.provide(EngLogClient.layer({ url: api.url, auth: Redacted.make(ada.token) }))
      )
      assert.strictEqual(words, 3)
      const answer = yield* ask("POST", `${api.url}/api/background/tasks`, {
        token: ada.token,
        body: { task_type: "word_count", payload: { text: "one two" } }
      })
      const { task_id } = yield* Schema.decodeEffect(Schema.fromJsonString(TaskAccepted))(answer.text)
      const done = yield* ask("GET", `${api.url}/api/background/tasks/${task_id}`, { token: ada.token }).pipe(
        Effect.flatMap(({ text }) => Schema.decodeEffect(Schema.fromJsonString(BackgroundTaskView))(text)),
        Effect.repeat({ until: ({ completed_at }) => completed_at !== null, schedule: Schedule.spaced("50 millis") })
      )
      assert.deepStrictEqual([done.task_type, done.result], ["word_count", { words: 2 }])
    }).pipe(Effect.scoped, Effect.provide(world)), 180_000)
})
