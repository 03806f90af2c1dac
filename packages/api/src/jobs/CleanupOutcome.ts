/**
 * CLEANUP tasks: whoever runs one learns what would be removed; what is removed is removed with the task's completion, in its
 * transaction, and therefore in bounded portions. The daily sweep and the next task take the rest.
 */
import { Cleanup } from "@englog/domain/tasks/Cleanup"
import { Effect, Layer, Schema } from "effect"
import { InvalidResult, TaskKinds } from "../queue/TaskKinds.ts"
import { TableSweeps } from "./TableSweeps.ts"

export const CleanupOutcomeLive = Layer.effectDiscard(Effect.gen(function*() {
  const kinds = yield* TaskKinds
  const { sweep } = yield* TableSweeps

  const sweepOf = Effect.fnUntraced(function*(payload: string) {
    const { dry_run = false, max_age_days, tables = ["tasks"] } = yield* Effect.orDie(decodePayload(payload))
    return { tables, of: { age: max_age_days === undefined ? "result_ttl" as const : max_age_days * 86_400, dry_run } }
  })

  yield* kinds.register({
    kind: Cleanup.kind,
    data: Effect.fn("CleanupOutcome.data")(function*({ payload }) {
      const { of, tables } = yield* sweepOf(payload)
      return JSON.stringify(yield* sweep(tables, { ...of, dry_run: true }))
    }),
    onCompleted: Effect.fn("CleanupOutcome.onCompleted")(function*({ payload }, result) {
      const handed = yield* decodeResult(result).pipe(Effect.mapError((error) => new InvalidResult({ message: `result: ${error.message}` })))
      const { of, tables } = yield* sweepOf(payload)
      if (of.dry_run) return JSON.stringify(handed)
      return JSON.stringify({ dry_run: false, ...(yield* sweep(tables, of)) })
    })
  })
}))

const decodePayload = Schema.decodeEffect(Schema.fromJsonString(Cleanup.payload))
const decodeResult = Schema.decodeEffect(Schema.fromJsonString(Cleanup.result))
