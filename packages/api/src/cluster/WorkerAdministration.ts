/** What an administrator does to one worker, whichever API server it is connected to. Changes stand in the audit log. */
import type { WorkerId } from "@englog/domain/Ids"
import { type Forbidden, NotFound } from "@englog/rpc/http/HttpErrors"
import type { WorkerIntake } from "@englog/rpc/http/WorkersApi"
import { Context, Effect, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { Wakeups } from "../queue/Wakeups.ts"
import { actor, administratorsOnly, type Operator } from "../security/Operator.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { PausedWorkerRepo } from "./PausedWorkerRepo.ts"

export class WorkerAdministration extends Context.Service<WorkerAdministration, {
  /** It is given nothing more, starts nothing that waits with it and hands that back; what runs goes on. */
  readonly pause: (operator: Operator, worker_id: WorkerId) => Effect.Effect<typeof WorkerIntake.Type, Forbidden | NotFound | SqlError>
  readonly resume: (operator: Operator, worker_id: WorkerId) => Effect.Effect<typeof WorkerIntake.Type, Forbidden | NotFound | SqlError>
}>()("@englog/api/cluster/WorkerAdministration") {
  static readonly layer = Layer.effect(
    WorkerAdministration,
    Effect.gen(function*() {
      const repo = yield* PausedWorkerRepo
      const wakeups = yield* Wakeups
      const { record } = yield* SecurityEvents

      const setPaused = Effect.fnUntraced(function*(operator: Operator, worker_id: WorkerId, paused: boolean) {
        yield* administratorsOnly(operator)
        if (!(yield* paused ? repo.pause(worker_id) : repo.resume(worker_id))) {
          return yield* new NotFound({ error: "worker_id: no worker with this id is connected or paused" })
        }
        yield* wakeups.wake("workers")
        yield* record({ event: paused ? "worker_paused" : "worker_resumed", ...actor(operator), detail: { worker_id } })
        return { worker_id, paused }
      })

      return WorkerAdministration.of({
        pause: Effect.fn("WorkerAdministration.pause")((operator, worker_id) => setPaused(operator, worker_id, true)),
        resume: Effect.fn("WorkerAdministration.resume")((operator, worker_id) => setPaused(operator, worker_id, false))
      })
    })
  ).pipe(Layer.provide(PausedWorkerRepo.layer))
}
