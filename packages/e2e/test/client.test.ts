/** The RPC client against a running API with a worker, over HTTP and over WebSocket; and the README's program as it stands. */
import { assert, layer } from "@effect/vitest"
import { EntryId, TaskId } from "@englog/domain/Ids"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { DateTime, Effect, FileSystem, Layer, Redacted, Schedule, Stream } from "effect"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { Installation } from "../src/Installation.ts"
import { password, register } from "../src/Person.ts"
import { Running } from "../src/Running.ts"
import { runProgram } from "../src/RunningProgram.ts"

const world = Running.layer()

const example = fileURLToPath(new URL("../../../examples/client.ts", import.meta.url))

const entry = {
  title: "Pair on the parser",
  type: "code",
  tags: ["parser"],
  start_time: DateTime.makeUnsafe("2026-01-05T09:00:00Z"),
  end_time: DateTime.makeUnsafe("2026-01-05T10:30:00Z"),
  value_rating: "high",
  impact_level: "product"
} as const

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("the RPC client", (it) => {
  it.effect("is the README's program, which prints progress and the result", () =>
    Effect.gen(function*() {
      const { url } = yield* Running
      const ada = yield* register(url, "readme@example.com")
      yield* ada.addEntry({})
      const program = yield* runProgram({
        name: "client",
        main: { file: example },
        env: { ENGLOG_URL: url, ENGLOG_EMAIL: "readme@example.com", ENGLOG_PASSWORD: password }
      })
      assert.strictEqual(yield* program.exit, 0, program.lines.join("\n"))
      assert.isTrue(program.lines.some((line) => line.startsWith("100 %")), program.lines.join("\n"))
      assert.include(program.lines.at(-1), "\"insight_id\"")
      const fs = yield* FileSystem.FileSystem
      const readme = yield* fs.readFileString(path.resolve(example, "../../README.md"))
      assert.include(readme, (yield* fs.readFileString(example)).trimEnd(), "the README shows another program")
    }).pipe(Effect.scoped))

  for (const transport of ["http", "websocket"] as const) {
    const as = (url: string, email: string, secret = password) =>
      EngLogClient.layer({ url, transport, auth: { email, password: Redacted.make(secret) } })

    it.effect(`submits, watches to the end, and reads the result over ${transport}`, () =>
      Effect.gen(function*() {
        const { url } = yield* Running
        const email = `watcher-${transport}@example.com`
        const { user_id } = yield* register(url, email)
        yield* Effect.gen(function*() {
          const englog = yield* EngLogClient
          const { id } = yield* englog.CreateEntry(entry)
          const { task_id } = yield* englog.SubmitInsight({ user_id, entry_ids: [id], insight_type: "productivity" })
          const steps = yield* englog.WatchTask({ task_id }).pipe(Stream.runCollect)
          assert.deepStrictEqual(steps.map((step) => step.seq), steps.map((_, index) => index + 1), "no gaps")
          assert.strictEqual(steps[0]?.type, "queued")
          assert.deepInclude(steps.at(-1), { type: "completed", progress: 100, worker_id: "worker" })
          const late = yield* englog.WatchTask({ task_id, after: 1 }).pipe(Stream.runCollect)
          assert.deepStrictEqual(late.map((step) => step.seq), steps.slice(1).map((step) => step.seq))
          const result = yield* englog.GetTaskResult({ task_id })
          assert.strictEqual(result.status, "TASK_STATUS_COMPLETED")
          const insights = yield* englog.ListInsights({})
          const insight = yield* englog.GetInsight({ id: insights.items[0]?.id ?? assert.fail("no insight was stored") })
          assert.strictEqual(insight.task_id, task_id)
          assert.strictEqual((yield* englog.GetTask({ task_id })).state, "completed")
          assert.strictEqual((yield* englog.CancelTask({ task_id })).state, "completed", "what has ended stays as it is")

          const report = yield* englog.SubmitReport({ user_id, start_date: "2026-01-05", end_date: "2026-01-11" })
          const last = yield* englog.WatchTask({ task_id: report.task_id }).pipe(Stream.runLast)
          assert.strictEqual(last._tag === "Some" && last.value.type, "completed")
        }).pipe(Effect.provide(as(url, email)))
      }))

    it.effect(`writes, reads, changes and deletes entries, and lists workers, over ${transport}`, () =>
      Effect.gen(function*() {
        const { url } = yield* Running
        const email = `writer-${transport}@example.com`
        yield* register(url, email)
        yield* Effect.gen(function*() {
          const englog = yield* EngLogClient
          const created = yield* englog.CreateEntry(entry)
          assert.deepStrictEqual(yield* englog.GetEntry({ id: created.id }), created)
          const changed = yield* englog.UpdateEntry({ id: created.id, entry: { ...entry, title: "Pair on the lexer" } })
          assert.strictEqual(changed.title, "Pair on the lexer")
          assert.deepStrictEqual((yield* englog.ListEntries({ type: "code" })).items.map((one) => one.title), ["Pair on the lexer"])
          yield* englog.DeleteEntry({ id: created.id })
          const gone = yield* Effect.flip(englog.GetEntry({ id: created.id }))
          assert.deepInclude(gone, { _tag: "RpcFailure", reason: "not_found" })
          assert.deepStrictEqual((yield* englog.ListWorkers()).map((worker) => worker.worker_id), ["worker"])
          assert.strictEqual((yield* englog.GetWorkersHealth()).status, "healthy")
        }).pipe(Effect.provide(as(url, email)))
      }))

    it.effect(`answers somebody else's and unknown things with not_found over ${transport}`, () =>
      Effect.gen(function*() {
        const { url } = yield* Running
        const owner = yield* register(url, `owner-${transport}@example.com`)
        const theirs = yield* owner.addEntry({})
        const task_id = yield* owner.submit([theirs])
        const email = `stranger-${transport}@example.com`
        const { user_id } = yield* register(url, email)
        yield* Effect.gen(function*() {
          const englog = yield* EngLogClient
          const refused = [
            yield* Effect.flip(englog.GetEntry({ id: theirs })),
            yield* Effect.flip(englog.GetEntry({ id: EntryId.make("3f0e8a52-6a3c-4a52-9a6d-0d7d3a0f7c11") })),
            yield* Effect.flip(englog.SubmitInsight({ user_id, entry_ids: [theirs], insight_type: "productivity" })),
            yield* Effect.flip(englog.GetTaskResult({ task_id })),
            yield* Effect.flip(englog.WatchTask({ task_id }).pipe(Stream.runDrain)),
            yield* Effect.flip(englog.CancelTask({ task_id: TaskId.make("insight_nobody_0") }))
          ]
          assert.deepStrictEqual(refused.map((failure) => failure._tag === "RpcFailure" ? failure.reason : failure._tag), refused.map(() => "not_found"))
          const forbidden = yield* Effect.flip(englog.SubmitInsight({ user_id: owner.user_id, entry_ids: [theirs], insight_type: "x" }))
          assert.deepInclude(forbidden, { _tag: "RpcFailure", reason: "forbidden" })
        }).pipe(Effect.provide(as(url, email)))
      }))

    it.effect(`tells a wrong password and a false token from each other over ${transport}`, () =>
      Effect.gen(function*() {
        const { url } = yield* Running
        const email = `forgetful-${transport}@example.com`
        yield* register(url, email)
        const list = Effect.flip(Effect.flatMap(EngLogClient, (englog) => englog.ListEntries({})))
        const wrong = yield* Effect.provide(list, as(url, email, "not the password"))
        const forged = yield* Effect.provide(list, EngLogClient.layer({ url, transport, auth: Redacted.make("ey.not.a-token") }))
        assert.deepInclude(wrong, { _tag: "RpcFailure", reason: "unauthorized" })
        assert.deepInclude(forged, { _tag: "RpcFailure", reason: "unauthorized" })
        assert.match(wrong.message, /password/i)
        assert.match(forged.message, /token/i)
      }))
  }

  it.effect("goes on over the same client when the API was killed and has come back", () =>
    Effect.gen(function*() {
      const api = yield* Running
      yield* register(api.url, "patient@example.com")
      const auth = { email: "patient@example.com", password: Redacted.make(password) }
      const list = Effect.flatMap(EngLogClient, (englog) => englog.ListEntries({}))
      const clients = (["http", "websocket"] as const).map((transport) => EngLogClient.layer({ url: api.url, transport, auth }))
      yield* Effect.gen(function*() {
        const contexts = yield* Effect.forEach(clients, (client) => Layer.build(client))
        const both = Effect.forEach(contexts, (context) => Effect.provide(list, context), { concurrency: 2 })
        assert.lengthOf(yield* both, 2)
        yield* api.end("SIGKILL")
        yield* (yield* Installation).startApi()
        const answers = yield* both.pipe(Effect.retry(Schedule.spaced("100 millis")), Effect.timeout("20 seconds"))
        assert.deepStrictEqual(answers.map((page) => page.items), [[], []])
      }).pipe(Effect.scoped)
    }).pipe(Effect.scoped))
})
