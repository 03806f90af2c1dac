/** REST of dead letters and of cancelling many: see DeadLettersApi. */
import { EngLogApi } from "@englog/rpc/http/Api"
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { orUnavailable } from "../http/errors/DatabaseOutage.ts"
import { queuedMessage } from "./AcceptedMessage.ts"
import { DeadLetters } from "./DeadLetters.ts"
import { TaskCancellation } from "./TaskCancellation.ts"

export const DeadLettersHttp = HttpApiBuilder.group(EngLogApi, "deadLetters", Effect.fn(function*(handlers) {
  const letters = yield* DeadLetters
  const cancellation = yield* TaskCancellation
  return handlers.handleAll({
    cancelAll: Effect.fnUntraced(function*({ payload }) {
      return yield* orUnavailable(cancellation.cancelAll(yield* CurrentUser, payload))
    }),
    list: Effect.fnUntraced(function*({ query }) {
      return yield* orUnavailable(letters.list(yield* CurrentUser, query))
    }),
    replayAll: Effect.fnUntraced(function*({ payload }) {
      const replayed = yield* orUnavailable(letters.replayAll(yield* CurrentUser, payload))
      return { ...replayed, message: queuedMessage(replayed.items.length) }
    }),
    get: Effect.fnUntraced(function*({ params }) {
      return yield* orUnavailable(letters.get(yield* CurrentUser, params.id))
    }),
    replay: Effect.fnUntraced(function*({ params }) {
      return { task_id: yield* orUnavailable(letters.replay(yield* CurrentUser, params.id)), message: queuedMessage(1) }
    })
  })
}))
