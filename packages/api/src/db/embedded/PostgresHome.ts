/**
 * Where one installation's embedded PostgreSQL lives: `DATA_DIR/postgres`, or a folder elsewhere that
 * `DATA_DIR/postgres.location` names, where this process is root and PostgreSQL's user cannot reach DATA_DIR.
 */
import { Effect, FileSystem, Redacted } from "effect"
import { createHash, randomBytes } from "node:crypto"
import * as path from "node:path"
import { DataDir } from "../DataDir.ts"
import { PrivateFile } from "../PrivateFile.ts"
import { EmbeddedPostgresError, filesError } from "./EmbeddedPostgresError.ts"
import { KeptFile } from "./KeptFile.ts"
import { Reach } from "./Reach.ts"
import { RootStore } from "./RootStore.ts"
import { SystemUser } from "./SystemUser.ts"

export interface PostgresHome {
  readonly folder: string
  /** PostgreSQL's own data folder; exists only once it is complete. */
  readonly data: string
  readonly log: string
  /** Held by the one process that starts, supervises and stops the server. */
  readonly ownerLock: string
  /** Shared by the processes that use the server without owning it. */
  readonly joinedLock: string
  readonly port: string
  readonly password: Redacted.Redacted
  /** Unique to this installation; part of every server process's command line. */
  readonly clusterName: string
  /** Whom the server runs as; undefined: this process's own user. */
  readonly user: SystemUser | undefined
}

const prepare = Effect.fn("PostgresHome.prepare")(function*(dataDir: string, preferred: SystemUser | undefined) {
  const fs = yield* FileSystem.FileSystem
  const root = yield* DataDir.ensure(dataDir)
  const folder = yield* locate(root, preferred)
  const user = yield* SystemUser.ownerOf(path.join(folder, "data"), preferred)
  yield* fs.makeDirectory(folder, { recursive: true, mode: 0o700 })
  if (user !== undefined) yield* letPass(user, folder)
  const at = (name: string) => path.join(folder, name)
  const password = yield* KeptFile.readOrMake(at("password"), Effect.sync(() => randomBytes(24).toString("base64url")))
  yield* PrivateFile.close(at("password"))
  return {
    folder,
    user,
    data: at("data"),
    log: at("postgres.log"),
    ownerLock: at("owner.lock"),
    joinedLock: at("joined.lock"),
    port: at("port"),
    password: Redacted.make(password),
    clusterName: yield* KeptFile.readOrMake(at("name"), Effect.sync(() => `englog-${randomBytes(8).toString("hex")}`))
  } satisfies PostgresHome
}, (effect, dataDir) => Effect.catchTag(effect, "PlatformError", filesError(`use the data folder ${path.resolve(dataDir)}`)))

export const PostgresHome = { prepare } as const

const locate = Effect.fnUntraced(function*(root: string, user: SystemUser | undefined) {
  const fs = yield* FileSystem.FileSystem
  const inside = path.join(root, "postgres")
  const pointer = path.join(root, "postgres.location")
  const elsewhere = yield* KeptFile.read(pointer)
  if (elsewhere !== undefined) return elsewhere
  if (user === undefined || (yield* fs.exists(inside)) || (yield* Reach.canPass(user, root))) return inside
  const data = path.join(yield* RootStore.locate(user), "data")
  yield* fs.makeDirectory(data, { recursive: true, mode: 0o755 })
  // The path's hash tells whose it is; the random part keeps a new DATA_DIR at an old path from meeting foreign data.
  const owner = createHash("sha256").update(root).digest("hex").slice(0, 12)
  return yield* KeptFile.readOrMake(pointer, Effect.sync(() => path.join(data, `${owner}-${randomBytes(4).toString("hex")}`)))
})

/** PostgreSQL's user passes through the home to its data folder, but may list or read nothing else in it. */
const letPass = Effect.fnUntraced(function*(user: SystemUser, folder: string) {
  const fs = yield* FileSystem.FileSystem
  if (yield* Reach.canPass(user, folder)) return
  yield* fs.chmod(folder, 0o711)
  if (!(yield* Reach.canPass(user, folder))) {
    return yield* new EmbeddedPostgresError({
      reason: "Files",
      message: `The database lies in ${folder}, which PostgreSQL's user (uid ${user.uid}) cannot reach any more: give ` +
        "the folders above it the permission o+x, or start as the user that owns them."
    })
  }
})
