/** A real process that holds an embedded PostgreSQL (embeddedMain.ts), and what a test asks of the server behind it. */
import { Deferred, Effect, FileSystem, Redacted, Schedule, type Scope } from "effect"
import { SqlClient } from "effect/sql"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"
import { Database } from "../../src/db/Database.ts"

const main = fileURLToPath(new URL("./embeddedMain.ts", import.meta.url))

export interface EmbeddedProcess {
  readonly pid: number
  readonly url: Effect.Effect<string, string>
  readonly end: (signal: "SIGTERM" | "SIGKILL") => Effect.Effect<number | null>
  readonly output: () => string
}

/**
 * A folder for one embedded PostgreSQL. Its server is ended by force before the folder goes: after all processes that
 * would restart it, so that none starts a server between the last look at its pid and the removal.
 */
export const dataFolder = Effect.gen(function*() {
  const dataDir = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "englog-embedded-" })
  yield* Effect.addFinalizer(() => eventuallyTrue(() => endServersOn(dataDir) === 0))
  return dataDir
})

/** By their command lines: a server that has just been started has no pid file yet. */
const serversOn = (dataDir: string): ReadonlyArray<number> =>
  fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => isAlive(pid) && runsOn(dataDir, pid))

const runsOn = (dataDir: string, pid: number) => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").some((part) => part.startsWith(`${dataDir}/`))
  } catch {
    return false // it has ended since the folder was read
  }
}

/** Returns how many ran. */
const endServersOn = (dataDir: string): number => {
  const servers = serversOn(dataDir)
  for (const pid of servers) {
    try {
      process.kill(pid, "SIGQUIT")
    } catch {
      continue // it has ended since it was seen
    }
  }
  return servers.length
}

/** Ended by force with the test's scope; its server ends with its folder. */
export const startEmbedded = (dataDir: string): Effect.Effect<EmbeddedProcess, never, Scope.Scope> =>
  Effect.gen(function*() {
    const exit = yield* Deferred.make<number | null>()
    const url = yield* Deferred.make<string, string>()
    let output = ""
    const child: ChildProcess = spawn(process.execPath, [main, dataDir], { stdio: ["ignore", "pipe", "pipe"] })
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const ready = /^ready (.+)$/m.exec(output)?.[1]
      if (ready !== undefined) Deferred.doneUnsafe(url, Effect.succeed(ready))
    }
    child.stdout?.on("data", read)
    child.stderr?.on("data", read)
    child.on("close", (code) => {
      Deferred.doneUnsafe(url, Effect.fail(output))
      Deferred.doneUnsafe(exit, Effect.succeed(code))
    })
    const end = (signal: "SIGTERM" | "SIGKILL") => Effect.andThen(Effect.sync(() => child.kill(signal)), Deferred.await(exit))
    yield* Effect.addFinalizer(() => end("SIGKILL"))
    return { pid: child.pid ?? 0, url: Deferred.await(url), end, output: () => output }
  })

export const postmasterPid = (dataDir: string): number | undefined => {
  const file = `${dataDir}/postgres/data/postmaster.pid`
  return fs.existsSync(file) ? Number(fs.readFileSync(file, "utf8").split("\n")[0]) : undefined
}

export const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return false
  }
}

export const query = (url: string, statement: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement)).pipe(
    Effect.provide(Database.layer({ url: Redacted.make(url) }), { local: true })
  )

/** Polls until the condition holds; the test's own time limit ends it otherwise. */
export const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.retry(effect, { schedule: Schedule.spaced("25 millis"), times: 800 })

export const eventuallyTrue = (condition: () => boolean) =>
  Effect.sync(condition).pipe(Effect.repeat({ until: (holds) => holds, schedule: Schedule.spaced("25 millis") }))
