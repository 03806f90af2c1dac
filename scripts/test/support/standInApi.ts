/** Stands in for the API: answers /ready after READY_AFTER ms, notes its life in EVENTS, dies when asked over HTTP. */
import * as fs from "node:fs"
import * as http from "node:http"

const note = (event: string) => fs.appendFileSync(process.env["EVENTS"] ?? "", `${event}\n`)
const readyAt = performance.now() + Number(process.env["READY_AFTER"] ?? 0)
note(`api started ${process.pid}`)

if (process.env["API_FAILS"] !== undefined) {
  console.error("DATABASE_URL must be a URL")
  process.exit(3)
}
http.createServer((request, response) => {
  if (request.url === "/exit") process.exit(7)
  response.writeHead(performance.now() >= readyAt ? 200 : 503).end()
}).listen(Number(process.env["HTTP_PORT"]), "127.0.0.1")
process.once("SIGTERM", () => {
  note("api stopped")
  process.exit(130)
})
