/**
 * Writes the insight: by the language model where one answers in time, else from an earlier answer to the same question,
 * else by the built-in narrator. It always writes one, and says where it comes from.
 */
import type { InsightDraft, NarrationInput } from "@englog/domain/insights/Insight"
import { buildPrompt } from "@englog/domain/insights/Prompt"
import { narrate } from "@englog/domain/narrator/Narrator"
import { Metrics } from "@englog/platform/telemetry/Metrics"
import { Clock, Context, type Duration, Effect, Layer, Option, Result } from "effect"
import * as ModelAnswer from "./ModelAnswer.ts"
import { ModelCalls } from "./ModelCalls.ts"
import { ModelChoice } from "./ModelChoice.ts"

export class InsightWriter extends Context.Service<InsightWriter, {
  /** Never fails: the narrator needs nobody. */
  readonly write: (input: NarrationInput, timeLeft: Effect.Effect<Duration.Duration>) => Effect.Effect<InsightDraft>
}>()("@englog/worker/llm/InsightWriter") {
  static readonly layer = Layer.effect(InsightWriter, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const choice = yield* ModelChoice
  const calls = yield* ModelCalls

  const byModel = Effect.fnUntraced(function*(input: NarrationInput, timeLeft: Effect.Effect<Duration.Duration>) {
    const { system, user, version } = buildPrompt(input)
    const asked = yield* calls.ask({ system, user, format: ModelAnswer.format, read: ModelAnswer.read }, timeLeft)
    return Result.map(asked, ({ answer, model }): InsightDraft => ({ ...answer, model, prompt_version: version, source: "model" }))
  })
  const compose = Effect.fnUntraced(function*(input: NarrationInput, timeLeft: Effect.Effect<Duration.Duration>) {
    // No entries is an answer of its own, and nothing to narrate for a model.
    if (input.entry_count === 0) return builtin(input, Option.none())
    const written = yield* byModel(input, timeLeft)
    if (Result.isSuccess(written)) return written.success
    return choice.builtinOnly ? builtin(input, Option.none()) : fallback(input, written.failure)
  })

  return InsightWriter.of({
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
