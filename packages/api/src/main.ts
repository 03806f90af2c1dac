/** The API server as a process. */
import { NodeRuntime } from "@effect/platform-node"
import { Telemetry } from "@englog/rpc/telemetry/Telemetry"
import { Effect, Layer } from "effect"
import { ApiServer } from "./ApiServer.ts"
import { AppConfig } from "./AppConfig.ts"

const telemetry = Layer.unwrap(Effect.map(AppConfig, (config) =>
  Telemetry.layer({ serviceName: "englog-api", serviceVersion: "0.1.0", ...config.telemetry })))

Layer.launch(ApiServer).pipe(
  Effect.provide(telemetry.pipe(Layer.provideMerge(AppConfig.layer))),
  NodeRuntime.runMain
)
