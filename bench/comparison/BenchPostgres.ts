/**
 * The one PostgreSQL of a comparison: started for it with its default durability, gone with it. Every system has a database of
 * its own there.
 */
import { EmbeddedPostgres } from "@englog/api/db/EmbeddedPostgres"
import { ProcessTable } from "@englog/api/db/embedded/ProcessTable"
import { Context, Effect, FileSystem, Layer, Redacted } from "effect"
import * as path from "node:path"
import { Client } from "pg"

/** PostgreSQL's user has to pass through it. */
const folder = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const made = yield* fs.makeTempDirectoryScoped({ prefix: "englog-bench-" })
  yield* fs.chmod(made, 0o755)
  return path.join(made, "data")
}).pipe(Effect.orDie)

export class BenchPostgres extends Context.Service<BenchPostgres, {
  readonly version: string
  /** The URL of a new database for the system. */
  readonly database: (system: string) => Effect.Effect<string>
  /** The postmaster and all it has started. */
  readonly pids: Effect.Effect<ReadonlyArray<number>>
  /** Writes what is dirty, so that no system pays for the one before it. */
  readonly checkpoint: Effect.Effect<void>
}>()("@englog/bench/comparison/BenchPostgres") {
  static readonly layer = Layer.effect(BenchPostgres, Effect.suspend(() => make)).pipe(
    Layer.provide(Layer.unwrap(Effect.map(folder, (dataDir) =>
      EmbeddedPostgres.layer({ dataDir, settings: { max_connections: "500" } }))))
  )
}

const make = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const server = yield* EmbeddedPostgres
  const url = Redacted.value(server.url)
  const client = new Client({ connectionString: url })
  yield* Effect.acquireRelease(Effect.promise(() => client.connect()), () => Effect.promise(() => client.end()))
  const run = (text: string) => Effect.promise(() => client.query(text))
  const name = (yield* Effect.orDie(fs.readFileString(path.join(server.folder, "name")))).trim()
  return BenchPostgres.of({
    version: String((yield* run("SHOW server_version")).rows[0]?.server_version),
    database: Effect.fnUntraced(function*(system: string) {
      const database = `bench_${system}`
      yield* run(`CREATE DATABASE "${database}"`)
      const own = new URL(url)
      own.pathname = `/${database}`
      return own.href
    }),
    pids: ProcessTable.list.pipe(
      Effect.map((all) => all.filter(({ command }) => command.includes(name)).map(({ pid }) => pid)),
      Effect.provideService(FileSystem.FileSystem, fs)
    ),
    checkpoint: Effect.asVoid(run("CHECKPOINT"))
  })
})
