/**
 * A worker that lies as fast as it can, on one connection after another: results and progress of tasks that it does not hold,
 * other attempts, results too large, guessed tokens, streams again and again. It never takes a task.
 */
import { TaskId, WorkerId } from "@englog/domain/Ids"
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import * as GrpcClient from "@englog/rpc/grpc/GrpcClient"
import type { GrpcError } from "@englog/rpc/grpc/GrpcError"
import { noTls } from "@englog/rpc/grpc/GrpcTls"
import { Effect, Random, Schedule, Stream } from "effect"

/** How many calls ended how until now, by status. */
export type Statuses = ReadonlyMap<string, number>

export const totalOf = (statuses: Statuses): number => [...statuses.values()].reduce((sum, calls) => sum + calls, 0)

/** Calls that were answered as no lie may be: believed (`OK`), or as if it were the server's fault. */
export const faultsOf = (statuses: Statuses): number =>
  ["OK", "INTERNAL", "UNKNOWN", "DATA_LOSS"].reduce((sum, status) => sum + (statuses.get(status) ?? 0), 0)

/** Floods until the scope ends, with `width` calls under way at any time. `target`: a task of somebody else's. */
export const flood = Effect.fnUntraced(function*(grpc: string, target: TaskId, width = 100) {
  const workerId = WorkerId.make("liar")
  const { calls } = yield* GrpcClient.make(APIWorkerService, { address: grpc, tls: noTls })
  const { sessionToken } = yield* calls.registerWorker({ workerId, kinds: ["NOBODY_ASKS_FOR_THIS"] })
  const statuses = new Map<string, number>()
  const count = (status: string) => Effect.sync(() => void statuses.set(status, (statuses.get(status) ?? 0) + 1))

  yield* connection(grpc, { workerId, sessionToken }, target, width, count).pipe(
    Effect.scoped,
    Effect.ignore,
    // Cut off, or not let in: again.
    Effect.repeat(Schedule.spaced("20 millis")),
    Effect.withTracerEnabled(false),
    Effect.forkScoped
  )
  const counted: Statuses = statuses
  return counted
})

interface Proof {
  readonly workerId: string
  readonly sessionToken: string
}

const connection = Effect.fnUntraced(function*(
  grpc: string,
  proof: Proof,
  taskId: TaskId,
  width: number,
  count: (status: string) => Effect.Effect<void>
) {
  const { calls, connect } = yield* GrpcClient.make(APIWorkerService, { address: grpc, tls: noTls })
  yield* connect("5 seconds")
  const large = "x".repeat(3_900_000)
  const forged = { ...proof, taskId, status: 3, result: "{}" }
  const lies = [
    () => calls.reportTaskResult(forged),
    () => calls.reportTaskResult({ ...forged, attempt: 1 }),
    () => calls.reportTaskResult({ ...forged, attempt: 2_147_483_647 }),
    () => calls.updateTaskProgress({ ...proof, taskId, progress: 99 }),
    () => calls.updateTaskProgress({ ...proof, taskId, progress: -1 }),
    () => calls.updateTaskProgress({ ...proof, taskId, progress: 1, message: "\u0000" }),
    () => calls.getTaskData({ ...proof, taskId }),
    () => calls.getTaskDataPart({ ...proof, taskId, name: "source", index: 0 }),
    () => calls.beginEffect({ ...proof, taskId }),
    () => calls.storeTaskPart({ ...proof, taskId, part: "{}" }),
    () => calls.workerHeartbeat({ workerId: "worker", sessionToken: "guessed" }),
    () => Stream.runDrain(calls.streamTasks({ ...proof, capabilities: [] })).pipe(Effect.timeoutOption("50 millis"), Effect.as(STREAM))
  ] as const
  const tooLarge = () => calls.reportTaskResult({ ...forged, result: large })

  const lie = Effect.gen(function*() {
    // What costs the liar most is told least.
    const tell = (yield* Random.nextIntBetween(0, 400)) === 0 ? tooLarge : lies[yield* Random.nextIntBetween(0, lies.length - 1)] ?? tooLarge
    const status = yield* Effect.match(outcomeOf(tell), { onFailure: (error) => error.code, onSuccess: (status) => status })
    yield* count(status)
    return status
  })
  yield* Effect.forEach(Array.from({ length: width }), () => Effect.repeat(lie, { while: (status) => status !== "UNAVAILABLE" }), {
    concurrency: "unbounded",
    discard: true
  })
})

/** A stream that was not refused within 50 ms, and was left: the one thing that a session may do. */
const STREAM = "STREAM_LEFT"

/** `OK` where a lie was believed. */
const outcomeOf = (tell: () => Effect.Effect<unknown, GrpcError>): Effect.Effect<string, GrpcError> =>
  Effect.map(tell(), (answer) => answer === STREAM ? STREAM : "OK")
