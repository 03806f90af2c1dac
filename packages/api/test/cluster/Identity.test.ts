/** Under mutual TLS every call is held against the client's certificate. */
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import { NodeFileSystem } from "@effect/platform-node"
import { credentials } from "@grpc/grpc-js"
import { TestCertificates, tlsFiles } from "../../../rpc/test/grpc/TestCertificates.ts"
import { COMPLETED, connect, INSIGHT_GENERATION, join, refusal } from "../support/ContractWorker.ts"
import { enqueue, find, newKind } from "../support/QueueEngine.ts"
import { eventually, grpcAddress, sessionOf, wholeApi } from "../support/WholeApi.ts"

const insights = { capabilities: [INSIGHT_GENERATION] }

const mutual = Layer.unwrap(Effect.map(TestCertificates, (at) =>
  wholeApi({ tls: tlsFiles({ cert: at("server.crt"), key: at("server.key"), ca: at("ca.crt") }) }))).pipe(
    Layer.provideMerge(TestCertificates.layer)
  )

/** What a client with this certificate connects with. */
const as = Effect.fnUntraced(function*(name: string) {
  const at = yield* TestCertificates
  const fs = yield* FileSystem.FileSystem
  const [ca, key, cert] = yield* Effect.forEach(["ca.crt", `${name}.key`, `${name}.crt`], (file) => fs.readFile(at(file)))
  if (ca === undefined || key === undefined || cert === undefined) return yield* Effect.die("no certificate")
  return credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert))
}, Effect.provide(NodeFileSystem.layer))

const callsAs = (name: string) =>
  Effect.flatMap(Effect.all([grpcAddress, as(name)]), ([address, credentials]) => connect(localhost(address), credentials))

const joinedAs = (name: string, workerId: string, kinds: ReadonlyArray<string>) =>
  Effect.flatMap(Effect.all([grpcAddress, as(name)]), ([address, credentials]) =>
    join(localhost(address), { workerId, kinds: [...kinds] }, credentials))

/** The name in the server's certificate. */
const localhost = (address: string) => address.replace("127.0.0.1", "localhost")

layer(mutual, { excludeTestServices: true, timeout: "60 seconds" })("a client certificate", (it) => {
  it.effect("lets its worker in, and no other", () => Effect.gen(function*() {
    const { register } = yield* callsAs("worker")
    yield* register({ workerId: "worker-1", ...insights })
    assert.strictEqual(yield* refusal(register({ workerId: "worker-2", ...insights })), "PERMISSION_DENIED")
    // Its common name, but the URI decides.
    assert.strictEqual(yield* refusal(register({ workerId: "worker", ...insights })), "PERMISSION_DENIED")
  }))

  it.effect("speaks by its common name only where it has no worker's URI, and for nobody where it has neither", () => Effect.gen(function*() {
    const named = yield* callsAs("named-worker")
    yield* named.register({ workerId: "named-worker", ...insights })
    assert.strictEqual(yield* refusal(named.register({ workerId: "worker-1", ...insights })), "PERMISSION_DENIED")
    const nobody = yield* callsAs("nobody")
    for (const workerId of ["nobody", "some.host", "undefined"]) {
      assert.strictEqual(yield* refusal(nobody.register({ workerId, ...insights })), "PERMISSION_DENIED")
    }
    assert.strictEqual((yield* nobody.health({})).status, "healthy")
  }))

  it.effect("keeps others from using its worker's token, on every call", () => Effect.gen(function*() {
    const kind = newKind()
    const owner = yield* joinedAs("worker", "worker-1", [kind])
    const taskId = yield* enqueue({ kind })
    yield* owner.next
    const { data, heartbeat, leave, progress, report, stream } = yield* callsAs("named-worker")
    const stolen = { ...owner.proof, taskId }
    const denied = [
      heartbeat(stolen), report({ ...stolen, status: COMPLETED, result: "1" }), progress({ ...stolen, progress: 1 }), data(stolen), leave(stolen)
    ]
    for (const call of denied) assert.strictEqual(yield* refusal<unknown>(call), "PERMISSION_DENIED")
    assert.strictEqual(yield* Effect.flatMap(stream(stolen), ({ end }) => end), "PERMISSION_DENIED")
    yield* owner.report(taskId, { status: COMPLETED, result: "1" })
  }))

  it.effect("takes its worker's live session over without a token: the tasks go back, the old token is worth nothing", () => Effect.gen(function*() {
    const kind = newKind()
    const first = yield* joinedAs("worker", "worker-1", [kind])
    const task_id = yield* enqueue({ kind })
    yield* first.next
    const before = yield* sessionOf("worker-1")
    const second = yield* joinedAs("worker", "worker-1", [newKind()])
    assert.notStrictEqual((yield* sessionOf("worker-1")).id, before.id)
    assert.strictEqual(yield* refusal(first.beat), "UNAUTHENTICATED")
    yield* second.beat
    yield* eventually(find(task_id), (task) => task.state === "queued")
    assert.deepInclude(yield* find(task_id), { attempt: 1, rescues: 0 })
  }))
})
