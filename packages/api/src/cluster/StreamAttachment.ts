/**
 * The tie between a session and the stream that ends in this process, whichever method it was opened by: the mailbox, the
 * session's row, which says where it is connected, and the pings.
 */
import type { GrpcError } from "@englog/rpc/grpc/GrpcError"
import type { HeldTask } from "@englog/rpc/grpc/WorkerMessages"
import { Context, Effect, Layer, Queue, Schedule, type Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { warnUnlessOutage } from "../db/Outage.ts"
import { AnnouncedKinds } from "../kinds/AnnouncedKinds.ts"
import { sessionOver } from "./GatewayErrors.ts"
import { Heartbeats } from "./Heartbeats.ts"
import { Replica } from "./LeaseRescuer.ts"
import { WorkerSessionRepo, type WorkerSessionRow } from "./WorkerSessionRepo.ts"
import { type LiveSession, WorkerSessions } from "./WorkerSessions.ts"

const AGAIN = "1 second"

export class StreamAttachment extends Context.Service<StreamAttachment, {
  /** Until the scope ends. `running`: what the worker may be running; `window` 0: as many as it can run. */
  readonly open: (
    row: WorkerSessionRow,
    running: ReadonlyArray<HeldTask>,
    window: number
  ) => Effect.Effect<LiveSession, GrpcError | SqlError, Scope.Scope>
}>()("@englog/api/cluster/StreamAttachment") {
  static readonly layer = Layer.effect(
    StreamAttachment,
    Effect.gen(function*() {
      const sessions = yield* WorkerSessions
      const repo = yield* WorkerSessionRepo
      const heartbeats = yield* Heartbeats
      const replica = yield* Replica
      const kinds = yield* AnnouncedKinds

      const scope = yield* Effect.scope

      /** Whoever came back meanwhile is not lost. */
      const noteLost = ({ row, sentAway }: LiveSession) =>
        Effect.suspend(() => sessions.find(row.id) === undefined ? repo.detach(row.id, replica.id) : Effect.void).pipe(
          Effect.andThen(row.protocol === 2 && !sentAway ? Queue.offer(sessions.closed, row.id) : Effect.void),
          Effect.asVoid
        )

      /** While the database is away it is tried again: else the session would live until its heartbeats are missed, and keep its tasks. */
      const noteLostInTheEnd = (session: LiveSession) =>
        noteLost(session).pipe(
          Effect.catchCause((cause) =>
            warnUnlessOutage("could not note a lost stream; trying again", cause).pipe(
              Effect.andThen(Effect.forkIn(Effect.retry(Effect.delay(noteLost(session), AGAIN), Schedule.forever), scope))
            ))
        )

      const open: StreamAttachment["Service"]["open"] = Effect.fnUntraced(function*(row, running, window) {
        yield* kinds.learn(row.kinds)
        const session = yield* sessions.open(row, running, window)
        const attached = yield* Effect.acquireRelease(
          repo.attach(row.id, replica.id),
          () =>
            // A newer stream of this session may already be open here; then it is not disconnected.
            sessions.find(row.id) !== undefined && sessions.find(row.id) !== session
              ? Effect.void
              : Effect.andThen(sessions.close(row.id), noteLostInTheEnd(session))
        )
        if (!attached) return yield* sessionOver
        if (row.protocol === 2) yield* Effect.forkScoped(heartbeats.ping(session))
        return session
      })
      return StreamAttachment.of({ open })
    })
  )
}
