import { NodeRuntime } from "@effect/platform-node"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Config, Console, Effect, Layer, Stream } from "effect"

const client = Layer.unwrap(Effect.gen(function*() {
  const auth = { email: yield* Config.String("ENGLOG_EMAIL"), password: yield* Config.Redacted("ENGLOG_PASSWORD") }
  return EngLogClient.layer({ url: yield* Config.String("ENGLOG_URL"), auth })
}))

const program = Effect.gen(function*() {
  const englog = yield* EngLogClient
  const { items } = yield* englog.ListEntries({ limit: 50 })
  const { user_id } = yield* Effect.fromNullishOr(items[0])
  const entry_ids = items.map((entry) => entry.id)
  const { task_id } = yield* englog.SubmitInsight({ user_id, entry_ids, insight_type: "productivity" })
  yield* Stream.runForEach(englog.WatchTask({ task_id }), (step) => Console.log(`${step.progress} % ${step.message ?? step.type}`))
  yield* Console.log((yield* englog.GetTaskResult({ task_id })).result)
})

NodeRuntime.runMain(Effect.provide(program, client))
