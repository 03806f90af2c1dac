/** Stands in for a worker: /health says connected; notes its life in EVENTS; takes a moment to drain. */
import * as fs from "node:fs"
import * as http from "node:http"

const note = (event: string) => fs.appendFileSync(process.env["EVENTS"] ?? "", `${event}\n`)
note(`worker started ${process.pid} for ${process.env["API_SERVER_GRPC_ADDRESS"]}`)

if (process.env["WORKER_FAILS"] !== undefined) {
  console.error("WORKER_MAX_CONCURRENT must be a whole number")
  process.exit(4)
}
http.createServer((_, response) => response.end(JSON.stringify({ connection: "Streaming" })))
  .listen(Number(process.env["WORKER_HEALTH_PORT"]), "127.0.0.1")
process.once("SIGTERM", () => setTimeout(() => {
  note("worker stopped")
  process.exit(0)
}, 100))
