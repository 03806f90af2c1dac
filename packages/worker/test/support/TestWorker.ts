/** The worker's parts without its process: link, supervisor and the handlers that a test brings. */
import { quietTelemetry } from "@englog/platform/Environment"
import { NodeFileSystem } from "@effect/platform-node"
import { WorkerId } from "@englog/domain/Ids"
import { noTls } from "@englog/rpc/grpc/GrpcTls"
import { ApiLink } from "@englog/worker/ApiLink"
import { AppConfig } from "@englog/worker/AppConfig"
import { AttemptLedger } from "@englog/worker/AttemptLedger"
import type { TaskHandler } from "@englog/worker/handlers/TaskHandler"
import { TaskHandlers } from "@englog/worker/handlers/TaskHandlers"
import { Outbox } from "@englog/worker/Outbox"
import { ProcessUsage } from "@englog/worker/ProcessUsage"
import { DrainLimit, WorkerSupervisor } from "@englog/worker/WorkerSupervisor"
import { Duration, Effect, Layer, Option } from "effect"

export const config = (apiAddresses: ReadonlyArray<string>, fields: Partial<AppConfig["Service"]> = {}): AppConfig["Service"] => ({
  apiAddresses,
  workerId: WorkerId.make("worker-1"),
  workerName: "EngLog Worker",
  maxConcurrent: 5,
  prefetch: 256,
  slotHeld: false,
  queues: ["default"],
  healthHost: "127.0.0.1",
  healthPort: Option.none(),
  enrollmentToken: Option.none(),
  tls: noTls,
  llm: {
    provider: "builtin",
    ollamaUrl: Option.none(),
    ollamaModel: "llama3.2:3b",
    openaiBaseUrl: "http://127.0.0.1:1",
    openaiApiKey: Option.none(),
    openaiModel: "gpt-4o-mini"
  },
  mail: Option.none(),
  webAllowPrivate: false,
  n8nPrivateHosts: [],
  embeddings: { _tag: "Builtin" },
  gitRoots: [],
  searchPath: "/usr/bin:/bin",
  telemetry: { ...quietTelemetry, logLevel: "info", logFormat: "pretty" },
  ...fields
})

export const worker = (
  addresses: ReadonlyArray<string>,
  handlers: ReadonlyArray<TaskHandler>,
  fields: Partial<AppConfig["Service"]> = {}
) =>
  WorkerSupervisor.layer.pipe(
    Layer.provideMerge(ApiLink.layer),
    Layer.provideMerge(Outbox.layer),
    Layer.provide(TaskHandlers.layer(handlers.map((handler) => Effect.succeed(handler)))),
    Layer.provideMerge(Layer.mergeAll(AttemptLedger.layer, ProcessUsage.layer, NodeFileSystem.layer)),
    Layer.provide(Layer.succeed(DrainLimit, Duration.millis(200))),
    Layer.provideMerge(Layer.succeed(AppConfig, AppConfig.of(config(addresses, fields))))
  )

export const handler = (run: TaskHandler["run"], kind = "TEST"): TaskHandler => ({ kind, run })
