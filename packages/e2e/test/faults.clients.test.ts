/**
 * Clients that leave without a word, and a server that leaves its clients: in good order, and soon. One API, no worker: what is
 * watched stays open.
 */
import { assert, layer } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { EngLogClient } from "@englog/rpc/client/EngLogClient"
import { Clock, Context, Effect, Fiber, Layer, Redacted, Schedule, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { Installation } from "../src/Installation.ts"
import { ask, password, register } from "../src/Person.ts"
import { openStream } from "../src/RawStream.ts"

const atWork = Effect.gen(function*() {
  const installation = yield* Installation
  const api = yield* installation.startApi()
  const ada = yield* register(api.url, "ada@example.com")
  const task_id = yield* ada.submit([yield* ada.addEntry({})])
  return { ada, api, task_id }
})

class AtWork extends Context.Service<AtWork, Effect.Success<typeof atWork>>()("@englog/e2e/test/AtWork") {
  static readonly layer = Layer.effect(AtWork, atWork)
}

const world = AtWork.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(Installation.layer(), FetchHttpClient.layer, NodeFileSystem.layer))
)

/** The streams that /health counts, once they are as many as wanted. */
const openStreams = Effect.fnUntraced(function*(url: string, wanted: number) {
  yield* ask("GET", `${url}/health`).pipe(
    Effect.map(({ text }) => Number(/(\d+) event streams are open/.exec(text)?.[1])),
    Effect.repeat({ until: (count) => count === wanted, schedule: Schedule.spaced("50 millis") }),
    Effect.timeout("20 seconds")
  )
})

const client = (url: string, transport: "http" | "websocket") =>
  Layer.build(EngLogClient.layer({ url, transport, auth: { email: "ada@example.com", password: Redacted.make(password) } })).pipe(
    Effect.map((context) => Context.get(context, EngLogClient))
  )

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("clients", (it) => {
  it.effect("that hang up a thousand times, in the middle of an event stream or before its first byte, leave nothing behind", () =>
    Effect.gen(function*() {
      const { ada, api, task_id } = yield* AtWork
      const url = `${api.url}/v1/tasks/${task_id}/stream`
      const midStream = Effect.scoped(Effect.gen(function*() {
        const stream = yield* openStream(url, ada.token)
        yield* stream.said(/event: queued/)
        yield* stream.reset
      }))
      const atOnce = Effect.scoped(Effect.flatMap(openStream(url, ada.token), (stream) => Effect.andThen(Effect.yieldNow, stream.reset)))
      yield* Effect.replicateEffect(midStream, 500, { concurrency: 25, discard: true })
      yield* Effect.replicateEffect(atOnce, 500, { concurrency: 25, discard: true })
      yield* openStreams(api.url, 0)
      assert.strictEqual((yield* ask("GET", `${api.url}/ready`)).status, 200)
    }))

  for (const transport of ["http", "websocket"] as const) {
    it.effect(`that hang up in the middle of an RPC stream over ${transport}, or in the tick in which it opens, leave nothing behind`, () =>
      Effect.gen(function*() {
        const { api, task_id } = yield* AtWork
        const leaving = Effect.fnUntraced(function*(wait: boolean) {
          const englog = yield* client(api.url, transport)
          const watching = yield* Effect.forkScoped(Stream.runForEach(englog.WatchTask({ task_id }), () => Effect.void))
          if (wait) yield* openStreams(api.url, 1)
          else yield* Effect.yieldNow
          yield* Fiber.interrupt(watching)
          yield* openStreams(api.url, 0)
        }, Effect.scoped)
        yield* leaving(true)
        yield* Effect.replicateEffect(leaving(false), 5, { discard: true })
        // The connection itself is gone in the middle of the stream.
        yield* Effect.scoped(Effect.gen(function*() {
          const englog = yield* client(api.url, transport)
          yield* Effect.forkScoped(Stream.runForEach(englog.WatchTask({ task_id }), () => Effect.void))
          yield* openStreams(api.url, 1)
        }))
        yield* openStreams(api.url, 0)
      }))
  }

  it.effect("are told when the API stops: it ends open streams at once, answers what it has begun, refuses what is new, and waits for nobody", () =>
    Effect.gen(function*() {
      const installation = yield* Installation
      const { ada, api, task_id } = yield* AtWork
      const sse = yield* openStream(`${api.url}/v1/tasks/${task_id}/stream`, ada.token)
      yield* sse.said(/event: queued/)
      const [overHttp, overWebSocket] = yield* Effect.all([client(api.url, "http"), client(api.url, "websocket")])
      const watching = yield* Effect.forEach([overHttp, overWebSocket], (englog) =>
        Effect.forkScoped(Effect.flip(Stream.runDrain(englog.WatchTask({ task_id })))))
      yield* openStreams(api.url, 3)
      // Slow requests: once one is answered, the others have long begun.
      const login = ask("POST", `${api.url}/v1/auth/login`, { body: { email: "ada@example.com", password } })
      const logins = yield* Effect.forEach(Array.from({ length: 8 }), () => Effect.forkScoped(login))
      yield* Effect.raceAllFirst(logins.map(Fiber.join))

      const began = yield* Clock.monotonicTimeNanos
      const stopping = yield* Effect.forkScoped(api.end("SIGTERM"))
      const answers = yield* Effect.forEach(logins, Fiber.join)
      assert.deepStrictEqual(answers.map(({ status }) => status), Array.from(answers, () => 200))
      yield* sse.said(/event: stopping\ndata: .*"code":"stopping","details":\[\{"retry_after":1\}\]/)
      const cuts = yield* Effect.forEach(watching, (fiber) => Fiber.join(fiber))
      for (const cut of cuts) assert.match(JSON.stringify(cut), /unavailable.*"code":"stopping"|RpcClient/s)
      assert.strictEqual(yield* Fiber.join(stopping), 0)
      assert.isBelow(Number((yield* Clock.monotonicTimeNanos) - began) / 1e9, 5, "five seconds is its patience with what does not end")
      yield* Effect.flip(ask("GET", `${api.url}/live`))

      const again = yield* installation.startApi()
      const resumed = yield* openStream(`${again.url}/v1/tasks/${task_id}/stream`, ada.token, { "last-event-id": "0" })
      yield* resumed.said(/event: queued/)
    }))
})
