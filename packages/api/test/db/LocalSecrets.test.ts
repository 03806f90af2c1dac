import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer, Redacted } from "effect"
import { LocalSecrets } from "../../src/db/LocalSecrets.ts"

const open = (dataDir: string) => Effect.provide(LocalSecrets, Layer.fresh(LocalSecrets.layer({ dataDir })))
const emptyFolder = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped({ prefix: "englog-secrets-" }))

describe("LocalSecrets", () => {
  layer(NodeFileSystem.layer)((it) => {
    it.effect("are made once and are the same at the next start", () =>
      Effect.gen(function*() {
        const folder = yield* emptyFolder
        const first = yield* open(folder)
        const second = yield* open(folder)
        assert.match(Redacted.value(first.jwtSecretKey), /^[\w-]{64}$/)
        assert.match(Redacted.value(first.encryptionKeys), /^k1:[A-Za-z0-9+/]{43}=$/)
        assert.strictEqual(Redacted.value(second.jwtSecretKey), Redacted.value(first.jwtSecretKey))
        assert.strictEqual(Redacted.value(second.encryptionKeys), Redacted.value(first.encryptionKeys))
      }))

    it.effect("are the same for all who make them at the same moment", () =>
      Effect.gen(function*() {
        const folder = `${yield* emptyFolder}/not/yet`
        const all = yield* Effect.all(Array.from({ length: 20 }, () => open(folder)), { concurrency: "unbounded" })
        assert.strictEqual(new Set(all.map((one) => Redacted.value(one.encryptionKeys))).size, 1)
        assert.strictEqual(new Set(all.map((one) => Redacted.value(one.jwtSecretKey))).size, 1)
      }))

    it.effect("lie in files that only their owner can read, with nothing else left beside them", () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* emptyFolder
        yield* open(folder)
        const names = yield* fs.readDirectory(folder)
        assert.sameMembers([...names], ["encryption_keys", "jwt_secret_key"])
        for (const name of names) assert.strictEqual((yield* fs.stat(`${folder}/${name}`)).mode & 0o777, 0o600)
      }))

    it.effect("are never replaced when they are damaged: the start fails and names the file", () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* emptyFolder
        yield* fs.writeFileString(`${folder}/encryption_keys`, "k1:short\n")
        const error = yield* Effect.flip(open(folder))
        assert.include(error.message, `${folder}/encryption_keys`)
        assert.strictEqual(yield* fs.readFileString(`${folder}/encryption_keys`), "k1:short\n")
      }))
  })
})
