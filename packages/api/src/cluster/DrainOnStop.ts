/**
 * A planned stop of this API server: its workers are asked to go to another address while their tasks run on, and get a
 * moment to do so before the gRPC server closes.
 */
import { GrpcServer } from "@englog/rpc/grpc/GrpcServer"
import { Effect, Layer, Queue, Schedule } from "effect"
import { WorkerSessions } from "./WorkerSessions.ts"

const PATIENCE = "1 second"

export const DrainOnStop = Layer.effectDiscard(Effect.gen(function*() {
  // What is built after the server is stopped before it.
  yield* GrpcServer
  const sessions = yield* WorkerSessions

  const drain = Effect.gen(function*() {
    const open = (yield* sessions.all).filter((session) => session.row.protocol === 2)
    if (open.length === 0) return
    for (const session of open) {
      session.sentAway = true
      yield* Queue.offer(session.mailbox, { _tag: "Drain", reason: "the API server is stopping" })
    }
    yield* sessions.all.pipe(
      Effect.repeat({
        until: (left) => left.every((session) => session.row.protocol === 1),
        schedule: Schedule.spaced("20 millis")
      }),
      Effect.timeoutOption(PATIENCE)
    )
  })
  yield* Effect.addFinalizer(() => drain)
}))
