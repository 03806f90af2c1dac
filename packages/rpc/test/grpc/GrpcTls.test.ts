/** What TLS and mutual TLS let through, and what each side says about the rest. */
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import type { GrpcCall } from "@englog/rpc/grpc/GrpcMethods"
import { noTls, type TlsFiles } from "@englog/rpc/grpc/GrpcTls"
import { Effect, FileSystem, Logger, Option, Schedule, type Scope } from "effect"
import { connect, serve } from "./TestServer.ts"
import { TestCertificates, tlsFiles } from "./TestCertificates.ts"

const identity = {
  getTaskData: (_: unknown, call: GrpcCall) =>
    Effect.succeed({
      data: Option.match(call.clientCertificate, {
        onNone: () => "nobody",
        onSome: ({ commonName, alternativeNames }) => [commonName, ...alternativeNames].join(" ")
      })
    })
}

/** Runs a test with the lines that the server logs. */
const listening = <A, E>(
  test: (log: {
    /** A line that the server has written, or writes soon. */
    readonly says: (pattern: RegExp) => Effect.Effect<void>
  }) => Effect.Effect<A, E, NodeServices.NodeServices | TestCertificates | Scope.Scope>
) => {
  const lines: Array<string> = []
  const says = (pattern: RegExp) =>
    Effect.sync(() => lines.some((line) => pattern.test(line))).pipe(
      Effect.repeat({ until: (said) => said, schedule: Schedule.spaced("10 millis") }),
      Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.die(new Error(`${pattern} is not among: ${lines.join("\n")}`)) }),
      Effect.asVoid
    )
  const logger = Logger.layer([Logger.make(({ message }) => void lines.push([message].flat().join(" ")))])
  return test({ says }).pipe(Effect.scoped, Effect.provide([NodeServices.layer, logger]))
}

const name = "api.englog.local"

/** Why a client with these settings does not get a connection. */
const problem = (port: number, tls: TlsFiles) =>
  Effect.gen(function*() {
    const client = yield* connect(port, tls)
    const error = yield* Effect.flip(client.connect("5 seconds"))
    assert.strictEqual(error.code, "UNAVAILABLE")
    return error.message
  })

/** Why a client that gets a connection may not use it. */
const refusal = (port: number, tls: TlsFiles) =>
  Effect.gen(function*() {
    const { calls } = yield* connect(port, tls)
    const error = yield* Effect.flip(calls.getTaskData({}, { timeout: "5 seconds" }))
    assert.strictEqual(error.code, "UNAUTHENTICATED")
    return error.message
  })

layer(TestCertificates.layer, { excludeTestServices: true, timeout: "60 seconds" })("TLS", (it) => {
  it.effect("connects to a server whose certificate the CA signed, by its name", () =>
    listening(() => Effect.gen(function*() {
      const at = yield* TestCertificates
      const { port } = yield* serve(identity, { tls: tlsFiles({ cert: at("server.crt"), key: at("server.key") }) })
      const { calls } = yield* connect(port, tlsFiles({ ca: at("ca.crt"), name }))
      assert.strictEqual((yield* calls.getTaskData({})).data, "nobody")
    })))

  it.effect("refuses a server of another CA, of another name or whose certificate expired; both sides say what to do", () =>
    listening(({ says }) => Effect.gen(function*() {
      const at = yield* TestCertificates
      const { port } = yield* serve(identity, { tls: tlsFiles({ cert: at("server.crt"), key: at("server.key") }) })
      assert.match(yield* problem(port, tlsFiles({ ca: at("other-ca.crt"), name })), /does not vouch for: set it to the authority that signed it/)
      yield* says(/^refused a connection from 127\.0\.0\.1: it hung up during the TLS handshake: TLS_CA_FILE of the worker/)
      assert.match(yield* problem(port, tlsFiles({ ca: at("ca.crt"), name: "elsewhere.local" })), /for other names: set TLS_SERVER_NAME/)
      const expired = yield* serve(identity, { tls: tlsFiles({ cert: at("expired-server.crt"), key: at("expired-server.key") }) })
      yield* says(/^the certificate in TLS_CERT_FILE expired on 20/)
      assert.match(yield* problem(expired.port, tlsFiles({ ca: at("ca.crt"), name })), /is not valid today: renew it there/)
    })))

  it.effect("does not take a client's certificate for a server's", () =>
    listening(() => Effect.gen(function*() {
      const at = yield* TestCertificates
      const { port } = yield* serve(identity, { tls: tlsFiles({ cert: at("worker.crt"), key: at("worker.key") }) })
      assert.match(yield* problem(port, tlsFiles({ ca: at("ca.crt"), name })), /does not vouch for/)
    })))

  it.effect("tells a client that speaks plain text to set TLS_CA_FILE", () =>
    listening(({ says }) => Effect.gen(function*() {
      const at = yield* TestCertificates
      const { port } = yield* serve(identity, { tls: tlsFiles({ cert: at("server.crt"), key: at("server.key") }) })
      assert.match(yield* refusal(port, noTls), /speaks TLS and the worker does not: set TLS_CA_FILE/)
      yield* says(/speaks TLS and the worker does not: set TLS_CA_FILE/)
    })))

  it.effect("tells a client that speaks TLS to a server without it what to set on which side", () =>
    listening(({ says }) => Effect.gen(function*() {
      const at = yield* TestCertificates
      const { port } = yield* serve(identity)
      assert.match(yield* problem(port, tlsFiles({ ca: at("ca.crt"), name })), /does not speak TLS: set TLS_CERT_FILE and TLS_KEY_FILE there/)
      yield* says(/it speaks TLS and this server does not: set TLS_CERT_FILE and TLS_KEY_FILE of the API server/)
    })))
})

layer(TestCertificates.layer, { excludeTestServices: true, timeout: "60 seconds" })("mutual TLS", (it) => {
  const mutual = (at: (name: string) => string) =>
    serve(identity, { tls: tlsFiles({ cert: at("server.crt"), key: at("server.key"), ca: at("ca.crt") }) })
  const client = (at: (name: string) => string, of: string) =>
    tlsFiles({ ca: at("ca.crt"), name, cert: at(`${of}.crt`), key: at(`${of}.key`) })

  it.effect("tells the handler whose certificate it is", () =>
    listening(() => Effect.gen(function*() {
      const at = yield* TestCertificates
      const { port } = yield* mutual(at)
      const { calls } = yield* connect(port, client(at, "worker"))
      assert.strictEqual((yield* calls.getTaskData({})).data, "worker urn:englog:worker:worker-1")
    })))

  it.effect("answers UNAUTHENTICATED to whoever shows no certificate of its CA, an expired one or a server's, and closes the connection", () =>
    listening(({ says }) => Effect.gen(function*() {
      const at = yield* TestCertificates
      const { port } = yield* mutual(at)
      assert.match(yield* refusal(port, tlsFiles({ ca: at("ca.crt"), name })), /demands a client certificate: set TLS_CERT_FILE and TLS_KEY_FILE/)
      yield* says(/refused a connection .* demands a client certificate/)
      assert.match(yield* refusal(port, client(at, "expired-worker")), /CERT_HAS_EXPIRED.*valid today/)
      yield* says(/CERT_HAS_EXPIRED/)
      assert.match(yield* refusal(port, client(at, "strange-worker")), /UNABLE_TO_VERIFY_LEAF_SIGNATURE.*signed by the authority in TLS_CA_FILE/)
      assert.match(yield* refusal(port, client(at, "server")), /INVALID_PURPOSE.*for client authentication/)
      const idle = yield* connect(port, tlsFiles({ ca: at("ca.crt"), name }))
      yield* idle.connect("5 seconds")
      yield* idle.disconnected.pipe(Effect.timeout("8 seconds"))
    })), 30_000)
})

layer(TestCertificates.layer, { excludeTestServices: true, timeout: "60 seconds" })("certificate files", (it) => {
  it.effect("stop the start with a sentence that names the variable", () =>
    listening(() => Effect.gen(function*() {
      const at = yield* TestCertificates
      yield* FileSystem.FileSystem.use((fs) => fs.writeFileString(at("garbage"), "-----BEGIN CERTIFICATE-----\nnonsense"))
      const sentence = (files: Parameters<typeof tlsFiles>[0]) =>
        Effect.map(Effect.flip(serve({}, { tls: tlsFiles(files) })), ({ message }) => message)
      const good = { cert: at("server.crt"), key: at("server.key") }
      assert.include(yield* sentence({ cert: good.cert }), "TLS_KEY_FILE must be set too")
      assert.include(yield* sentence({ key: good.key }), "TLS_CERT_FILE must be set too")
      assert.include(yield* sentence({ ca: at("ca.crt") }), "needs TLS_CERT_FILE and TLS_KEY_FILE")
      assert.include(yield* sentence({ ...good, ca: at("nothing") }), "TLS_CA_FILE: cannot read")
      assert.include(yield* sentence({ ...good, cert: at("garbage") }), "TLS_CERT_FILE holds no certificate")
      assert.include(yield* sentence({ ...good, key: at("garbage") }), "TLS_KEY_FILE holds no private key")
      assert.include(yield* sentence({ ...good, ca: at("garbage") }), "TLS_CA_FILE holds no certificate")
      assert.include(yield* sentence({ ...good, key: at("worker.key") }), "TLS_KEY_FILE is not the key of the certificate in TLS_CERT_FILE")
      const client = yield* Effect.flip(connect(1, tlsFiles({ ca: at("nothing") })))
      assert.include(client.message, "TLS_CA_FILE: cannot read")
    })))
})
