/** An API and one worker that are at work, for whoever needs nothing special of them; and the HTTP client and the files to use them with. */
import { NodeFileSystem } from "@effect/platform-node"
import { Context, Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { type Api, type Env, Installation } from "./Installation.ts"
import type { ProgramError } from "./RunningProgram.ts"

export class Running extends Context.Service<Running, Api>()("@englog/e2e/Running") {
  /** `workerEnv` is given to the worker alone. */
  static readonly layer = (workerEnv: Env = {}): Layer.Layer<Running | Installation | Layer.Success<typeof outside>, ProgramError> =>
    Layer.effect(Running, start(workerEnv)).pipe(Layer.provideMerge(Layer.mergeAll(Installation.layer(), outside)))
}

const outside = Layer.mergeAll(FetchHttpClient.layer, NodeFileSystem.layer)

const start = Effect.fnUntraced(function*(workerEnv: Env) {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  yield* installation.startWorker("worker", workerEnv)
  return api
})
