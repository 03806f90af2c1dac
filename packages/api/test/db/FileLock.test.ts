import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { FileLock } from "../../src/db/embedded/FileLock.ts"

const lockFile = Effect.acquireRelease(
  Effect.sync(() => path.join(fs.mkdtempSync(path.join(os.tmpdir(), "englog-lock-")), "lock")),
  (file) => Effect.sync(() => fs.rmSync(path.dirname(file), { recursive: true, force: true }))
)

const module = path.resolve(import.meta.dirname, "../../src/db/embedded/FileLock.ts")
const holdFor = (file: string, then: string) => `
  const { FileLock } = await import(${JSON.stringify(module)})
  const { Effect } = await import(${JSON.stringify(import.meta.resolve("effect"))})
  const lock = await Effect.runPromise(FileLock.tryExclusive(${JSON.stringify(file)}))
  console.log(lock === undefined ? "refused" : "held")
  ${then}
`

describe("FileLock", () => {
  it.effect("lets one exclusive holder in, or any number of shared ones", () =>
    Effect.gen(function*() {
      const file = yield* lockFile
      const exclusive = yield* FileLock.tryExclusive(file)
      assert.isDefined(exclusive)
      assert.isUndefined(yield* FileLock.tryExclusive(file))
      assert.isUndefined(yield* FileLock.tryShared(file))
      yield* exclusive?.release ?? Effect.void
      const shared = [yield* FileLock.tryShared(file), yield* FileLock.tryShared(file)]
      assert.notInclude(shared, undefined)
      assert.isUndefined(yield* FileLock.tryExclusive(file))
      for (const lock of shared) yield* lock?.release ?? Effect.void
      assert.isDefined(yield* FileLock.tryExclusive(file))
    }))

  it.effect("keeps another process out, and lets it in when the holder has been killed", () =>
    Effect.gen(function*() {
      const file = yield* lockFile
      const args = ["--input-type=module", "-e"]
      const holder = spawn(process.execPath, [...args, holdFor(file, "setInterval(() => {}, 1000)")])
      yield* Effect.promise(() => once(holder.stdout, "data"))
      assert.isUndefined(yield* FileLock.tryExclusive(file))
      assert.strictEqual(execFileSync(process.execPath, [...args, holdFor(file, "")], { encoding: "utf8" }).trim(), "refused")
      const ended = once(holder, "exit")
      holder.kill("SIGKILL")
      yield* Effect.promise(() => ended)
      assert.isDefined(yield* FileLock.tryExclusive(file))
    }))

  it.effect("says which file cannot be locked", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(FileLock.tryExclusive("/nowhere/lock"))
      assert.include(error.message, "/nowhere/lock")
    }))
})
