/**
 * A worker of the run: the worker package with handlers that do as their task says and log every attempt. CHAOS_LOG names the
 * file, CHAOS_CLOCK how wrong its clock is.
 */
// Before anything that could keep a reference to the right clock.
// oxlint-disable-next-line import/no-unassigned-import
import "./ShiftedClock.ts"
import { runProcess } from "@englog/platform/runProcess"
import { AppConfig } from "@englog/worker/AppConfig"
import * as Worker from "@englog/worker/Worker"
import { Effect, Layer } from "effect"
import { handlers } from "./chaosHandlers.ts"

runProcess(Worker.layer(handlers.map((handler) => Effect.succeed(handler))).pipe(Layer.provide(AppConfig.layer)))
