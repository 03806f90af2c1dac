import { GuardedFetch, type GuardedRequest, type GuardOptions } from "@englog/worker/web/GuardedFetch"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect } from "effect"
import * as net from "node:net"
import { gzipSync } from "node:zlib"
import { type Answer, bodyOf, certificates, httpServer, httpsServer } from "../support/WebServer.ts"

const HOST = "receiver.example.com"
const loopback = [{ address: "127.0.0.1", family: 4 }]
/** As if this machine were somewhere in the public internet. */
const elsewhere = { allowPrivate: false, isAllowed: (address: string) => address === "127.0.0.1" } as const

const get = (url: string, more: Partial<GuardedRequest> = {}): GuardedRequest => ({
  method: "GET", url, headers: {}, maxBytes: 1_000, excess: "fail", timeout: Duration.seconds(10), ...more
})

const fetchWith = (options: GuardOptions, request: GuardedRequest) => Effect.flatMap(GuardedFetch.make(options), ({ fetch }) => fetch(request))

const open = { allowPrivate: true } as const
const asked = Effect.fnUntraced(function*(answer: Answer, more: Partial<GuardedRequest> = {}) {
  const port = yield* httpServer(answer)
  return yield* fetchWith(open, get(`http://127.0.0.1:${port}/`, more))
})

const reasonOf = <A, E extends { readonly reason: string; readonly message: string }, R>(failing: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(failing), ({ message, reason }) => ({ reason, message }))

describe("a guarded request", () => {
  it.live("goes over TLS to the address that was judged, by the name that was asked for", () => Effect.scoped(Effect.gen(function*() {
    const { ca, server } = yield* certificates(HOST)
    const connections = new Set<unknown>()
    const port = yield* httpsServer(server, (request, response) => {
      connections.add(request.socket)
      bodyOf(request, (body) => response.end(JSON.stringify({ host: request.headers.host, body, encoding: request.headers["accept-encoding"] })))
    })
    const names: Array<string> = []
    const resolve = (host: string) => {
      names.push(host)
      return Promise.resolve(loopback)
    }
    const { fetch } = yield* GuardedFetch.make({ ...elsewhere, ca, resolve })
    const request = get(`https://${HOST}:${port}/`, { method: "POST", body: "hello" })
    const response = yield* fetch(request)
    assert.deepStrictEqual(JSON.parse(Buffer.from(response.body).toString()), { host: `${HOST}:${port}`, body: "hello", encoding: "identity" })
    for (let n = 0; n < 5; n++) yield* fetch(request)
    assert.deepStrictEqual(names, Array.from(connections, () => HOST), "each connection asks once")
    assert.isBelow(connections.size, 6)
  })))

  it.live("does not go to a name that stands for a private address, nor to one of several", () => Effect.scoped(Effect.gen(function*() {
    for (const address of ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "::ffff:10.0.0.7", "fd00:ec2::254"]) {
      const resolve = () => Promise.resolve([{ address: "93.184.216.34", family: 4 }, { address, family: net.isIP(address) }])
      const failure = yield* reasonOf(Effect.scoped(fetchWith({ allowPrivate: false, resolve }, get(`https://${HOST}/`))))
      assert.deepStrictEqual(failure, { reason: "address", message: `${HOST} stands for this machine, or for a private or reserved address` })
    }
  })))

  it.live("gains nothing from a name whose answer changes", () => Effect.scoped(Effect.gen(function*() {
    const { ca, server } = yield* certificates(HOST)
    const port = yield* httpsServer(server, (_, response) => response.setHeader("connection", "close").end("public"))
    const answers = [loopback, [{ address: "127.0.0.2", family: 4 }]]
    const { fetch } = yield* GuardedFetch.make({ ...elsewhere, ca, resolve: () => Promise.resolve(answers.shift() ?? []) })
    assert.strictEqual((yield* fetch(get(`https://${HOST}:${port}/`))).status, 200)
    assert.strictEqual((yield* reasonOf(fetch(get(`https://${HOST}:${port}/`)))).reason, "address")
  })))

  it.live("refuses an address in the URL itself without asking anybody", () => Effect.scoped(Effect.gen(function*() {
    const resolve = () => Promise.reject(new Error("was asked"))
    for (const host of ["127.0.0.1", "2130706433", "0x7f.1", "[::ffff:7f00:1]", "localhost"]) {
      const failure = yield* reasonOf(Effect.scoped(fetchWith({ allowPrivate: false, resolve }, get(`https://${host}/`))))
      assert.deepStrictEqual(failure, { reason: "url", message: "the URL must not name this machine, or a private or reserved address" }, host)
    }
    assert.strictEqual((yield* reasonOf(fetchWith({ allowPrivate: false }, get("http://example.com/")))).message, "the URL must begin with https://")
  })))

  it.live("follows as many redirects as it is told, and none to a private address", () => Effect.scoped(Effect.gen(function*() {
    const { ca, server } = yield* certificates(HOST)
    const port = yield* httpsServer(server, ({ url }, response) => {
      if (url === "/end") response.end("there")
      else response.writeHead(302, { location: url === "/private" ? "https://10.0.0.1/" : url === "/plain" ? `http://${HOST}/` : "/end" }).end()
    })
    const { fetch } = yield* GuardedFetch.make({ ...elsewhere, ca, resolve: () => Promise.resolve(loopback) })
    const url = (path: string) => `https://${HOST}:${port}${path}`
    const followed = yield* fetch(get(url("/start"), { redirects: 1 }))
    assert.deepStrictEqual([followed.status, followed.url], [200, url("/end")])
    assert.strictEqual((yield* fetch(get(url("/start")))).status, 302)
    const failure = yield* reasonOf(fetch(get(url("/private"), { redirects: 1 })))
    assert.deepStrictEqual(failure, { reason: "url", message: "a redirect's URL must not name this machine, or a private or reserved address" })
    assert.strictEqual((yield* reasonOf(fetch(get(url("/plain"), { redirects: 1 })))).message, "a redirect's URL must begin with https://")
  })))

  it.live("ends in time where the answer does not", () => Effect.scoped(Effect.gen(function*() {
    const timeout = Duration.millis(300)
    const silent = yield* reasonOf(asked(() => {}, { timeout }))
    assert.deepStrictEqual(silent, { reason: "timeout", message: "no whole answer within 0.3 s" })
    const dripping = yield* reasonOf(asked((_, response) => {
      response.write("a")
      const timer = setInterval(() => response.write("a"), 20)
      response.on("close", () => clearInterval(timer))
    }, { timeout }))
    assert.strictEqual(dripping.reason, "timeout")
    const drippingHead = yield* reasonOf(Effect.scoped(Effect.gen(function*() {
      const port = yield* rawServer((socket) => {
        socket.write("HTTP/1.1 200 OK\r\n")
        const timer = setInterval(() => socket.write("a: b\r\n"), 20)
        socket.on("close", () => clearInterval(timer))
      })
      return yield* fetchWith(open, get(`http://127.0.0.1:${port}/`, { timeout }))
    })))
    assert.strictEqual(drippingHead.reason, "timeout")
  })))

  it.live("reads no more of a body than it may, and says so", () => Effect.scoped(Effect.gen(function*() {
    const endless: Answer = (_, response) => {
      const more = () => {
        while (response.writable && response.write("x".repeat(1_000))) { /* until the buffer is full */ }
      }
      response.on("drain", more)
      more()
    }
    assert.deepStrictEqual(yield* reasonOf(asked(endless)), { reason: "too_large", message: "the answer has more than 1000 bytes" })
    const cut = yield* asked(endless, { excess: "cut" })
    assert.deepStrictEqual([cut.body.length, cut.cut, cut.status], [1_000, true, 200])
  })))

  it.live("does not unpack a few bytes into many", () => Effect.scoped(Effect.gen(function*() {
    const bomb = gzipSync(Buffer.alloc(500_000))
    const answer: Answer = (_, response) => response.setHeader("content-encoding", "gzip").end(bomb)
    assert.isBelow(bomb.length, 1_000)
    assert.strictEqual((yield* reasonOf(asked(answer))).reason, "too_large")
    assert.deepInclude(yield* asked(answer, { excess: "cut" }), { cut: true, body: new Uint8Array() })
    const honest = yield* asked((_, response) => response.setHeader("content-encoding", "gzip").end(gzipSync("hello")))
    assert.strictEqual(Buffer.from(honest.body).toString(), "hello")
    const lie = yield* reasonOf(asked((_, response) => response.setHeader("content-encoding", "gzip").end("hello")))
    assert.deepStrictEqual(lie, { reason: "malformed", message: "the answer is not in the content encoding that it names" })
  })))

  it.live("says what is wrong with a head, a certificate, a name or a connection", () => Effect.scoped(Effect.gen(function*() {
    const head = yield* reasonOf(asked((_, response) => response.setHeader("x", "y".repeat(15_000)).setHeader("z", "y".repeat(5_000)).end()))
    assert.strictEqual(head.reason, "too_large")
    const { server } = yield* certificates(HOST)
    const tls = yield* httpsServer(server, (_, response) => response.end())
    const resolve = () => Promise.resolve(loopback)
    const untrusted = yield* reasonOf(fetchWith({ ...elsewhere, resolve }, get(`https://${HOST}:${tls}/`)))
    assert.strictEqual(untrusted.reason, "tls")
    assert.include(untrusted.message, `${HOST} has no valid certificate or speaks no TLS`)
    const noTls = yield* httpServer((_, response) => response.end())
    assert.strictEqual((yield* reasonOf(fetchWith({ ...elsewhere, resolve }, get(`https://${HOST}:${noTls}/`)))).reason, "tls")
    const unknown = () => Promise.reject(Object.assign(new Error("not found"), { code: "ENOTFOUND" }))
    assert.deepStrictEqual(yield* reasonOf(fetchWith({ allowPrivate: false, resolve: unknown }, get(`https://${HOST}/`))), {
      reason: "dns", message: `the name ${HOST} cannot be resolved (ENOTFOUND)`
    })
    const noise = yield* rawServer((socket) => socket.end("this is not HTTP\r\n\r\n"))
    assert.strictEqual((yield* reasonOf(fetchWith(open, get(`http://127.0.0.1:${noise}/`)))).reason, "malformed")
    const hangsUp = yield* rawServer((socket) => socket.destroy())
    assert.strictEqual((yield* reasonOf(fetchWith(open, get(`http://127.0.0.1:${hangsUp}/`)))).reason, "connection")
  })))

  it.live("closes its connection when nobody waits for the answer any more", () => Effect.scoped(Effect.gen(function*() {
    const closed = yield* Deferred.make<void>()
    const port = yield* httpServer((request) => void request.on("close", () => Deferred.doneUnsafe(closed, Effect.void)))
    yield* reasonOf(fetchWith(open, get(`http://127.0.0.1:${port}/`, { timeout: Duration.millis(100) })))
    yield* Effect.timeout(Deferred.await(closed), "5 seconds")
  })))
})

const rawServer = (answer: (socket: net.Socket) => void) => {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => {}).once("data", () => answer(socket))
  })
  return Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(address !== null && typeof address === "object" ? address.port : 0))
      })
    }),
    () => Effect.callback<void>((resume) => {
      for (const socket of sockets) socket.destroy()
      server.close(() => resume(Effect.void))
    })
  )
}
