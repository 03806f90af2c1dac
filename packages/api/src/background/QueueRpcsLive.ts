/** RPC of dead letters, many tasks at once, and queues: see QueueRpcs. */
import { CurrentUser } from "@englog/rpc/http/Authorization"
import { QueueRpcs } from "@englog/rpc/rpc/QueueRpcs"
import { Effect } from "effect"
import { ClusterStatus } from "../cluster/ClusterStatus.ts"
import { orRpcFailure } from "../rpc/RpcFailures.ts"
import { queuedMessage } from "./AcceptedMessage.ts"
import { DeadLetters } from "./DeadLetters.ts"
import { QueueAdministration } from "./QueueAdministration.ts"
import { TaskCancellation } from "./TaskCancellation.ts"

export const QueueRpcsLive = QueueRpcs.toLayer(Effect.gen(function*() {
  const letters = yield* DeadLetters
  const cancellation = yield* TaskCancellation
  const queues = yield* QueueAdministration
  const cluster = yield* ClusterStatus
  return QueueRpcs.of({
    CancelTasks: (filter) => CurrentUser.use((user) => orRpcFailure(cancellation.cancelAll(user, filter))),
    ListDeadLetters: (query) => CurrentUser.use((user) => orRpcFailure(letters.list(user, query))),
    GetDeadLetter: ({ task_id }) => CurrentUser.use((user) => orRpcFailure(letters.get(user, task_id))),
    ReplayDeadLetter: ({ task_id }) =>
      CurrentUser.use((user) => orRpcFailure(letters.replay(user, task_id))).pipe(
        Effect.map((task_id) => ({ task_id, message: queuedMessage(1) }))
      ),
    ReplayDeadLetters: (request) =>
      CurrentUser.use((user) => orRpcFailure(letters.replayAll(user, request))).pipe(
        Effect.map((replayed) => ({ ...replayed, message: queuedMessage(replayed.items.length) }))
      ),
    GetQueueStats: () => CurrentUser.use((user) => orRpcFailure(queues.stats(user))),
    PauseQueue: ({ queue }) => CurrentUser.use((user) => orRpcFailure(queues.pause(user, queue))),
    ResumeQueue: ({ queue }) => CurrentUser.use((user) => orRpcFailure(queues.resume(user, queue))),
    LimitQueue: ({ max_running, queue }) => CurrentUser.use((user) => orRpcFailure(queues.limit(user, queue, max_running))),
    ListTenantWeights: (page) => CurrentUser.use((user) => orRpcFailure(queues.weights(user, page))),
    SetTenantWeight: ({ organization_id, weight }) => CurrentUser.use((user) => orRpcFailure(queues.weigh(user, organization_id, weight))),
    CleanUpTasks: (request) => CurrentUser.use((user) => orRpcFailure(queues.cleanUp(user, request))),
    GetBackgroundHealth: () => orRpcFailure(cluster.health)
  })
}))
