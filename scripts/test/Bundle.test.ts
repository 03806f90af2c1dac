import { NodeFileSystem } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { spawnSync } from "node:child_process"
import * as path from "node:path"
import { bundle } from "../launcher/Bundle.ts"

const main = "packages/worker/src/main.ts"

/** Where the libraries are found that stay outside of a bundle. */
const folder = Effect.flatMap(FileSystem.FileSystem, (fs) => {
  const cache = path.resolve(import.meta.dirname, "../../node_modules/.cache")
  return Effect.andThen(fs.makeDirectory(cache, { recursive: true }), fs.makeTempDirectoryScoped({ directory: cache, prefix: "bundles-test-" }))
})

layer(NodeFileSystem.layer, { excludeTestServices: true })("a bundle", (it) => {
  it.effect("is made once by everybody who asks at once, and runs", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const bundles = yield* folder
      const [one, ...others] = yield* Effect.all([bundle(main, bundles), bundle(main, bundles), bundle(main, bundles)], { concurrency: 3 })
      assert.deepStrictEqual(others, [one, one])
      assert.lengthOf(yield* fs.readDirectory(bundles), 1, "drafts are left behind")
      const made = (yield* fs.stat(one)).mtime
      assert.strictEqual(yield* bundle(main, bundles), one)
      assert.deepStrictEqual((yield* fs.stat(one)).mtime, made)
      const ended = spawnSync(process.execPath, [one], { env: { WORKER_MAX_CONCURRENT: "none" }, encoding: "utf8" })
      assert.include(ended.stderr, "WORKER_MAX_CONCURRENT must be a whole number")
    }))

  it.effect("is refused in one line where it cannot be kept", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const file = path.join(yield* folder, "not-a-folder")
      yield* fs.writeFileString(file, "")
      const error = yield* Effect.flip(bundle(main, file))
      assert.match(error.message, /^no bundle can be kept: .*not-a-folder/)
      assert.notInclude(error.message, "\n")
    }))
})
