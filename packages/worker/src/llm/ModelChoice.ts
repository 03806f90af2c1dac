/**
 * Which language model to ask. `auto`: Ollama where OLLAMA_URL is set and answers, else the OpenAI-compatible endpoint where
 * a key is set, else none (the built-in narrator). What answers is asked anew every 15 s, so a model that comes up later
 * is used without a restart. The asking has a fiber of its own: nobody who wants to know can delay or cancel it.
 */
import { Context, Deferred, Duration, Effect, Layer, Option, Ref } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { AppConfig, type LlmConfig } from "../AppConfig.ts"
import type { InsightModel } from "./InsightModel.ts"
import { boundedFetch } from "./BoundedFetch.ts"
import * as OllamaModel from "./OllamaModel.ts"
import * as OpenAiModel from "./OpenAiModel.ts"

/** `problem`: why a configured model is not to be had. Both none: none is configured. */
export interface Choice {
  readonly model: Option.Option<InsightModel>
  readonly problem: Option.Option<string>
  /** Those that were asked, in order; the last one is the one chosen if it is available. */
  readonly asked: ReadonlyArray<Pick<InsightModel, "system" | "model"> & { readonly available: boolean }>
}

export class ModelChoice extends Context.Service<ModelChoice, {
  /** As last asked; waits for the first answer. */
  readonly current: Effect.Effect<Choice>
  /** As last asked, at once; none before the first answer. */
  readonly lastKnown: Effect.Effect<Option.Option<Choice>>
  /** LLM_PROVIDER=builtin: the narrator was asked for, earlier answers of models are not wanted. */
  readonly builtinOnly: boolean
}>()("@englog/worker/llm/ModelChoice") {
  static readonly layer = Layer.effect(ModelChoice, Effect.suspend(() => make)).pipe(
    Layer.provide(FetchHttpClient.layer),
    Layer.provide(Layer.succeed(FetchHttpClient.Fetch, boundedFetch))
  )
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
  const lastKnown = yield* Ref.make(Option.none<Choice>())
  const known = yield* Deferred.make<void>()
  const ask = choose(candidates).pipe(
    Effect.flatMap((choice) => Ref.set(lastKnown, Option.some(choice))),
    Effect.andThen(Deferred.succeed(known, undefined))
  )
  if (candidates.length === 0) yield* ask
  else {
    // Not traced: each round would be a trace of its own.
    yield* ask.pipe(Effect.andThen(Effect.sleep(RECHECK)), Effect.forever, Effect.withTracerEnabled(false), Effect.forkScoped)
  }
  return ModelChoice.of({
    current: Deferred.await(known).pipe(Effect.andThen(Ref.get(lastKnown)), Effect.map(Option.getOrElse(() => unconfigured))),
    lastKnown: Ref.get(lastKnown),
    builtinOnly: llm.provider === "builtin"
  })
})

const unconfigured: Choice = { model: Option.none(), problem: Option.none(), asked: [] }

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
  const asked: Array<Choice["asked"][number]> = []
  for (const model of candidates) {
    const problem = yield* problemOf(model)
    asked.push({ system: model.system, model: model.model, available: Option.isNone(problem) })
    if (Option.isNone(problem)) {
      const found: Choice = { model: Option.some(model), problem: Option.none(), asked }
      return found
    }
    problems.push(problem.value)
  }
  return problems.length === 0 ? unconfigured : { ...unconfigured, problem: Option.some(problems.join("; ")), asked }
})

const problemOf = (model: InsightModel): Effect.Effect<Option.Option<string>> =>
  model.check.pipe(
    Effect.timeout(CHECK_LIMIT),
    Effect.match({
      onSuccess: () => Option.none(),
      onFailure: (error) =>
        Option.some(error._tag === "TimeoutError" ? `${model.system} does not answer` : error.message)
    }),
    // A bug here must not end the asking.
    Effect.catchDefect((defect) =>
      Effect.as(
        Effect.logError("the check of a language model failed unexpectedly", defect),
        Option.some(`${model.system} could not be checked; the worker's log has the details`)
      )
    )
  )
