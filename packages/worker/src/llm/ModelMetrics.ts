/** Calls of language models as metrics. Provider and model are those of this worker's own configuration. */
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Cause, Clock, Effect, Exit, Option } from "effect"
import type { InsightModel, ModelError, ModelReply } from "./InsightModel.ts"

/** Around one call, the reading of its answer included. */
export const timed = ({ model, system }: InsightModel) =>
  <A>(call: Effect.Effect<A, ModelError>): Effect.Effect<A, ModelError> =>
    Effect.flatMap(Clock.monotonicTimeNanos, (began) =>
      Effect.onExit(call, (exit) =>
        Effect.flatMap(Clock.monotonicTimeNanos, (ended) =>
          Metrics.modelCalls.record({ provider: system, model, outcome: outcomeOf(exit) }, Number(ended - began) / 1e9))))

export const countReply = ({ model, system }: InsightModel, reply: ModelReply) =>
  Effect.all([
    Metrics.modelTokens.add({ provider: system, model, type: "input" }, reply.inputTokens ?? 0),
    Metrics.modelTokens.add({ provider: system, model, type: "output" }, reply.outputTokens ?? 0),
    reply.loadSeconds === undefined ? Effect.void : Metrics.modelLoading.record({ model }, reply.loadSeconds)
  ], { discard: true })

/** `ok`, the reason of the error, or `interrupted`. */
const outcomeOf = (exit: Exit.Exit<unknown, ModelError>): string =>
  Exit.isSuccess(exit)
    ? "ok"
    : Option.match(Cause.findErrorOption(exit.cause), {
      onSome: (error) => error.reason,
      onNone: () => Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "defect"
    })
