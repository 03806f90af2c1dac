/** `npm start`: the API and one worker on this machine, until Ctrl-C. Reads `.env` where there is one. */
import * as fs from "node:fs"
import * as path from "node:path"
import { runLauncher } from "./launcher/runLauncher.ts"

process.chdir(path.resolve(import.meta.dirname, ".."))
if (fs.existsSync(".env")) process.loadEnvFile(".env")

// A young generation of the heap that fits what a request allocates, and one thread to look after it: Node's defaults keep
// 100 MB more resident.
const node = ["--max-semi-space-size=4", "--v8-pool-size=1"]

runLauncher({
  api: [...node, "packages/api/src/main.ts"],
  worker: [...node, "packages/worker/src/main.ts"],
  // Halves the time that later starts take to load the code; Node ignores a folder that it cannot write to.
  env: { NODE_COMPILE_CACHE: path.resolve("node_modules/.cache/compiled"), ...process.env }
})
