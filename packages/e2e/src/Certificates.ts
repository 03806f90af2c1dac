/** Certificates as `npm run certs` makes them, in a folder of the test's own. */
import { Effect, FileSystem, Schema } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { fileURLToPath } from "node:url"
import type { Env } from "./Installation.ts"

const program = fileURLToPath(new URL("../../../scripts/certs.ts", import.meta.url))

class CertificatesNotMade extends Schema.TaggedError<CertificatesNotMade>()("CertificatesNotMade", { code: Schema.Int }) {}

/** The folder in which the command ran; what it made lies in `.data/certs` there. `args`: those of `npm run certs`. */
export const makeCertificates = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const cwd = yield* fs.makeTempDirectoryScoped({ prefix: "englog-e2e-certs-" })
  const command = ChildProcess.make(process.execPath, [program, ...args], { cwd, env: { INIT_CWD: cwd }, extendEnv: false, stdout: "ignore" })
  const code = yield* spawner.exitCode(command)
  if (code !== 0) return yield* new CertificatesNotMade({ code })
  return cwd
})

/** The settings of one side; `own` is its pair's path within `.data/certs`, without `.crt` and `.key`. */
export const tlsEnv = (folder: string, own: string | undefined, more: Env = {}): Env => ({
  TLS_CA_FILE: `${folder}/.data/certs/ca.crt`,
  TLS_SERVER_NAME: "localhost",
  ...(own === undefined
    ? {}
    : { TLS_CERT_FILE: `${folder}/.data/certs/${own}.crt`, TLS_KEY_FILE: `${folder}/.data/certs/${own}.key` }),
  ...more
})
