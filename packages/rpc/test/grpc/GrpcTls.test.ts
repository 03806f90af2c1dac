import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { noTls, type TlsFiles } from "@englog/rpc/grpc/GrpcTls"
import { Effect, FileSystem, Option } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { connect, serve } from "./TestServer.ts"

const openssl = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const code = yield* spawner.exitCode(ChildProcess.make("openssl", args, { stdout: "ignore", stderr: "ignore" }))
  assert.strictEqual(code, 0, `openssl ${args.join(" ")}`)
})

/** A CA, a server certificate for api.englog.local and a client certificate for worker-1, made for this run. */
const certificates = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const dir = yield* fs.makeTempDirectoryScoped({ prefix: "englog-tls-" })
  const at = (name: string) => `${dir}/${name}`
  const key = ["-newkey", "rsa:2048", "-nodes", "-days", "2"]
  const authority = (name: string) =>
    openssl("req", "-x509", ...key, "-keyout", at(`${name}.key`), "-out", at(`${name}.crt`), "-subj", `/CN=${name}`)
  const signed = (name: string, subject: string, san: string) =>
    openssl(
      ...["req", "-x509", ...key, "-keyout", at(`${name}.key`), "-out", at(`${name}.crt`)],
      ...["-subj", `/CN=${subject}`, "-addext", `subjectAltName=${san}`, "-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-CA", at("ca.crt"), "-CAkey", at("ca.key")]
    )
  yield* authority("ca")
  yield* authority("other-ca")
  yield* signed("server", "api.englog.local", "DNS:api.englog.local")
  yield* signed("client", "worker-1", "DNS:worker-1,URI:spiffe://englog/worker-1")
  return at
})

const tls = (files: { cert?: string; key?: string; ca?: string; name?: string }): TlsFiles => ({
  certFile: Option.fromUndefinedOr(files.cert),
  keyFile: Option.fromUndefinedOr(files.key),
  caFile: Option.fromUndefinedOr(files.ca),
  serverName: Option.fromUndefinedOr(files.name)
})

const identity = {
  getTaskData: (_: unknown, call: { readonly clientCertificate: Option.Option<{ readonly commonName: string; readonly alternativeNames: ReadonlyArray<string> }> }) =>
    Effect.succeed({
      data: Option.match(call.clientCertificate, {
        onNone: () => "nobody",
        onSome: ({ commonName, alternativeNames }) => [commonName, ...alternativeNames].join(" ")
      })
    })
}

describe("TLS", () => {
  it.live("connects to a server whose certificate the CA signed, by its name", () =>
    Effect.gen(function*() {
      const at = yield* certificates
      const { port } = yield* serve(identity, { tls: tls({ cert: at("server.crt"), key: at("server.key") }) })
      const { calls } = yield* connect(port, tls({ ca: at("ca.crt"), name: "api.englog.local" }))
      assert.strictEqual((yield* calls.getTaskData({})).data, "nobody")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 20_000)

  it.live("refuses a server of another name, another CA, and plain text", () =>
    Effect.gen(function*() {
      const at = yield* certificates
      const { port } = yield* serve(identity, { tls: tls({ cert: at("server.crt"), key: at("server.key") }) })
      for (
        const client of [
          tls({ ca: at("ca.crt"), name: "elsewhere.local" }),
          tls({ ca: at("other-ca.crt"), name: "api.englog.local" }),
          noTls
        ]
      ) {
        const { calls } = yield* connect(port, client)
        const error = yield* Effect.flip(calls.getTaskData({}, { timeout: "3 seconds" }))
        assert.include(["UNAVAILABLE", "DEADLINE_EXCEEDED"], error.code)
      }
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 30_000)

  it.live("under mutual TLS admits only certificates of its CA, and tells the handler whose", () =>
    Effect.gen(function*() {
      const at = yield* certificates
      const { port } = yield* serve(identity, {
        tls: tls({ cert: at("server.crt"), key: at("server.key"), ca: at("ca.crt") })
      })
      const known = yield* connect(
        port,
        tls({ ca: at("ca.crt"), cert: at("client.crt"), key: at("client.key"), name: "api.englog.local" })
      )
      assert.strictEqual((yield* known.calls.getTaskData({})).data, "worker-1 worker-1 spiffe://englog/worker-1")
      const nameless = yield* connect(port, tls({ ca: at("ca.crt"), name: "api.englog.local" }))
      assert.strictEqual((yield* Effect.flip(nameless.calls.getTaskData({}, { timeout: "3 seconds" }))).code, "UNAVAILABLE")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 20_000)

  it.live("names the setting that is missing or unreadable", () =>
    Effect.gen(function*() {
      const at = yield* certificates
      const halves = yield* Effect.flip(serve({}, { tls: tls({ cert: at("server.crt") }) }))
      assert.include(halves.message, "TLS_KEY_FILE must be set too")
      const unreadable = yield* Effect.flip(connect(1, tls({ ca: at("nothing.crt") })))
      assert.include(unreadable.message, "TLS_CA_FILE: cannot read")
      const garbage = yield* Effect.flip(serve({}, { tls: tls({ cert: at("server.key"), key: at("server.crt") }) }))
      assert.include(garbage.message, "valid PEM")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 20_000)
})
