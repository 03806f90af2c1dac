/** `npm run demo`: from a real work log to a checked insight. 0: shown; 1: not, and why; 2: the command line is wrong. */
import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
import { quietTelemetry } from "@englog/platform/Environment"
import { Telemetry } from "@englog/platform/telemetry/Telemetry"
import { Console, Effect, Exit, Layer, Option } from "effect"
import { demo } from "./demo/Demo.ts"
import { demoArguments, usage } from "./demo/DemoArguments.ts"

const telemetry = Telemetry.layer({
  ...quietTelemetry,
  service: "demo",
  serviceVersion: "0.1.0",
  endpoint: Option.fromUndefinedOr(process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] || undefined),
  logLevel: "error",
  logFormat: "pretty"
})

const main = Effect.gen(function*() {
  const args = yield* demoArguments(process.argv.slice(2), process.env["INIT_CWD"] ?? process.cwd())
  yield* args.help ? Console.log(usage) : demo(args, process.env)
  return 0
}).pipe(
  Effect.catchTags({
    DemoError: (error) => Effect.as(Console.error(`The demo failed: ${error.message}.`), 1),
    UsageError: (error) => Effect.as(Console.error(`${error.message}.\n\n${usage}`), 2)
  })
)

const codeOf = (value: unknown): number => typeof value === "number" ? value : 0

main.pipe(
  Effect.provide(Layer.mergeAll(telemetry, NodeServices.layer, NodeHttpClient.layerUndici)),
  NodeRuntime.runMain({
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? codeOf(exit.value) : Exit.hasInterrupts(exit) ? 130 : 1)
  })
)
