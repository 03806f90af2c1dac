import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as FakeApi from "./support/FakeApi.ts"
import * as WorkerProcess from "./support/WorkerProcess.ts"

const program = new URL("./support/wordCountWorker.ts", import.meta.url).pathname

describe("the README's worker with a handler of its own", () => {
  it("is the program that is run here", () => {
    const readme = fs.readFileSync(new URL("../README.md", import.meta.url), "utf8")
    const [, shown] = /```ts\n\/\/ my-worker\.ts\n([\s\S]*?)```/.exec(readme) ?? []
    assert.strictEqual(fs.readFileSync(program, "utf8").split("\n").slice(1).join("\n"), shown)
  })

  it.live("announces its kind and runs its tasks", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make()
      yield* WorkerProcess.start({ API_SERVER_GRPC_ADDRESS: api.address }, program)
      yield* FakeApi.eventually("registered", () => api.registrations.length === 1)
      assert.include(api.registrations[0]?.kinds ?? [], "WORD_COUNT")
      yield* api.send(FakeApi.task("a", { kind: "WORD_COUNT", payload: "{\"text\":\"one two  three\"}" }))
      yield* api.send(FakeApi.task("b", { kind: "WORD_COUNT", payload: "{\"text\":\" \"}" }))
      yield* FakeApi.eventually("both reported", () => api.reports.length === 2)
      const outcomes = new Map(api.reports.map((report) => [report.task_id, report.outcome]))
      assert.deepStrictEqual(outcomes.get(FakeApi.idOf("a")), { _tag: "Completed", result: "{\"words\":3}" })
      assert.deepStrictEqual(outcomes.get(FakeApi.idOf("b")), { _tag: "Failed", error: "text: there is nothing to count", retryable: true })
    }), 20_000)
})
