/**
 * `npm run bench:start`: from the command `npm start` to its line that EngLog is ready, with an empty DATA_DIR: PostgreSQL
 * is initialized, the schema is made, the API listens, a worker is connected. Three runs; files are in the system's cache.
 */
import { Effect, FileSystem, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as path from "node:path"
import { note, percentile, report, rounded, timed } from "./Figures.ts"
import { runBench } from "./runBench.ts"

const RUNS = 3
const root = path.resolve(import.meta.dirname, "..")

const start = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "englog-bench-" })
  // As root, PostgreSQL runs as another user, who has to pass through.
  yield* fs.chmod(folder, 0o755)
  const ports = { HTTP_PORT: "18480", GRPC_PORT: "18451", WORKER_HEALTH_PORT: "18491" }
  const { ms, value } = yield* timed(Effect.gen(function*() {
    const npm = yield* spawner.spawn(ChildProcess.make("npm", ["start", "--silent"], {
      cwd: root,
      extendEnv: true,
      stdin: "ignore",
      forceKillAfter: "30 seconds",
      env: { DATA_DIR: path.join(folder, "data"), DATABASE_URL: "", REDIS_URL: "", LLM_PROVIDER: "builtin", ...ports }
    }))
    return yield* npm.all.pipe(
      Stream.decodeText,
      Stream.splitLines,
      Stream.filter((line) => line.includes("EngLog is ready")),
      Stream.runHead
    )
  }).pipe(Effect.timeout("1 minute")))
  yield* note(`${rounded(ms / 1_000)} s`)
  return value._tag === "Some" ? rounded(ms / 1_000) : yield* Effect.die(new Error("npm start ended before it was ready"))
}).pipe(Effect.scoped)

runBench(Effect.gen(function*() {
  const runs = yield* Effect.replicateEffect(start, RUNS)
  yield* report("start", { runs_s: runs, median_s: percentile(runs, 0.5), target: { median_s: 5 } })
}))
