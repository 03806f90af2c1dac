/** How Node runs our programs: from which file, with which flags and environment. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { type ConfigurationError, variable } from "@englog/platform/Environment"
import { Config, Effect } from "effect"
import * as path from "node:path"
import { bundle } from "./Bundle.ts"

export type ProgramName = "api" | "worker"

export interface NodeCommand {
  /** Of `node`: its flags and the file to run. */
  readonly args: ReadonlyArray<string>
  /** To be added to the program's environment. */
  readonly env: Readonly<Record<string, string>>
}

const root = path.resolve(import.meta.dirname, "../..")

/**
 * HEAP, how Node's heap is laid out. `small`: a young generation that fits what a request allocates, one thread to look after it,
 * an old generation that is collected when it has grown by a sixth instead of doubled, and no code that only speed needs
 * (`npm run bench:memory`). `ample`: a young generation in which a batch of tasks grows old, and no threads that compete with
 * PostgreSQL for the cores: twice the memory, and half the CPU per task (`npm run bench`).
 */
const heaps = {
  small: ["--optimize-for-size", "--max-semi-space-size=4", "--v8-pool-size=1", "--heap-growing-percent=15", "--no-maglev"],
  ample: ["--max-semi-space-size=16", "--single-threaded-gc"]
} as const

export const heapFlags: Effect.Effect<ReadonlyArray<string>, ConfigurationError> = Effect.map(
  variable("HEAP", "must be small or ample", Config.Literals(["small", "ample"], "HEAP").pipe(Config.withDefault("small"))),
  (heap) => heaps[heap]
)

const environment = {
  // glibc keeps one heap per thread, and what was freed inside them, as if memory cost nothing (mallopt(3)). What V8 takes to
  // parse a program comes in pieces of 32 kB: below that, 20 MB of them stayed with a process that has long been started.
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: "16384",
  MALLOC_TRIM_THRESHOLD_: "131072"
}

/** Where no bundle can be made, as in a folder that is not writable, the program runs from its sources, and says so. */
export const nodeCommand = (name: ProgramName): Effect.Effect<NodeCommand, ConfigurationError> => {
  const sources = `packages/${name}/src/main.ts`
  return bundle(sources).pipe(
    Effect.catchTag("BundleError", (error) =>
      Effect.as(Effect.logWarning(`${error.message}; the ${name} runs from its sources and takes more memory`), path.join(root, sources))),
    Effect.zipWith(heapFlags, (file, flags) => ({ args: [...flags, file], env: environment })),
    Effect.provide(NodeFileSystem.layer)
  )
}
