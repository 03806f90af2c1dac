/** The parts of the worker process: configuration, telemetry, worker. SIGTERM and SIGINT drain it. */
import { Telemetry } from "@englog/platform/telemetry/Telemetry"
import { Effect, Layer, Option } from "effect"
import { AppConfig } from "./AppConfig.ts"
import { emailNotification } from "./handlers/EmailNotification.ts"
import type { TaskHandler } from "./handlers/TaskHandler.ts"
import { MailServer } from "./mail/MailServer.ts"
import * as Worker from "./Worker.ts"
import { WORKER_VERSION } from "./WorkerVersion.ts"

const telemetry = Layer.unwrap(Effect.map(AppConfig, (config) =>
  Telemetry.layer({ service: "worker", serviceVersion: WORKER_VERSION, ...config.telemetry })))

const withMail: ReadonlyArray<Effect.Effect<TaskHandler, never, Worker.BuiltInServices | MailServer>> = [...Worker.builtIn, emailNotification]

/** A worker takes tasks that send mail only where it has a mail server: whoever submits them learns from that whether there is one. */
const worker = Layer.unwrap(Effect.map(AppConfig, ({ mail }) =>
  Option.match(mail, {
    onNone: () => Worker.layer(Worker.builtIn),
    onSome: (config) => Worker.layer(withMail).pipe(Layer.provide(MailServer.layer(config)))
  })))

/** Runs until it is interrupted; fails where the configuration is wrong or a port is taken. */
export const workerProcess = worker.pipe(Layer.provide(telemetry), Layer.provide(AppConfig.layer))
