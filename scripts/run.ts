/** `npm run api`, `npm run worker`: becomes that program, in the same process. Reads `.env` where there is one. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect } from "effect"
import * as fs from "node:fs"
import { nodeCommand, type ProgramName } from "./launcher/Programs.ts"

if (fs.existsSync(".env")) process.loadEnvFile(".env")

const become = Effect.fnUntraced(function*(name: ProgramName) {
  const { args, env } = yield* nodeCommand(name)
  if (process.execve === undefined) return yield* Effect.die(new Error("this system cannot replace a process; run node with the flags of scripts/launcher/Programs.ts"))
  return process.execve(process.execPath, [process.execPath, ...args], { ...env, ...process.env })
}, Effect.catchTag("ConfigurationError", ({ message }) =>
  Effect.sync(() => {
    process.stderr.write(`${message}\n`)
    process.exitCode = 1
  })))

const name = process.argv[2]
NodeRuntime.runMain(name === "api" || name === "worker" ? become(name) : Effect.die(new Error(`run.ts takes api or worker, not ${name}`)))
