/** How Node runs our programs: from which file, with which flags and environment. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect } from "effect"
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
 * A young generation of the heap that fits what a request allocates, one thread to look after it, and an old generation
 * that is collected when it has grown by a sixth instead of doubled: measured by `npm run bench:memory`.
 */
export const flags = ["--max-semi-space-size=4", "--v8-pool-size=1", "--heap-growing-percent=15"]

const environment = {
  // glibc keeps one heap per thread, and what was freed inside them, as if memory cost nothing (mallopt(3)).
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: "131072",
  MALLOC_TRIM_THRESHOLD_: "131072"
}

/** Where no bundle can be made, as in a folder that is not writable, the program runs from its sources, and says so. */
export const nodeCommand = (name: ProgramName): Effect.Effect<NodeCommand> => {
  const sources = `packages/${name}/src/main.ts`
  return bundle(sources).pipe(
    Effect.catchTag("BundleError", (error) =>
      Effect.as(Effect.logWarning(`${error.message}; the ${name} runs from its sources and takes more memory`), path.join(root, sources))),
    Effect.map((file) => ({ args: [...flags, file], env: environment })),
    Effect.provide(NodeFileSystem.layer)
  )
}
