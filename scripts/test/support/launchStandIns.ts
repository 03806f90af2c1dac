/** The launcher with stand-in children, as a process. */
import { Effect } from "effect"
import * as path from "node:path"
import { runLauncher } from "../../launcher/runLauncher.ts"

const file = (name: string) => path.join(import.meta.dirname, name)

runLauncher(Effect.succeed({ api: [file("standInApi.ts")], worker: [file("standInWorker.ts")], env: process.env }))
