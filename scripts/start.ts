/** `npm start`: the API and one worker on this machine, until Ctrl-C. Reads `.env` where there is one. */
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { nodeCommand } from "./launcher/Programs.ts"
import { runLauncher } from "./launcher/runLauncher.ts"

process.chdir(path.resolve(import.meta.dirname, ".."))
if (fs.existsSync(".env")) process.loadEnvFile(".env")

runLauncher(Effect.gen(function*() {
  const [api, worker] = yield* Effect.all([nodeCommand("api"), nodeCommand("worker")], { concurrency: 2 })
  return { api: api.args, worker: worker.args, env: { ...api.env, ...process.env } }
}))
