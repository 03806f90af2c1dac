/**
 * Entry point of the worker. A small young generation of the heap halves what start-up leaves resident, so that an idle
 * worker stays below 150 MB; V8 takes the setting only before the parts are loaded, hence the dynamic import.
 */
import { setFlagsFromString } from "node:v8"

setFlagsFromString("--max-semi-space-size=8")

const [{ runProcess }, { workerProcess }] = await Promise.all([
  import("@englog/platform/runProcess"),
  import("./WorkerProcess.ts")
])

runProcess(workerProcess)
