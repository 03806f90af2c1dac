import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect } from "effect"
import { WordCount } from "./WordCount.ts"

export const countWords = Effect.fn(function*(text: string) {
  const task = yield* EngLogClient.use((englog) => englog.submit(WordCount, { text }, { priority: "high", max_retries: 1 }))
  return (yield* task.result).words
})
