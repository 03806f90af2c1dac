/** `npm run certs` as a program, in an empty folder and without openssl. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, FileSystem, type Scope } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { X509Certificate } from "node:crypto"
import * as path from "node:path"
import * as tls from "node:tls"
import { serialNumber, sign } from "../certs/Certificate.ts"

const program = path.join(import.meta.dirname, "../certs.ts")

const certs = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  // Only Node itself is within reach.
  const command = ChildProcess.make(process.execPath, [program, ...args], { env: { PATH: "/nowhere" }, extendEnv: false })
  return yield* spawner.string(command)
})

const exitCode = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  return yield* spawner.exitCode(ChildProcess.make(process.execPath, [program, ...args], { stdout: "ignore", stderr: "ignore" }))
})

const folder = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped({ prefix: "englog-certs-" }))

const read = (...parts: ReadonlyArray<string>) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(path.join(...parts)))

const certificate = (...parts: ReadonlyArray<string>) => Effect.map(read(...parts), (pem) => new X509Certificate(pem))

const run = <A, E>(test: Effect.Effect<A, E, NodeServices.NodeServices | Scope.Scope>) =>
  test.pipe(Effect.scoped, Effect.provide(NodeServices.layer))

describe("npm run certs", () => {
  it.live("makes an authority, a server for this machine and the names given, and a worker for each id", () =>
    run(Effect.gen(function*() {
      const dir = yield* folder
      yield* certs("--dir", dir, "--name", "api.englog.local", "--name", "10.0.0.7", "worker-1", "büro/2, eins")
      const ca = yield* certificate(dir, "ca.crt")
      const server = yield* certificate(dir, "server.crt")
      assert.isTrue(ca.ca && server.checkIssued(ca) && server.verify(ca.publicKey))
      for (const host of ["localhost", "api.englog.local"]) assert.strictEqual(server.checkHost(host), host)
      for (const ip of ["127.0.0.1", "::1", "10.0.0.7"]) assert.isDefined(server.checkIP(ip))
      assert.deepStrictEqual(server.keyUsage, ["1.3.6.1.5.5.7.3.1"])
      const worker = yield* certificate(dir, "workers", "worker-1.crt")
      assert.deepStrictEqual([worker.subjectAltName, worker.keyUsage], ["URI:urn:englog:worker:worker-1", ["1.3.6.1.5.5.7.3.2"]])
      const odd = yield* certificate(dir, "workers", "b%C3%BCro%2F2%2C%20eins.crt")
      assert.strictEqual(odd.subjectAltName, "URI:urn:englog:worker:b%C3%BCro%2F2%2C%20eins")
      for (const name of ["server", "workers/worker-1"]) {
        tls.createSecureContext({ cert: yield* read(dir, `${name}.crt`), key: yield* read(dir, `${name}.key`) })
      }
    })))

  it("numbers certificates as DER wants it: positive, without leading zeros, in as many bytes whatever chance gave", () => {
    for (const first of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
      const serial = serialNumber(new Uint8Array(16).fill(first))
      assert.match(serial, /^[4-7][0-9a-f]{31}$/)
    }
  })

  it.live("keeps private keys to their owner", () =>
    run(Effect.gen(function*() {
      const dir = yield* folder
      const fs = yield* FileSystem.FileSystem
      yield* certs("--dir", dir)
      const mode = (name: string) => Effect.map(fs.stat(path.join(dir, name)), (info) => (info.mode & 0o777).toString(8))
      yield* fs.chmod(path.join(dir, "server.key"), 0o644)
      yield* certs("--dir", dir)
      for (const name of ["ca", "server", "workers/worker-1"]) assert.strictEqual(yield* mode(`${name}.key`), "600")
    })))

  it.live("changes nothing when it runs again, and only adds what is new", () =>
    run(Effect.gen(function*() {
      const dir = yield* folder
      yield* certs("--dir", dir, "--name", "api.englog.local", "worker-1")
      const files = ["ca.crt", "ca.key", "server.crt", "server.key", "workers/worker-1.crt", "workers/worker-1.key"]
      const before = yield* Effect.forEach(files, (file) => read(dir, file))
      const said = yield* certs("--dir", dir, "worker-1", "worker-2")
      assert.deepStrictEqual(yield* Effect.forEach(files, (file) => read(dir, file)), before)
      assert.deepStrictEqual(said.trim().split("\n").map((line) => line.slice(0, 4)), ["kept", "kept", "kept", "made"])
      // A new name of the server needs a new certificate.
      assert.match(yield* certs("--dir", dir, "--name", "other.local", "worker-1"), /made \S+server\.crt/)
    })))

  it.live("makes anew what is about to expire, is damaged or was signed by another authority", () =>
    run(Effect.gen(function*() {
      const dir = yield* folder
      const fs = yield* FileSystem.FileSystem
      yield* certs("--dir", dir, "a", "b", "c")
      const now = yield* DateTime.now
      const ca = { cert: yield* read(dir, "ca.crt"), key: yield* read(dir, "ca.key") }
      const ending = yield* sign(ca, {
        commonName: "a", names: ["urn:englog:worker:a"], use: "client", from: now, until: DateTime.add(now, { days: 29 })
      })
      yield* fs.writeFileString(path.join(dir, "workers/a.crt"), ending.cert)
      yield* fs.writeFileString(path.join(dir, "workers/a.key"), ending.key)
      yield* fs.writeFileString(path.join(dir, "workers/b.crt"), "-----BEGIN")
      const said = (yield* certs("--dir", dir, "a", "b", "c")).trim().split("\n").map((line) => line.slice(0, 4))
      assert.deepStrictEqual(said, ["kept", "kept", "made", "made", "kept"])
      yield* fs.remove(path.join(dir, "ca.crt"))
      yield* fs.remove(path.join(dir, "ca.key"))
      assert.notInclude(yield* certs("--dir", dir, "a", "b", "c"), "kept")
    })))

  it.live("replaces no authority of which one half is missing, and takes no name that is none", () =>
    run(Effect.gen(function*() {
      const dir = yield* folder
      const fs = yield* FileSystem.FileSystem
      yield* certs("--dir", dir)
      yield* fs.remove(path.join(dir, "ca.key"))
      assert.strictEqual(yield* exitCode("--dir", dir), 1)
      assert.strictEqual(yield* exitCode("--dir", dir, "--name", "not a host"), 2)
      assert.strictEqual(yield* exitCode("--dir", dir, ""), 2)
    })))
})
