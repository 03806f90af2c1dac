/** TLS and mutual TLS between real processes: as the README has it, and all the ways in which it can be set up wrongly. */
import { assert, layer } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { fileURLToPath } from "node:url"
import { makeCertificates, tlsEnv } from "../src/Certificates.ts"
import { type Env, Installation } from "../src/Installation.ts"
import { register } from "../src/Person.ts"
import { runProgram } from "../src/RunningProgram.ts"

const world = () => Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeServices.layer)

/** The commands of the README's section on TLS. */
const readme = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(fileURLToPath(new URL("../../../README.md", import.meta.url)))
  const block = /## TLS between API and workers[\s\S]*?```sh\n([\s\S]*?)```/.exec(text)?.[1] ?? ""
  const [certs = "", api = "", shared = "", worker = ""] = block.trim().split("\n")
  return { certs: certs.replace("npm run certs -- ", "").split(" "), api, worker: `${shared.replace("export ", "")} ${worker}` }
})

/** The variables that a command line sets; files lie in `folder`. */
const variables = (line: string, folder: string): Env =>
  Object.fromEntries([...line.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name = "", value = ""]) => [name, value.replace(/^\.data/, `${folder}/.data`)]))

layer(world(), { excludeTestServices: true, timeout: "60 seconds" })("mutual TLS", (it) => {
  it.effect("is set up by the README's lines, and work goes through it", () => Effect.gen(function*() {
    const installation = yield* Installation
    const lines = yield* readme
    const folder = yield* makeCertificates(lines.certs)
    const api = yield* installation.startApi(variables(lines.api, folder))
    const { WORKER_ID: id = "", ...env } = variables(lines.worker, folder)
    yield* installation.startWorker(id, env)
    const ada = yield* register(api.url, "ada@example.com")
    const { view } = yield* ada.result(yield* ada.submit([yield* ada.addEntry({})]))
    assert.strictEqual(view.worker_id, "worker-1")
  }), 90_000)
})

/** A worker that must not get in: a line of its log, and one of the server's. */
interface Refused {
  readonly why: string
  readonly worker: string
  readonly env: Env
  readonly workerSays: RegExp
  readonly serverSays?: RegExp
}

const expectRefusals = Effect.fnUntraced(function*(apiEnv: Env, refused: ReadonlyArray<Refused>) {
  const installation = yield* Installation
  const api = yield* installation.startApi(apiEnv)
  yield* Effect.forEach(refused, Effect.fnUntraced(function*({ worker: id, env, workerSays, serverSays, why }) {
    const worker = yield* installation.startLonelyWorker(id, { API_SERVER_GRPC_ADDRESS: api.grpc, ...env })
    yield* worker.said(workerSays)
    if (serverSays !== undefined) yield* api.said(serverSays)
    assert.isFalse(worker.lines.some((line) => line.includes("connection Registered")), why)
    yield* worker.end("SIGTERM")
  }, Effect.scoped), { concurrency: 3, discard: true })
  assert.isFalse(api.lines.some((line) => line.includes("worker registered")))
})

layer(world(), { excludeTestServices: true, timeout: "60 seconds" })("TLS that is set up wrongly", (it) => {
  it.effect("lets no worker in, and both logs say what to set", () => Effect.gen(function*() {
    const ours = yield* makeCertificates(["--name", "api.internal", "worker-1"])
    const theirs = yield* makeCertificates(["worker-1"])
    const file = (folder: string, name: string) => `${folder}/.data/certs/${name}`
    yield* expectRefusals(tlsEnv(ours, "server"), [
      {
        why: "a server of an authority that the worker does not know",
        worker: "worker-1",
        env: tlsEnv(ours, "workers/worker-1", { TLS_CA_FILE: file(theirs, "ca.crt") }),
        workerSays: /does not vouch for: set it to the authority that signed it/,
        serverSays: /hung up during the TLS handshake: TLS_CA_FILE of the worker/
      },
      {
        why: "a server of another name",
        worker: "worker-1",
        env: tlsEnv(ours, "workers/worker-1", { TLS_SERVER_NAME: "elsewhere.internal" }),
        workerSays: /for other names: set TLS_SERVER_NAME to one of them/,
        serverSays: /TLS_SERVER_NAME \(or the address\) one of its names/
      },
      {
        why: "no client certificate",
        worker: "worker-1",
        env: tlsEnv(ours, undefined),
        workerSays: /demands a client certificate: set TLS_CERT_FILE and TLS_KEY_FILE of the worker/,
        serverSays: /refused a connection from 127\.0\.0\.1: this server demands a client certificate/
      },
      {
        why: "a client certificate of another authority",
        worker: "worker-1",
        env: tlsEnv(theirs, "workers/worker-1", { TLS_CA_FILE: file(ours, "ca.crt") }),
        workerSays: /does not accept the worker's client certificate .*signed by the authority in TLS_CA_FILE of the API server/,
        serverSays: /refused a connection from 127\.0\.0\.1: this server does not accept the worker's client certificate/
      },
      {
        why: "another worker's certificate",
        worker: "worker-2",
        env: tlsEnv(ours, "workers/worker-1"),
        workerSays: /WORKER_ID and the certificate in TLS_CERT_FILE do not belong together.*urn:englog:worker:worker-1/,
        serverSays: /refused a worker.*worker-2/
      },
      {
        why: "plain text",
        worker: "worker-1",
        env: {},
        workerSays: /speaks TLS and the worker does not: set TLS_CA_FILE of the worker/,
        serverSays: /refused a connection from 127\.0\.0\.1: this server speaks TLS and the worker does not/
      }
    ])
  }), 120_000)

  it.effect("does not connect a worker with TLS to a server without", () => Effect.gen(function*() {
    const ours = yield* makeCertificates(["worker-1"])
    yield* expectRefusals({ TLS_CA_FILE: "" }, [{
      why: "TLS where the server speaks plain text",
      worker: "worker-1",
      env: tlsEnv(ours, "workers/worker-1"),
      workerSays: /does not speak TLS: set TLS_CERT_FILE and TLS_KEY_FILE there, or unset TLS_CA_FILE/,
      serverSays: /it speaks TLS and this server does not: set TLS_CERT_FILE and TLS_KEY_FILE of the API server/
    }])
  }), 90_000)

  it.effect("stops the start of either side with a sentence that names the variable", () => Effect.gen(function*() {
    const { dataDir } = yield* Installation
    const ours = yield* makeCertificates(["worker-1"])
    const cases: ReadonlyArray<readonly [Env, RegExp]> = [
      [{ TLS_KEY_FILE: "/nowhere/server.key" }, /TLS_KEY_FILE: cannot read \/nowhere\/server\.key/],
      [{ TLS_KEY_FILE: "" }, /TLS_CERT_FILE is set, so TLS_KEY_FILE must be set too/],
      [{ TLS_KEY_FILE: `${ours}/.data/certs/ca.key` }, /TLS_KEY_FILE is not the key of the certificate in TLS_CERT_FILE/],
      [{ TLS_CA_FILE: `${ours}/.data/certs/ca.key` }, /TLS_CA_FILE holds no certificate in PEM form/]
    ]
    yield* Effect.forEach(["api", "worker"] as const, (main) =>
      Effect.forEach(cases, Effect.fnUntraced(function*([wrong, sentence]) {
        const env = tlsEnv(ours, main === "api" ? "server" : "workers/worker-1", { DATA_DIR: dataDir, HTTP_PORT: "0", GRPC_PORT: "0", ...wrong })
        const program = yield* runProgram({ name: main, main, env })
        assert.strictEqual(yield* Effect.timeout(program.exit, "30 seconds"), 1)
        assert.match(program.lines.join("\n"), sentence)
        assert.notMatch(program.lines.join("\n"), /\n\s+at /, "a sentence, not a stack")
      }, Effect.scoped), { concurrency: 2, discard: true }), { discard: true })
  }), 120_000)
})
