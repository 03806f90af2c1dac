/** A file system of a few megabytes in memory, mounted where a test wants it: only root on Linux may do that. */
import { Effect, FileSystem, type Scope } from "effect"
import { spawnSync } from "node:child_process"
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"

const mount = (folder: string, megabytes: number): boolean =>
  spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=711`, "englog-test", folder]).status === 0

const unmount = (folder: string): boolean => spawnSync("umount", ["--lazy", folder]).status === 0

/** Tried once, on a folder of its own. */
export const canMount = (): boolean => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false
  const folder = mkdtempSync(path.join(tmpdir(), "englog-mount-"))
  const mounted = mount(folder, 1)
  if (mounted) unmount(folder)
  rmdirSync(folder)
  return mounted
}

export interface SmallDisk {
  /** Until not one byte is left. */
  readonly fill: Effect.Effect<void>
  /** As it was before. */
  readonly free: Effect.Effect<void>
}

/** Until the scope ends. Makes the folder where it is missing. */
export const make = Effect.fnUntraced(function*(
  folder: string,
  megabytes: number
): Effect.fn.Return<SmallDisk, never, Scope.Scope | FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.orDie(fs.makeDirectory(folder, { recursive: true }))
  yield* Effect.acquireRelease(
    Effect.suspend(() => mount(folder, megabytes) ? Effect.void : Effect.die(new Error(`cannot mount a file system on ${folder}`))),
    () => Effect.sync(() => unmount(folder))
  )
  const ballast = path.join(folder, "ballast")
  return { fill: Effect.sync(() => fillWith(ballast)), free: Effect.sync(() => rmSync(ballast, { force: true })) }
})

const fillWith = (file: string): void => {
  const handle = openSync(file, "a")
  for (let size = 1024 * 1024; size >= 4096;) {
    try {
      // A full disk may take a part of what it is given.
      if (writeSync(handle, Buffer.alloc(size)) < size) size /= 4
    } catch {
      size /= 4
    }
  }
  closeSync(handle)
}
