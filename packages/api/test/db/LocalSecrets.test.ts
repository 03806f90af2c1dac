import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer, Logger, Redacted } from "effect"
import { parseKeyRing } from "../../src/crypto/FieldCipher.ts"
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

    it.effect("that others could read are closed, and it is said; a folder that others could write to likewise", () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* emptyFolder
        const before = yield* open(folder)
        for (const name of ["encryption_keys", "jwt_secret_key"]) yield* fs.chmod(`${folder}/${name}`, 0o644)
        yield* fs.chmod(folder, 0o777)
        const said: Array<string> = []
        const after = yield* Effect.provide(open(folder), Logger.layer([Logger.make(({ message }) => void said.push(String(message)))]))
        assert.strictEqual(Redacted.value(after.encryptionKeys), Redacted.value(before.encryptionKeys))
        for (const name of ["encryption_keys", "jwt_secret_key"]) {
          assert.strictEqual((yield* fs.stat(`${folder}/${name}`)).mode & 0o777, 0o600)
          assert.include(said.join("\n"), `${folder}/${name} had mode 0644 and has 0600 now`)
        }
        assert.strictEqual((yield* fs.stat(folder)).mode & 0o777, 0o755)
        assert.include(said.join("\n"), `${folder} had mode 0777 and has 0755 now`)
        assert.notInclude(said.join("\n"), Redacted.value(before.encryptionKeys))
      }))

    it.effect("get a new encryption key in front of the others, which stay", () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* emptyFolder
        const first = Redacted.value((yield* open(folder)).encryptionKeys)
        assert.strictEqual(yield* LocalSecrets.addEncryptionKey(folder), "k2")
        const second = Redacted.value((yield* open(folder)).encryptionKeys)
        assert.match(second, /^k2:[A-Za-z0-9+/]{43}=,k1:/)
        assert.isTrue(second.endsWith(first))
        assert.strictEqual(yield* LocalSecrets.addEncryptionKey(folder), "k3")
        assert.strictEqual((yield* fs.stat(`${folder}/encryption_keys`)).mode & 0o777, 0o600)
        assert.lengthOf(yield* parseKeyRing((yield* open(folder)).encryptionKeys), 3)
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
