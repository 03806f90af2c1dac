/**
 * Secrets on disk are for their owner alone. One that others can get at, as after a careless copy or restore, is closed with
 * a warning; where that is not possible, the start is refused.
 */
import { Effect, FileSystem } from "effect"
import type { PlatformError } from "effect/PlatformError"

/** A file: nobody else may read or write it. */
const close = (file: string) => restrict(file, OTHERS, "others could read it: whoever has this machine may know the secret in it")

/** A folder: others may pass through, but not put files of theirs in the place of ours. */
const guard = (folder: string) => restrict(folder, OTHERS_WRITE, "others could put files of theirs into it")

export const PrivateFile = { close, guard } as const

/** Permission bits of group and others. */
const OTHERS = 0o077
const OTHERS_WRITE = 0o022

const restrict = Effect.fnUntraced(function*(
  path: string,
  forbidden: number,
  danger: string
): Effect.fn.Return<void, PlatformError, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const mode = (yield* fs.stat(path)).mode & 0o777
  if ((mode & forbidden) === 0) return
  const closed = mode & ~forbidden
  yield* fs.chmod(path, closed)
  yield* Effect.logWarning(`${path} had mode ${octal(mode)} and has ${octal(closed)} now: ${danger}`).pipe(
    Effect.annotateLogs({ component: "data", operation: "close_to_others" })
  )
})

const octal = (mode: number): string => mode.toString(8).padStart(4, "0")
