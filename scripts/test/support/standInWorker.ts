/** Stands in for a worker: /health says connected after CONNECTED_AFTER ms; notes its life in EVENTS; takes a moment to drain. */
import * as fs from "node:fs"
import * as http from "node:http"

const note = (event: string) => fs.appendFileSync(process.env["EVENTS"] ?? "", `${event}\n`)
note(`worker started ${process.pid} for ${process.env["API_SERVER_GRPC_ADDRESS"]}`)

if (process.env["WORKER_FAILS"] !== undefined) {
  console.error("WORKER_MAX_CONCURRENT must be a whole number")
  process.exit(4)
}
const connectedAt = performance.now() + Number(process.env["CONNECTED_AFTER"] ?? 0)
const body = JSON.stringify({ worker_id: process.env["WORKER_ID"] })
http.createServer((_, response) => response.writeHead(performance.now() >= connectedAt ? 200 : 503).end(body))
  .listen(Number(process.env["WORKER_HEALTH_PORT"]), "127.0.0.1")
process.once("SIGTERM", () => setTimeout(() => {
  note("worker stopped")
  process.exit(0)
}, 100))
