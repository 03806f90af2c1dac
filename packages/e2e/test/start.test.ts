/** Starts that must not succeed say why in one sentence; starts side by side do not get into each other's way. */
import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { createServer } from "node:net"
import { type Env, Installation } from "../src/Installation.ts"
import { listenOnLoopback } from "../src/Loopback.ts"
import { ask, register } from "../src/Person.ts"
import { runProgram } from "../src/RunningProgram.ts"

const world = () => Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeFileSystem.layer)

/** Runs a program that must give up, and answers what it said. */
const refusal = Effect.fnUntraced(function*(main: "api" | "worker", env: Env) {
  const program = yield* runProgram({ name: "refused", main, env })
  const code = yield* Effect.timeout(program.exit, "30 seconds")
  const said = program.lines.join("\n")
  assert.strictEqual(code, 1, said)
  assert.notMatch(said, /\n\s+at /, "a sentence, not a stack")
  assert.isAtMost(program.lines.filter((line) => line.trim() !== "").length, 3, said)
  return said
}, Effect.scoped)

/** A sample: all variables are tested where they are read. Variable, wrong value, what else is set, what the sentence must say. */
type Case = readonly [name: string, value: string, others: Env, expected: RegExp]

const wrongForApi: ReadonlyArray<Case> = [
  ["HTTP_PORT", "eighty", {}, /HTTP_PORT must be a whole number from 0 to 65535/],
  ["HEARTBEAT_INTERVAL", "soon", {}, /HEARTBEAT_INTERVAL must be a duration/],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "localhost", {}, /OTEL_EXPORTER_OTLP_ENDPOINT must/],
  ["DATABASE_URL", "postgres://localhost/x", {}, /JWT_SECRET_KEY must be set when DATABASE_URL is/],
  ["DATABASE_URL", "postgres://localhost/x", { JWT_SECRET_KEY: "x".repeat(40) }, /ENCRYPTION_KEYS must be set when DATABASE_URL is/],
  ["GRPC_HOST", "0.0.0.0", {}, /GRPC_HOST is 0\.0\.0\.0.*TLS_CA_FILE.*WORKER_ENROLLMENT_TOKEN/]
]

const wrongForWorker: ReadonlyArray<Case> = [
  ["WORKER_MAX_CONCURRENT", "0", {}, /WORKER_MAX_CONCURRENT must be a whole number/],
  ["API_SERVER_GRPC_ADDRESS", "localhost", {}, /API_SERVER_GRPC_ADDRESS must be a comma-separated list of host:port/],
  ["LLM_PROVIDER", "oracle", {}, /LLM_PROVIDER must be auto, ollama, openai or builtin/],
  ["TLS_CA_FILE", "/nowhere/ca.pem", {}, /TLS_CA_FILE/]
]

const refusesEach = (main: "api" | "worker", cases: ReadonlyArray<Case>, base: Env) =>
  Effect.forEach(cases, ([name, value, others, expected]) =>
    Effect.map(refusal(main, { ...base, ...others, [name]: value }), (said) => assert.match(said, expected)), {
    concurrency: 3,
    discard: true
  })

/** Somebody else's listener on a port of its own. */
const takenPort = Effect.acquireRelease(
  Effect.suspend(() => {
    const server = createServer()
    return Effect.map(listenOnLoopback(server), (port) => ({ port: String(port), server }))
  }),
  ({ server }) => Effect.sync(() => server.close())
).pipe(Effect.map(({ port }) => port))

describe("an API that cannot start", () => {
  it.live("names the environment variable that is wrong or missing, and its rule", () =>
    Effect.gen(function*() {
      const { dataDir } = yield* Installation
      yield* refusesEach("api", wrongForApi, { DATA_DIR: dataDir, HTTP_PORT: "0", GRPC_PORT: "0" })
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.live("names the HTTP or gRPC port that is taken, and leaves no PostgreSQL running", () =>
    Effect.gen(function*() {
      const { dataDir, postgres } = yield* Installation
      const port = yield* takenPort
      const base = { DATA_DIR: dataDir, HTTP_PORT: "0", GRPC_PORT: "0" }
      const http = yield* refusal("api", { ...base, HTTP_PORT: port })
      const grpc = yield* refusal("api", { ...base, GRPC_PORT: port })
      assert.include(http, port)
      assert.include(http, "HTTP_PORT")
      assert.include(grpc, port)
      assert.include(grpc, "GRPC_PORT")
      assert.deepStrictEqual(yield* postgres, [])
    }).pipe(Effect.scoped, Effect.provide(world())))
})

describe("a worker that cannot start", () => {
  it.live("names the environment variable that is wrong, and its rule", () => refusesEach("worker", wrongForWorker, {}))

  it.live("names WORKER_HEALTH_PORT where it is set and taken", () =>
    Effect.gen(function*() {
      const port = yield* takenPort
      const said = yield* refusal("worker", { WORKER_HEALTH_PORT: port })
      assert.include(said, `WORKER_HEALTH_PORT ${port}`)
    }).pipe(Effect.scoped))
})

describe("workers side by side", () => {
  it.live("take different health ports and different ids without being told", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const api = yield* installation.startApi()
      const env = { API_SERVER_GRPC_ADDRESS: api.grpc, WORKER_ID: "" }
      const workers = yield* Effect.forEach(["a", "b", "c"], (name) => installation.startWorker(name, env), { concurrency: 3 })
      assert.lengthOf([...new Set(workers.map((worker) => worker.healthUrl))], 3)
      const ada = yield* register(api.url, "ada@example.com")
      const { text } = yield* ask("GET", `${api.url}/v1/workers`, { token: ada.token })
      assert.lengthOf([...new Set([...text.matchAll(/"worker_id":"([^"]+)"/g)].map((match) => match[1]))], 3)
    }).pipe(Effect.scoped, Effect.provide(world())))
})
