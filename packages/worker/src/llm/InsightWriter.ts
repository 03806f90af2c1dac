/**
 * Writes the insight: by the language model where one answers in time, else from an earlier answer to the same question,
 * else by the built-in narrator. It always writes one, and says where it comes from.
 *
 * Everything fits the task's deadline: with 20 s left no model is waited for any more (product.md).
 */
import type { InsightDraft, NarrationInput } from "@englog/domain/insights/Insight"
import { buildPrompt } from "@englog/domain/insights/Prompt"
import { narrate } from "@englog/domain/narrator/Narrator"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Clock, Context, Duration, Effect, Layer, Option, Result, Schedule } from "effect"
import * as CircuitBreaker from "../CircuitBreaker.ts"
import { type InsightModel, ModelError, type ModelRequest } from "./InsightModel.ts"
import * as ModelAnswer from "./ModelAnswer.ts"
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

export class InsightWriter extends Context.Service<InsightWriter, {
  /** Never fails: the narrator needs nobody. */
  readonly write: (input: NarrationInput, timeLeft: Effect.Effect<Duration.Duration>) => Effect.Effect<InsightDraft>
  readonly breaker: CircuitBreaker.CircuitBreaker
}>()("@englog/worker/llm/InsightWriter") {
  static readonly layer = Layer.effect(InsightWriter, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const choice = yield* ModelChoice
  const limits = yield* ModelLimits
  const breaker = yield* CircuitBreaker.make({ name: "llm", ...CircuitBreaker.seedPolicy })

  const ask = (model: InsightModel, request: ModelRequest, promptVersion: string) =>
    breaker.run(generate(model, request, limits.call)).pipe(
      Effect.tapError((error) => Effect.logWarning("model call failed").pipe(Effect.annotateLogs({ model: model.model, reason: error.message }))),
      Effect.retry({
        schedule: Schedule.exponential(limits.firstDelay).pipe(Schedule.jittered),
        times: limits.retries,
        while: (error) => error._tag === "ModelError" && error.isTransient
      }),
      Effect.map((answer): InsightDraft => ({
        ...answer,
        model: model.model,
        prompt_version: promptVersion,
        source: "model"
      }))
    )

  const byModel = Effect.fnUntraced(function*(input: NarrationInput, timeLeft: Effect.Effect<Duration.Duration>) {
    const { model, problem } = yield* choice.current
    if (Option.isNone(model)) return Result.fail(problem)
    const budget = Duration.subtract(yield* timeLeft, limits.reserve)
    if (!Duration.isPositive(budget)) return Result.fail(Option.some("too little time was left to ask the model"))
    const { system, user, version } = buildPrompt(input)
    return yield* ask(model.value, { system, user, format: ModelAnswer.format }, version).pipe(
      Effect.timeoutOrElse({
        duration: budget,
        orElse: () =>
          Effect.fail(new ModelError({ reason: "Timeout", message: "the model did not answer before the task's deadline" }))
      }),
      Effect.match({ onSuccess: Result.succeed, onFailure: (error) => Result.fail(Option.some(error.message)) })
    )
  })
  const compose = Effect.fnUntraced(function*(input: NarrationInput, timeLeft: Effect.Effect<Duration.Duration>) {
    // No entries is an answer of its own, and nothing to narrate for a model.
    if (input.entry_count === 0) return builtin(input, Option.none())
    const written = yield* byModel(input, timeLeft)
    if (Result.isSuccess(written)) return written.success
    return choice.builtinOnly ? builtin(input, Option.none()) : fallback(input, written.failure)
  })

  return InsightWriter.of({
    breaker,
    write: Effect.fn("InsightWriter.write")(function*(input, timeLeft) {
      const began = yield* Clock.monotonicTimeNanos
      const draft = yield* compose(input, timeLeft)
      const source = draft.source ?? "unknown"
      yield* Metrics.generation.record({ source }, Number((yield* Clock.monotonicTimeNanos) - began) / 1e9)
      if (draft.fallback_reason !== undefined) yield* Metrics.narratorFallbacks.add({ source })
      return draft
    })
  })
})

/** One call with its own span. Neither prompt nor answer are recorded: they are people's text. */
const generate = (model: InsightModel, request: ModelRequest, limit: Duration.Duration) =>
  model.call(request).pipe(
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
    Effect.flatMap(ModelAnswer.read),
    timed(model),
    Effect.withSpan("llm.generate", {
      kind: "client",
      attributes: { [Attribute.genAiOperation]: "chat", [Attribute.genAiProvider]: model.system, [Attribute.genAiModel]: model.model }
    }, { captureStackTrace: false })
  )

const builtin = (input: NarrationInput, reason: Option.Option<string>): InsightDraft => ({
  ...narrate(input),
  model: "builtin",
  source: "builtin",
  ...because(reason)
})

const fallback = (input: NarrationInput, reason: Option.Option<string>): InsightDraft =>
  input.cached === null ? builtin(input, reason) : { ...input.cached, source: "cache", ...because(reason) }

const because = (reason: Option.Option<string>) =>
  Option.match(reason, { onNone: () => ({}), onSome: (text) => ({ fallback_reason: text }) })
