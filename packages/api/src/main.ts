/**
 * Entry point of the API server. A small young generation of the heap saves 50 MB of what start-up leaves resident; V8
 * takes the setting only before the parts are loaded, hence the dynamic import.
 */
import { setFlagsFromString } from "node:v8"

setFlagsFromString("--max-semi-space-size=8")

const [{ runProcess }, { apiProcess }] = await Promise.all([
  import("@englog/platform/runProcess"),
  import("./ApiProcess.ts")
])

runProcess(apiProcess)
