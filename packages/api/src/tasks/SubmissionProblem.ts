/** What becomes of a submission that the engine does not accept: 429 where too much waits, 404 or 409 for what it would wait for. */
import { Conflict, NotFound, TooManyRequests } from "@englog/rpc/http/HttpErrors"
import { Effect } from "effect"
import { QueueFull } from "../queue/Backpressure.ts"
import { DependencyProblem } from "../queue/TaskDependencies.ts"

export const orTooMany = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catchIf(
    effect,
    (error): error is Extract<E, QueueFull> => error instanceof QueueFull,
    ({ message, retry_after }) => Effect.fail(new TooManyRequests({ error: message, retry_after }))
  )

export const orConflict = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catchIf(
    effect,
    (error): error is Extract<E, DependencyProblem> => error instanceof DependencyProblem,
    ({ message, reason }) => Effect.fail(reason === "unknown" ? new NotFound({ error: message }) : new Conflict({ error: message }))
  )
