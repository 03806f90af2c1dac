/** Certificates of two authorities in a temporary folder, made for this run as `npm run certs` makes them. */
import { NodeFileSystem } from "@effect/platform-node"
import type { TlsFiles } from "@englog/rpc/grpc/GrpcTls"
import { identityUri } from "@englog/rpc/grpc/WorkerIdentity"
import { Context, DateTime, Effect, FileSystem, Layer, Option } from "effect"
import * as Certificate from "../../../../scripts/certs/Certificate.ts"

/** The path of a file, by its name. */
export class TestCertificates extends Context.Service<TestCertificates, (name: string) => string>()("@englog/rpc/test/TestCertificates") {
  static readonly layer = Layer.effect(TestCertificates, Effect.suspend(() => make)).pipe(Layer.provide(NodeFileSystem.layer))
}

const make = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const dir = yield* fs.makeTempDirectoryScoped({ prefix: "englog-tls-" })
  const now = yield* DateTime.now
  const valid = yield* Certificate.fromNowFor(1)
  const past = { from: DateTime.subtract(now, { days: 9 }), until: DateTime.subtract(now, { days: 1 }) }
  const write = Effect.fnUntraced(function*(name: string, pair: Certificate.KeyPair) {
    yield* fs.writeFileString(`${dir}/${name}.crt`, pair.cert)
    yield* fs.writeFileString(`${dir}/${name}.key`, pair.key)
    return pair
  })
  const ca = yield* write("ca", yield* Certificate.authority("ca", valid))
  const otherCa = yield* write("other-ca", yield* Certificate.authority("other-ca", valid))
  const sign = (name: string, signed: Partial<Certificate.Signed>, by = ca) =>
    Effect.flatMap(Certificate.sign(by, { commonName: name, names: [], use: "client", ...valid, ...signed }), (pair) => write(name, pair))
  const server = { names: ["api.englog.local", "localhost"], use: "server" } as const
  const worker = { names: [identityUri("worker-1")] }
  yield* sign("server", server)
  yield* sign("expired-server", { ...server, ...past })
  yield* sign("worker", worker)
  yield* sign("expired-worker", { ...worker, ...past })
  yield* sign("strange-worker", worker, otherCa)
  yield* sign("named-worker", { names: ["some.host"] })
  yield* sign("nobody", { commonName: "", names: ["some.host"] })
  return TestCertificates.of((name) => `${dir}/${name}`)
})

/** The settings of one side, by the names of the files. */
export const tlsFiles = (files: { readonly cert?: string; readonly key?: string; readonly ca?: string; readonly name?: string }): TlsFiles => ({
  certFile: Option.fromUndefinedOr(files.cert),
  keyFile: Option.fromUndefinedOr(files.key),
  caFile: Option.fromUndefinedOr(files.ca),
  serverName: Option.fromUndefinedOr(files.name)
})
