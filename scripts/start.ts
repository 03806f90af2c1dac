/** `npm start`: the API and one worker on this machine, until Ctrl-C. Reads `.env` where there is one. */
import * as fs from "node:fs"
import * as path from "node:path"
import { runLauncher } from "./launcher/runLauncher.ts"

process.chdir(path.resolve(import.meta.dirname, ".."))
if (fs.existsSync(".env")) process.loadEnvFile(".env")

runLauncher({ api: ["packages/api/src/main.ts"], worker: ["packages/worker/src/main.ts"], env: process.env })
