/** Ours, the running side: a program that embeds the worker and brings a handler of its own; configured by its environment. */
import { Telemetry } from "@englog/platform/telemetry/Telemetry"
import { AppConfig } from "@englog/worker/AppConfig"
import * as TaskHandler from "@englog/worker/handlers/TaskHandler"
import * as Worker from "@englog/worker/Worker"
import { Effect, Layer, ManagedRuntime } from "effect"
import type { Engine, Handler } from "../Engine.ts"
import { BenchTask } from "./BenchTask.ts"

const telemetry = Layer.unwrap(Effect.map(AppConfig, (config) =>
  Telemetry.layer({ service: "worker", serviceVersion: "bench", ...config.telemetry })))

const handlerOf = (run: Handler) =>
  TaskHandler.make(BenchTask, (job) => {
    const wait = run(job)
    return wait === undefined ? Effect.succeed(null) : Effect.as(Effect.promise(() => wait), null)
  })

const configured = (maxConcurrent: number) =>
  Layer.effect(AppConfig, Effect.map(AppConfig, (config) => AppConfig.of({ ...config, maxConcurrent }))).pipe(Layer.provide(AppConfig.layer))

export const WorkerEngine: Engine = {
  name: "englog",
  submitter: () => Promise.reject(new Error("the worker takes no jobs in")),
  worker: async () => ({
    work: async (concurrency, run) => {
      const runtime = ManagedRuntime.make(
        Worker.layer([Effect.succeed(handlerOf(run))]).pipe(Layer.provide(telemetry), Layer.provide(configured(concurrency)))
      )
      await runtime.context()
      return () => runtime.dispose()
    }
  })
}
