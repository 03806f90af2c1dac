/** The real worker process, with its output, until the scope closes. */
import { Effect, Schema } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { nodeCommand } from "../../../../scripts/launcher/Programs.ts"

/** Started as `npm run worker` does, or a program of somebody else. `env` is all the process gets beside PATH. */
export const start = (env: Record<string, string>, program?: string) =>
  Effect.acquireRelease(
    Effect.map(program === undefined ? nodeCommand("worker") : Effect.succeed({ args: [program], env: {} }), (command) => {
      const child = spawn(process.execPath, command.args, {
        env: { PATH: process.env["PATH"] ?? "", LOG_FORMAT: "json", ...command.env, ...env }
      })
      const output: Array<string> = []
      child.stdout.on("data", (chunk) => output.push(String(chunk)))
      child.stderr.on("data", (chunk) => output.push(String(chunk)))
      const state: { code: number | null | undefined } = { code: undefined }
      child.once("exit", (code) => { state.code = code })
      return { child, state, text: () => output.join("") }
    }),
    ({ child, state }) =>
      Effect.callback<void>((resume) => {
        if (state.code !== undefined) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )

export type WorkerProcess = Effect.Success<ReturnType<typeof start>>

/** URL of its /health, as it says itself. */
export const healthUrl = (worker: WorkerProcess): string | undefined => /http:\/\/[\d.]+:\d+\/health/.exec(worker.text())?.[0]

/** MiB. */
export const residentMemory = (worker: WorkerProcess): number => {
  const status = fs.readFileSync(`/proc/${worker.child.pid}/status`, "utf8")
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024
}

export const Health = Schema.Struct({
  status: Schema.String,
  worker_id: Schema.String,
  version: Schema.String,
  connection: Schema.Struct({ state: Schema.String, api_server: Schema.NullOr(Schema.String), problem: Schema.NullOr(Schema.String) }),
  tasks: Schema.Struct({ active: Schema.Int, completed: Schema.Int, failed: Schema.Int }),
  model: Schema.Struct({ provider: Schema.String, available: Schema.NullOr(Schema.Boolean), problem: Schema.NullOr(Schema.String), circuit_breaker: Schema.String }),
  uptime_seconds: Schema.Int
})

export const health = Effect.fnUntraced(function*(url: string) {
  const response = yield* Effect.promise(() => fetch(url))
  const body = yield* Effect.promise(() => response.json())
  return { code: response.status, ...(yield* Schema.decodeUnknownEffect(Health)(body)) }
})
