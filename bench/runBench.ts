/** Runs one bench with an installation of its own; everything it starts ends with it. Five minutes at most, unless told otherwise. */
import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
import { type Duration, Effect, Layer, type Scope } from "effect"
import type { HttpClient } from "effect/http"
import { Installation } from "@englog/e2e/Installation"

export const runBench = <E>(
  bench: Effect.Effect<void, E, Installation | HttpClient.HttpClient | NodeServices.NodeServices | Scope.Scope>,
  atMost: Duration.Input = "5 minutes"
): void =>
  bench.pipe(
    Effect.timeout(atMost),
    Effect.scoped,
    Effect.provide(Layer.mergeAll(Installation.layer(), NodeHttpClient.layerUndici, NodeServices.layer)),
    NodeRuntime.runMain
  )
