/**
 * A folder of root's that PostgreSQL's user can reach, for what a 0700 home hides from them: the binaries and, where
 * DATA_DIR itself is hidden, the data.
 *
 * A folder that somebody else could write to is refused: what lies there is executed.
 */
import { Effect, FileSystem, Option } from "effect"
import { tmpdir } from "node:os"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { Reach } from "./Reach.ts"
import type { SystemUser } from "./SystemUser.ts"

const candidates = ["/var/lib/englog", "/var/tmp/englog", `${tmpdir()}/englog`]

const locate = Effect.fnUntraced(function*(user: SystemUser) {
  const fs = yield* FileSystem.FileSystem
  const isUsable = (folder: string) =>
    Effect.gen(function*() {
      yield* fs.makeDirectory(folder, { recursive: true, mode: 0o755 })
      const info = yield* fs.stat(folder)
      if (!Option.contains(info.uid, 0) || (info.mode & 0o022) !== 0) return false
      yield* fs.chmod(folder, 0o755)
      return yield* Reach.canPass(user, folder)
    }).pipe(Effect.orElseSucceed(() => false))
  const found = yield* Effect.findFirst(candidates, isUsable)
  return yield* Option.match(found, {
    onSome: Effect.succeed,
    onNone: () =>
      new EmbeddedPostgresError({
        reason: "Files",
        message: `As root, PostgreSQL needs a folder that its own user can reach, and none of ${candidates.join(", ")} ` +
          "could be used. Start as an ordinary user, or set DATABASE_URL."
      })
  })
})

export const RootStore = { locate } as const
