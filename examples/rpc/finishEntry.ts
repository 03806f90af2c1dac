import type { EntryId } from "@englog/domain/Ids"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Effect } from "effect"

/** Changes only what it has seen: where somebody else was faster, it looks again and tries once more. */
export const finishEntry = Effect.fn("finishEntry")(function*(id: EntryId, description: string) {
  const englog = yield* EngLogClient
  const change = Effect.gen(function*() {
    const entry = yield* englog.GetEntry({ id })
    return yield* englog.UpdateEntry({ id, if_match: entry.etag, entry: { ...entry, description } })
  })
  return yield* Effect.retry(change, { while: (error) => error._tag === "RpcFailure" && error.code === "stale_etag", times: 3 })
})
