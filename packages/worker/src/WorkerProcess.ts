/** The parts of the worker process: configuration, telemetry, worker. SIGTERM and SIGINT drain it. */
import { Telemetry } from "@englog/platform/telemetry/Telemetry"
import { Effect, Layer } from "effect"
import { AppConfig } from "./AppConfig.ts"
import * as Worker from "./Worker.ts"
import { WORKER_VERSION } from "./WorkerVersion.ts"

const telemetry = Layer.unwrap(Effect.map(AppConfig, (config) =>
  Telemetry.layer({ service: "worker", serviceVersion: WORKER_VERSION, ...config.telemetry })))

/** Runs until it is interrupted; fails where the configuration is wrong or a port is taken. */
export const workerProcess = Worker.layer(Worker.builtIn).pipe(Layer.provide(telemetry), Layer.provide(AppConfig.layer))
