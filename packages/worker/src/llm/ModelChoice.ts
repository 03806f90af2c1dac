/**
 * Which language model to ask. `auto`: Ollama where OLLAMA_URL is set and answers, else the OpenAI-compatible endpoint where
 * a key is set, else none (the built-in narrator). What answers is asked anew every 15 s, so a model that comes up later
 * is used without a restart.
 */
import { Context, Duration, Effect, Layer, Option } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { AppConfig, type LlmConfig } from "../AppConfig.ts"
import type { InsightModel } from "./InsightModel.ts"
import * as OllamaModel from "./OllamaModel.ts"
import * as OpenAiModel from "./OpenAiModel.ts"

/** `problem`: why a configured model is not to be had. Both none: none is configured. */
export interface Choice {
  readonly model: Option.Option<InsightModel>
  readonly problem: Option.Option<string>
}

export class ModelChoice extends Context.Service<ModelChoice, {
  readonly current: Effect.Effect<Choice>
  /** LLM_PROVIDER=builtin: the narrator was asked for, earlier answers of models are not wanted. */
  readonly builtinOnly: boolean
}>()("@englog/worker/llm/ModelChoice") {
  static readonly layer = Layer.effect(ModelChoice, Effect.suspend(() => make)).pipe(Layer.provide(FetchHttpClient.layer))
}

const RECHECK = Duration.seconds(15)
const CHECK_LIMIT = Duration.seconds(3)
/** Ollama's own default, used where LLM_PROVIDER=ollama and no URL is given. */
const OLLAMA_DEFAULT = "http://localhost:11434"

const make = Effect.gen(function*() {
  const { llm } = yield* AppConfig
  const ollama = OllamaModel.make(Option.getOrElse(llm.ollamaUrl, () => OLLAMA_DEFAULT), llm.ollamaModel)
  const openai = yield* OpenAiModel.make({ baseUrl: llm.openaiBaseUrl, apiKey: llm.openaiApiKey, model: llm.openaiModel })
  const candidates = candidatesOf(llm, ollama, openai)
  const current = yield* Effect.cachedWithTTL(choose(candidates), RECHECK)
  return ModelChoice.of({ current, builtinOnly: llm.provider === "builtin" })
})

const candidatesOf = (llm: LlmConfig, ollama: InsightModel, openai: InsightModel): ReadonlyArray<InsightModel> => {
  switch (llm.provider) {
    case "builtin":
      return []
    case "ollama":
      return [ollama]
    case "openai":
      return [openai]
    case "auto":
      return [...(Option.isSome(llm.ollamaUrl) ? [ollama] : []), ...(Option.isSome(llm.openaiApiKey) ? [openai] : [])]
  }
}

/** The first that answers. */
const choose = Effect.fnUntraced(function*(candidates: ReadonlyArray<InsightModel>) {
  const problems: Array<string> = []
  for (const model of candidates) {
    const problem = yield* problemOf(model)
    if (Option.isNone(problem)) {
      const found: Choice = { model: Option.some(model), problem: Option.none() }
      return found
    }
    problems.push(problem.value)
  }
  const none: Choice = {
    model: Option.none(),
    problem: problems.length === 0 ? Option.none() : Option.some(problems.join("; "))
  }
  return none
})

const problemOf = (model: InsightModel): Effect.Effect<Option.Option<string>> =>
  model.check.pipe(
    Effect.timeout(CHECK_LIMIT),
    Effect.match({
      onSuccess: () => Option.none(),
      onFailure: (error) =>
        Option.some(error._tag === "TimeoutError" ? `${model.system} does not answer` : error.message)
    })
  )
