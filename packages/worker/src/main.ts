/** The worker process: configuration, telemetry, worker. SIGTERM and SIGINT drain it. */
import "./YoungHeap.ts"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Telemetry } from "@englog/rpc/telemetry/Telemetry"
import { Effect, Layer } from "effect"
import { AppConfig } from "./AppConfig.ts"
import * as Worker from "./Worker.ts"
import { WORKER_VERSION } from "./WorkerVersion.ts"

const telemetry = Layer.unwrap(Effect.map(AppConfig, (config) =>
  Telemetry.layer({
    serviceName: "englog-worker",
    serviceVersion: WORKER_VERSION,
    endpoint: config.otlpEndpoint,
    logLevel: config.logLevel,
    logFormat: config.logFormat
  })))

Worker.layer(Worker.builtIn).pipe(
  Layer.provide(telemetry),
  Layer.provide(AppConfig.layer),
  Layer.launch,
  NodeRuntime.runMain
)
