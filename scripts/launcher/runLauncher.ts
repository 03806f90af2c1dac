/** The launcher as a process: its exit code is the API's, or 0 after a stop that was asked for. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Exit } from "effect"
import type { ConfigurationError } from "@englog/platform/Environment"
import { launch, type LaunchOptions } from "./Launcher.ts"

export const runLauncher = (options: Effect.Effect<LaunchOptions, ConfigurationError>): void =>
  Effect.flatMap(options, launch).pipe(
    Effect.catchTags({
      LaunchError: (error) => Effect.as(Console.error(error.message), error.exitCode),
      ConfigurationError: (error) => Effect.as(Console.error(error.message), 1)
    }),
    NodeRuntime.runMain({
      teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? codeOf(exit.value) : Exit.hasInterrupts(exit) ? 0 : 1)
    })
  )

const codeOf = (value: unknown): number => typeof value === "number" ? value : 0
