/**
 * The folder in which one installation keeps what it must not lose: the embedded database and generated secrets. Every
 * secret in it is a file of mode 0600.
 */
import { Effect, FileSystem } from "effect"
import * as path from "node:path"
import { PrivateFile } from "./PrivateFile.ts"

/**
 * Makes the folder where it is missing and answers its absolute path. A folder that was new or empty becomes private to
 * this user; root's lets others pass through (not list) it, for PostgreSQL runs as another user. Of one that has files already,
 * only the permission of others to write is taken.
 */
const ensure = Effect.fn("DataDir.ensure")(function*(dataDir: string) {
  const fs = yield* FileSystem.FileSystem
  const folder = path.resolve(dataDir)
  yield* fs.makeDirectory(folder, { recursive: true, mode: 0o700 })
  const isEmpty = (yield* fs.readDirectory(folder)).length === 0
  if (isEmpty) yield* fs.chmod(folder, process.getuid?.() === 0 ? 0o711 : 0o700)
  yield* PrivateFile.guard(folder)
  return yield* fs.realPath(folder)
})

export const DataDir = { ensure } as const
