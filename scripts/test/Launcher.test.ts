import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as http from "node:http"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, assert, describe, it, vi } from "vitest"

const main = path.join(import.meta.dirname, "support/launchStandIns.ts")
const cleanUp: Array<() => unknown> = []

interface Launched {
  readonly launcher: ChildProcess
  readonly port: number
  readonly grpcPort: number
  readonly exit: Promise<number | null>
  readonly output: () => string
  /** What the children noted, in order, without their pids. */
  readonly events: () => ReadonlyArray<string>
  readonly pidsOf: (name: "api" | "worker") => ReadonlyArray<number>
}

const freePort = async (): Promise<number> => {
  const server = net.createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return address !== null && typeof address !== "string" ? address.port : 0
}

const launchStandIns = async (env: Readonly<Record<string, string>> = {}): Promise<Launched> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "englog-launch-"))
  const notes = path.join(folder, "events")
  fs.writeFileSync(notes, "")
  const [port, grpcPort, healthPort] = [await freePort(), await freePort(), await freePort()]
  const launcher = spawn(process.execPath, [main], {
    env: { ...process.env, HTTP_PORT: String(port), GRPC_PORT: String(grpcPort), WORKER_HEALTH_PORT: String(healthPort), EVENTS: notes, ...env }
  })
  let output = ""
  launcher.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
  launcher.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()))
  const exit = new Promise<number | null>((resolve) => launcher.once("close", (code) => resolve(code)))
  const lines = () => fs.readFileSync(notes, "utf8").split("\n").filter((line) => line !== "")
  const pidsOf = (name: string) => lines().flatMap((line) => new RegExp(`^${name} started (\\d+)`).exec(line)?.[1] ?? []).map(Number)
  cleanUp.push(() => {
    for (const pid of [launcher.pid ?? 0, ...pidsOf("api"), ...pidsOf("worker")]) if (isAlive(pid)) process.kill(pid, "SIGKILL")
    fs.rmSync(folder, { recursive: true, force: true })
  })
  const events = () => lines().map((line) => line.replace(/(started).*/, "$1"))
  return { launcher, port, grpcPort, exit, output: () => output, events, pidsOf }
}

const isAlive = (pid: number): boolean => pid > 0 && fs.existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"))
const eventually = (assertion: () => void) => vi.waitFor(assertion, { timeout: 15_000, interval: 20 })
const ready = (launched: Launched) => eventually(() => assert.include(launched.output(), "EngLog is ready"))

describe("npm start", () => {
  afterEach(() => {
    for (const one of cleanUp.splice(0)) one()
  })

  it("says one line with the URLs when the API is ready and a worker is connected", async () => {
    const launched = await launchStandIns({ READY_AFTER: "300", CONNECTED_AFTER: "300" })
    await ready(launched)
    const url = `http://127.0.0.1:${launched.port}`
    assert.deepStrictEqual(launched.output().trim().split("\n"), [`EngLog is ready: docs ${url}/docs · health ${url}/health`])
    assert.deepStrictEqual(launched.events(), ["api started", "worker started"])
  })

  it("does not take another worker on the same health port for its own", async () => {
    const other = http.createServer((_, response) => response.end(JSON.stringify({ worker_id: "other" }))).listen(0, "127.0.0.1")
    await once(other, "listening")
    cleanUp.push(() => other.close())
    const address = other.address()
    const port = address !== null && typeof address !== "string" ? address.port : 0
    const launched = await launchStandIns({ WORKER_HEALTH_PORT: String(port) })
    assert.notStrictEqual(await launched.exit, 0)
    assert.notInclude(launched.output(), "is ready")
  })

  it.each(["SIGTERM", "SIGINT"] as const)("stops the worker, then the API, on %s and ends with 0", async (signal) => {
    const launched = await launchStandIns()
    await ready(launched)
    launched.launcher.kill(signal)
    assert.strictEqual(await launched.exit, 0)
    assert.deepStrictEqual(launched.events(), ["api started", "worker started", "worker stopped", "api stopped"])
  })

  it("starts a worker again that was killed", async () => {
    const launched = await launchStandIns()
    await ready(launched)
    process.kill(launched.pidsOf("worker")[0] ?? 0, "SIGKILL")
    await eventually(() => assert.lengthOf(launched.pidsOf("worker"), 2))
    assert.include(launched.output(), "The worker ended with 137; it is started again.")
    launched.launcher.kill("SIGTERM")
    assert.strictEqual(await launched.exit, 0)
  })

  it("ends with the API's exit code when the API ends, and leaves no worker behind", async () => {
    const launched = await launchStandIns()
    await ready(launched)
    await fetch(`http://127.0.0.1:${launched.port}/exit`).catch(() => undefined)
    assert.strictEqual(await launched.exit, 7)
    assert.isFalse(launched.pidsOf("worker").some(isAlive))
  })

  it("ends with the exit code of an API or a first worker that refuses its configuration, whose sentence is seen", async () => {
    const api = await launchStandIns({ API_FAILS: "yes" })
    assert.strictEqual(await api.exit, 3)
    assert.include(api.output(), "DATABASE_URL must be a URL")
    const worker = await launchStandIns({ WORKER_FAILS: "yes" })
    assert.strictEqual(await worker.exit, 4)
    assert.include(worker.output(), "WORKER_MAX_CONCURRENT must be")
    assert.deepStrictEqual(worker.events(), ["api started", "worker started", "api stopped"])
  })

  it.each(["HTTP_PORT", "GRPC_PORT"])("says in one sentence which port is taken: %s", async (variable) => {
    const taken = net.createServer().listen(0, "127.0.0.1")
    await once(taken, "listening")
    cleanUp.push(() => taken.close())
    const address = taken.address()
    const port = address !== null && typeof address !== "string" ? address.port : 0
    const launched = await launchStandIns({ [variable]: String(port) })
    assert.strictEqual(await launched.exit, 1)
    assert.strictEqual(launched.output(), `${variable} ${port} on 127.0.0.1 is already in use; set ${variable} to another port\n`)
    assert.deepStrictEqual(launched.events(), [])
  })

  it("leaves nothing running when it is killed itself", async () => {
    const launched = await launchStandIns()
    await ready(launched)
    launched.launcher.kill("SIGKILL")
    await eventually(() => assert.isFalse([...launched.pidsOf("api"), ...launched.pidsOf("worker")].some(isAlive)))
  })
})
