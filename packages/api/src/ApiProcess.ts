/** The parts of the API process: configuration, telemetry, server. SIGTERM and SIGINT stop it in good order. */
import { Telemetry } from "@englog/platform/telemetry/Telemetry"
import { Effect, Layer } from "effect"
import { ApiServer } from "./ApiServer.ts"
import { API_VERSION } from "./ApiVersion.ts"
import { AppConfig } from "./AppConfig.ts"

const telemetry = Layer.unwrap(Effect.map(AppConfig, (config) =>
  Telemetry.layer({ service: "api", serviceVersion: API_VERSION, ...config.telemetry })))

/** Runs until it is interrupted; fails where the configuration is wrong, a port is taken or the data cannot be used. */
export const apiProcess = ApiServer.pipe(Layer.provide(telemetry), Layer.provide(AppConfig.layer))
