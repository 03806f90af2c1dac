/** `npm run certs`: certificates for TLS between API server and workers. 0: done; 1: not, and why; 2: wrong command line. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Exit } from "effect"
import { fill } from "./certs/CertificateFolder.ts"
import { certsArguments, usage } from "./certs/CertsArguments.ts"

const main = Effect.gen(function*() {
  const args = yield* certsArguments(process.argv.slice(2), process.env["INIT_CWD"] ?? process.cwd())
  if (args.help) yield* Console.log(usage)
  else for (const { file, made } of yield* fill(args)) yield* Console.log(`${made ? "made" : "kept"} ${file}.crt and .key`)
  return 0
}).pipe(
  Effect.catchTags({
    CertificateFolderError: (error) => Effect.as(Console.error(error.message), 1),
    UsageError: (error) => Effect.as(Console.error(`${error.message}\n\n${usage}`), 2)
  })
)

const codeOf = (value: unknown): number => typeof value === "number" ? value : 0

main.pipe(
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? codeOf(exit.value) : 1) })
)
