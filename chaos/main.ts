/** `npm run chaos`: see README.md. The last line of its output is one JSON object; it exits with 1 where the run did not pass. */
import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Exit, Layer, Ref } from "effect"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as Arguments from "./Arguments.ts"
import * as ChaosRun from "./ChaosRun.ts"
import * as Mutation from "./Mutation.ts"
import * as Verdict from "./Verdict.ts"

const given = Arguments.read(process.argv.slice(2), Date.now() % 1_000_000)

const program = Effect.gen(function*() {
  if (typeof given === "string") {
    yield* Effect.sync(() => process.stderr.write(`${given}\n`))
    return 2
  }
  if (given.mutate) return yield* Mutation.run(given)
  const kept = yield* Ref.make(true)
  const folder = yield* runFolder(kept)
  const run = yield* ChaosRun.run(given, folder)
  const objections = Verdict.objections(run)
  yield* Ref.set(kept, objections.length > 0)
  yield* Effect.sync(() => {
    for (const objection of objections) process.stderr.write(`NOT PASSED: ${objection}\n`)
    process.stdout.write(`${JSON.stringify(Verdict.summary(run))}\n`)
  })
  return objections.length === 0 ? 0 : 1
})

/** What is left of a run that did not pass is there to be read; its database is not. */
const runFolder = (kept: Ref.Ref<boolean>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(path.join(tmpdir(), "englog-chaos-"))
      // PostgreSQL's user has to pass through it.
      chmodSync(folder, 0o755)
      return folder
    }),
    (folder) => Effect.map(Ref.get(kept), (kept) => rmSync(kept ? path.join(folder, "data") : folder, { recursive: true, force: true }))
  )

program.pipe(
  Effect.scoped,
  Effect.tap((code) => Effect.sync(() => void (process.exitCode = code))),
  Effect.provide(Layer.merge(NodeHttpClient.layerUndici, NodeServices.layer)),
  // Connections that were left half open would keep the process.
  NodeRuntime.runMain({ teardown: (exit) => process.exit(Exit.isSuccess(exit) ? process.exitCode : 2) })
)
