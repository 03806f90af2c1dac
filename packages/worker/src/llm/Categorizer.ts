/**
 * Proposes types and tags for entries: by the language model where one answers in time, a few entries a question, else by the
 * built-in rules. It always proposes, and says where it comes from; one question that fails makes all of it the rules'.
 */
import type { CategorizationInput, Proposals } from "@englog/domain/categorization/Categorization"
import { buildCategorizationPrompt, CategorizationAnswer, ENTRIES_PER_PROMPT, proposalsOf } from "@englog/domain/categorization/CategorizationPrompt"
import { BUILTIN_RULES, categorize } from "@englog/domain/categorization/Rules"
import { Array as Arr, Context, type Duration, Effect, Layer, Option, Result, Schema } from "effect"
import * as ModelAnswer from "./ModelAnswer.ts"
import { ModelCalls } from "./ModelCalls.ts"

export class Categorizer extends Context.Service<Categorizer, {
  /** Never fails: the rules need nobody. */
  readonly propose: (input: CategorizationInput, timeLeft: Effect.Effect<Duration.Duration>) => Effect.Effect<Proposals>
}>()("@englog/worker/llm/Categorizer") {
  static readonly layer = Layer.effect(
    Categorizer,
    Effect.gen(function*() {
      const calls = yield* ModelCalls

      const ask = (input: CategorizationInput, timeLeft: Effect.Effect<Duration.Duration>) =>
        Effect.map(
          calls.ask({ ...buildCategorizationPrompt(input), format, read: ModelAnswer.reader(CategorizationAnswer) }, timeLeft),
          Result.map(({ answer, model }) => ({ model, proposals: proposalsOf(input, answer) }))
        )

      return Categorizer.of({
        propose: Effect.fn("Categorizer.propose")(function*(input, timeLeft) {
          const asked: Array<{ readonly model: string; readonly proposals: Proposals["proposals"] }> = []
          for (const entries of Arr.chunksOf(input.entries, ENTRIES_PER_PROMPT)) {
            const answer = yield* ask({ ...input, entries }, timeLeft)
            if (Result.isFailure(answer)) return byRules(input, answer.failure)
            asked.push(answer.success)
          }
          const [first] = asked
          return first === undefined
            ? byRules(input, Option.none())
            : { proposals: asked.flatMap(({ proposals }) => proposals), model: first.model, source: "model" }
        })
      })
    })
  )
}

/** JSON Schema that providers force upon the model. */
const format: object = Schema.toJsonSchemaDocument(CategorizationAnswer).schema

const byRules = (input: CategorizationInput, reason: Option.Option<string>): Proposals => ({
  proposals: categorize(input),
  model: BUILTIN_RULES,
  source: "builtin",
  ...Option.match(reason, { onNone: () => ({}), onSome: (text) => ({ fallback_reason: text }) })
})
