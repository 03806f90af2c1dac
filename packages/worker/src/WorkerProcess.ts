/** The parts of the worker process: configuration, telemetry, worker. SIGTERM and SIGINT drain it. */
import { Telemetry } from "@englog/rpc/telemetry/Telemetry"
import { Cause, Effect, Layer, Option } from "effect"
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

/** Runs until it is interrupted; fails where the configuration is wrong or a port is taken. */
export const workerProcess = Worker.layer(Worker.builtIn).pipe(
  Layer.provide(telemetry),
  Layer.provide(AppConfig.layer),
  Layer.launch,
  // What is wrong with the surroundings is one sentence for people; only bugs show where they happened.
  Effect.tapCause((cause) =>
    Option.match(Cause.findErrorOption(cause), {
      onNone: () => Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logFatal("the worker failed unexpectedly", cause),
      onSome: (error) => Effect.logFatal(error.message)
    })
  )
)
