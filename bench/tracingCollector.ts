/** An OTLP receiver for `bench:tracing`: reads what it is sent and thanks for it. */
import { createServer } from "node:http"

const server = createServer((request, response) => {
  request.resume().on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"))
})

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  process.stdout.write(`listening on http://127.0.0.1:${address !== null && typeof address !== "string" ? address.port : 0}\n`)
})
