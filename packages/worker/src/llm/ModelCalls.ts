/**
 * Asking the language model, for whatever a task needs of it: one circuit breaker for all, retries, and never longer than the
 * task has. With 20 s left of its deadline no model is waited for any more (product.md).
 */
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { Context, Duration, Effect, Layer, Option, Result, Schedule } from "effect"
import * as CircuitBreaker from "../CircuitBreaker.ts"
import { type InsightModel, ModelError, type ModelReply, type ModelRequest } from "./InsightModel.ts"
import { ModelChoice } from "./ModelChoice.ts"
import { countReply, timed } from "./ModelMetrics.ts"

/** What limits the calls of a model. Seeds 000 and 001: 120 s a call, 3 retries; a circuit that opens after 5 failures. */
export const ModelLimits = Context.Reference<{
  readonly call: Duration.Duration
  readonly reserve: Duration.Duration
  readonly retries: number
  readonly firstDelay: Duration.Duration
}>("@englog/worker/llm/ModelLimits", {
  defaultValue: () => ({
    call: Duration.seconds(120),
    reserve: Duration.seconds(20),
    retries: 3,
    firstDelay: Duration.seconds(1)
  })
})

export interface ModelQuestion<A> extends ModelRequest {
  /** From its text to an answer that fits, or `Garbage`. */
  readonly read: (reply: ModelReply) => Effect.Effect<A, ModelError>
}

export interface Answered<A> {
  readonly answer: A
  readonly model: string
}

export class ModelCalls extends Context.Service<ModelCalls, {
  /** Fails with the reason, for people, where a model is configured. */
  readonly ask: <A>(
    question: ModelQuestion<A>,
    timeLeft: Effect.Effect<Duration.Duration>
  ) => Effect.Effect<Result.Result<Answered<A>, Option.Option<string>>>
  readonly breaker: CircuitBreaker.CircuitBreaker
}>()("@englog/worker/llm/ModelCalls") {
  static readonly layer = Layer.effect(ModelCalls, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const choice = yield* ModelChoice
  const limits = yield* ModelLimits
  const breaker = yield* CircuitBreaker.make({ name: "llm", ...CircuitBreaker.seedPolicy })

  const tryModel = <A>(model: InsightModel, question: ModelQuestion<A>) =>
    breaker.run(generate(model, question, limits.call)).pipe(
      Effect.tapError((error) => Effect.logWarning("model call failed").pipe(Effect.annotateLogs({ model: model.model, reason: error.message }))),
      Effect.retry({
        schedule: Schedule.exponential(limits.firstDelay).pipe(Schedule.jittered),
        times: limits.retries,
        while: (error) => error._tag === "ModelError" && error.isTransient
      })
    )

  const ask = Effect.fnUntraced(function*<A>(question: ModelQuestion<A>, timeLeft: Effect.Effect<Duration.Duration>) {
    const { model, problem } = yield* choice.current
    if (Option.isNone(model)) return Result.fail(problem)
    const budget = Duration.subtract(yield* timeLeft, limits.reserve)
    if (!Duration.isPositive(budget)) return Result.fail(Option.some("too little time was left to ask the model"))
    return yield* tryModel(model.value, question).pipe(
      Effect.timeoutOrElse({
        duration: budget,
        orElse: () =>
          Effect.fail(new ModelError({ reason: "Timeout", message: "the model did not answer before the task's deadline" }))
      }),
      Effect.match({
        onSuccess: (answer) => Result.succeed({ answer, model: model.value.model }),
        onFailure: (error) => Result.fail(Option.some(error.message))
      })
    )
  })

  return ModelCalls.of({ ask, breaker })
})

/** One call with its own span. Neither prompt nor answer are recorded: they are people's text. */
const generate = <A>(model: InsightModel, { format, read, system, user }: ModelQuestion<A>, limit: Duration.Duration) =>
  model.call({ system, user, format }).pipe(
    Effect.timeoutOrElse({
      duration: limit,
      orElse: () =>
        Effect.fail(new ModelError({ reason: "Timeout", message: `the model did not answer within ${Duration.format(limit)}` }))
    }),
    Effect.tap((reply) => countReply(model, reply)),
    Effect.tap((reply) =>
      Effect.annotateCurrentSpan({
        ...(reply.inputTokens === undefined ? {} : { [Attribute.genAiInputTokens]: reply.inputTokens }),
        ...(reply.outputTokens === undefined ? {} : { [Attribute.genAiOutputTokens]: reply.outputTokens }),
        [Attribute.genAiFinishReasons]: [reply.complete ? "stop" : "length"]
      })
    ),
    Effect.flatMap(read),
    timed(model),
    Effect.withSpan("llm.generate", {
      kind: "client",
      attributes: { [Attribute.genAiOperation]: "chat", [Attribute.genAiProvider]: model.system, [Attribute.genAiModel]: model.model }
    }, { captureStackTrace: false })
  )
