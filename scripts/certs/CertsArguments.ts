/** The command line of `npm run certs`. Paths are relative to where the user called npm. */
import { Effect, Schema } from "effect"
import { isIP } from "node:net"
import * as path from "node:path"
import { parseArgs } from "node:util"
import type { Wanted } from "./CertificateFolder.ts"

export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", { message: Schema.String }) {}

export interface CertsArguments extends Wanted {
  readonly help: boolean
}

export const certsArguments = Effect.fnUntraced(function*(argv: ReadonlyArray<string>, cwd: string) {
  const { positionals, values } = yield* Effect.try({
    try: () => parseArgs({ args: [...argv], options: flags, allowPositionals: true }),
    catch: (error) => new UsageError({ message: error instanceof Error ? error.message : String(error) })
  })
  const names = values.name ?? []
  for (const name of names) {
    if (isIP(name) === 0 && !HOST.test(name)) return yield* new UsageError({ message: `--name ${name} is neither a host name nor an address` })
  }
  const workers = positionals.length === 0 ? ["worker-1"] : positionals
  for (const worker_id of workers) {
    if (worker_id === "" || worker_id.length > 200) return yield* new UsageError({ message: "a WORKER_ID has 1 to 200 characters" })
  }
  const wanted: CertsArguments = { help: values.help ?? false, folder: path.resolve(cwd, values.dir ?? ".data/certs"), names, workers }
  return wanted
})

const flags = {
  dir: { type: "string" },
  name: { type: "string", multiple: true },
  help: { type: "boolean", short: "h" }
} as const

const HOST = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/

export const usage = `npm run certs -- [options] [WORKER_ID ...]

Makes a development authority, a certificate for the API server (localhost, 127.0.0.1, ::1) and one for each WORKER_ID
(default: worker-1). What is there and good for another 30 days is kept.

  --name HOST   another name or address of the API server; may be repeated
  --dir PATH    where the files go (default: .data/certs)
  -h, --help    print this
`
