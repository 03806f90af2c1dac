/** Runs one bench with an installation of its own; everything it starts ends with it. Five minutes at most. */
import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer, type Scope } from "effect"
import type { HttpClient } from "effect/http"
import { Installation } from "@englog/e2e/Installation"

export const runBench = <E>(
  bench: Effect.Effect<void, E, Installation | HttpClient.HttpClient | NodeServices.NodeServices | Scope.Scope>
): void =>
  bench.pipe(
    Effect.timeout("5 minutes"),
    Effect.scoped,
    Effect.provide(Layer.mergeAll(Installation.layer(), NodeHttpClient.layerUndici, NodeServices.layer)),
    NodeRuntime.runMain
  )
