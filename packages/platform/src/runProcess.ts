/**
 * A process of ours from start to end: runs until a signal, stops in good order, and says in one sentence why it could not
 * start. A stop by SIGTERM or SIGINT is clean: exit code 0.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Effect, Exit, Layer, Option, Predicate, Runtime } from "effect"
import { describeCause } from "./telemetry/ErrorText.ts"

/** Builds the layer and keeps it until the process is told to stop. */
export const runProcess = <A, E>(layer: Layer.Layer<A, E>): void =>
  Layer.launch(layer).pipe(
    Effect.tapCause((cause) => Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.sync(() => process.stderr.write(`${sentenceOf(cause)}\n`))),
    NodeRuntime.runMain({ disableErrorReporting: true, teardown })
  )

const teardown: Runtime.Teardown = (exit, onExit) =>
  onExit(Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause) ? 1 : 0)

/** An expected failure explains itself by its message; of anything else, type, code and places are told. */
const sentenceOf = (cause: Cause.Cause<unknown>): string =>
  Option.match(Cause.findErrorOption(cause), {
    onSome: (error) => Predicate.hasProperty(error, "message") && Predicate.isString(error.message) ? error.message : describeCause(cause),
    onNone: () => describeCause(cause)
  })
