/** What the gRPC edge keeps from the handlers behind it: bytes that are no message, too many of them, too many connections. */
import { create, toBinary } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import { GrpcError } from "@englog/rpc/grpc/GrpcError"
import { ConnectionLimits } from "@englog/rpc/grpc/GrpcListener"
import { compressionAlgorithms } from "@grpc/grpc-js"
import { Context, Duration, Effect, Layer, Logger, Schedule } from "effect"
import * as net from "node:net"
import { rawClient } from "./RawClient.ts"
import { connect, serve, type WorkerHandlers } from "./TestServer.ts"

const { method } = APIWorkerService

/** A server that takes every result and notes what reached it. */
const collecting = () => {
  const received: Array<string> = []
  const handlers: Partial<WorkerHandlers> = {
    reportTaskResult: (request) => Effect.sync(() => received.push(request.taskId)).pipe(Effect.as({ accepted: true })),
    updateTaskProgress: () => Effect.fail(new GrpcError({ code: "FAILED_PRECONDITION", message: "not yours" })),
    registerWorker: () => Effect.succeed({ registrationSuccessful: true })
  }
  return { received, handlers }
}

const report = (fields: { readonly taskId?: string; readonly result?: string }) =>
  toBinary(method.reportTaskResult.input, create(method.reportTaskResult.input, fields))

/** A string field as bytes that are no string. */
const field = (number: number, bytes: ReadonlyArray<number>) => Uint8Array.from([number * 8 + 2, bytes.length, ...bytes])

const defaults = Context.get(Context.empty(), ConnectionLimits)
const limited = (limits: Partial<typeof defaults>) => Layer.succeed(ConnectionLimits, { ...defaults, ...limits })

describe("a message", () => {
  it.live("of more than 4 MiB is refused with RESOURCE_EXHAUSTED, compressed or not", () =>
    Effect.gen(function*() {
      const { handlers, received } = collecting()
      const { port } = yield* serve(handlers)
      const send = yield* rawClient(port, { "grpc.max_send_message_length": -1 })
      const zipped = yield* rawClient(port, { "grpc.default_compression_algorithm": compressionAlgorithms.gzip })
      assert.strictEqual((yield* send("ReportTaskResult", report({ taskId: "fits", result: "x".repeat(3 * 1024 * 1024) }))).code, "OK")
      for (const size of [5, 50]) {
        const result = "x".repeat(size * 1024 * 1024)
        const answer = yield* send("ReportTaskResult", report({ taskId: "large", result }))
        assert.strictEqual(answer.code, "RESOURCE_EXHAUSTED")
        assert.include(answer.details, "4194304")
        assert.strictEqual((yield* zipped("ReportTaskResult", report({ taskId: "bomb", result }))).code, "RESOURCE_EXHAUSTED")
      }
      assert.deepStrictEqual(received, ["fits"])
    }), 30_000)

  it.live("that is none is INVALID_ARGUMENT, and says what it should have been", () =>
    Effect.gen(function*() {
      const { handlers, received } = collecting()
      const { port } = yield* serve(handlers)
      const send = yield* rawClient(port)
      const garbage = [
        Uint8Array.from([0xff, 0xff, 0xff, 0xff]),
        Uint8Array.from([0x0a, 0x7f, 1]),
        Buffer.from('{"task_id":"x"}'),
        // No UTF-8: a lone continuation byte, an overlong slash, half of a surrogate pair.
        ...[[0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80]].map((bytes) => field(1, bytes))
      ]
      for (const bytes of garbage) {
        const answer = yield* send("ReportTaskResult", bytes)
        assert.deepStrictEqual(answer, {
          code: "INVALID_ARGUMENT",
          details: `these ${bytes.length} bytes are no englog.v1.TaskResultRequest`
        })
      }
      assert.deepStrictEqual(received, [])
    }))

  it.live("with a NUL anywhere is INVALID_ARGUMENT, naming the field", () =>
    Effect.gen(function*() {
      const { handlers } = collecting()
      const { port } = yield* serve(handlers)
      const { calls } = yield* connect(port)
      const refusal = <A>(call: Effect.Effect<A, GrpcError>) => Effect.map(Effect.flip(call), ({ code, message }) => `${code} ${message}`)
      const rule = "must not contain the NUL character or unpaired surrogates"
      assert.strictEqual(yield* refusal(calls.reportTaskResult({ errorMessage: "a\u0000" })), `INVALID_ARGUMENT error_message: ${rule}`)
      assert.strictEqual(yield* refusal(calls.registerWorker({ kinds: ["A", "B\u0000"] })), `INVALID_ARGUMENT kinds: ${rule}`)
      assert.strictEqual(yield* refusal(calls.registerWorker({ metadata: { queues: "\u0000" } })), `INVALID_ARGUMENT metadata: ${rule}`)
      assert.strictEqual(
        yield* refusal(calls.workerHeartbeat({ heldTasks: [{ taskId: "a" }, { taskId: "\u0000" }] })),
        `INVALID_ARGUMENT held_tasks.task_id: ${rule}`
      )
    }))

  it.live("with fields that this version does not know is taken as if they were not there", () =>
    Effect.gen(function*() {
      const { handlers, received } = collecting()
      const { port } = yield* serve(handlers)
      const send = yield* rawClient(port)
      // Field 999, a string.
      const unknown = Uint8Array.from([0xba, 0x3e, 3, 1, 2, 3])
      assert.strictEqual((yield* send("ReportTaskResult", Buffer.concat([report({ taskId: "newer" }), unknown]))).code, "OK")
      assert.deepStrictEqual(received, ["newer"])
    }))
})

describe("a connection", () => {
  it.live("whose calls are refused again and again is closed; the others of its address stay", () => {
    const said: Array<string> = []
    return Effect.gen(function*() {
      const { handlers, received } = collecting()
      const { port } = yield* serve(handlers)
      const honest = yield* connect(port)
      yield* honest.connect("5 seconds")
      const liar = yield* connect(port)
      yield* liar.connect("5 seconds")
      const lie = Effect.flip(liar.calls.updateTaskProgress({}))
      const codes = yield* Effect.forEach(Array.from({ length: 20 }), () => lie)
      assert.deepStrictEqual([...new Set(codes.map(({ code }) => code))], ["FAILED_PRECONDITION"])
      yield* lie
      yield* Effect.timeout(liar.disconnected, "5 seconds")
      // It may come back, but is not served at once.
      const back = yield* connect(port)
      const waited = yield* back.connect("5 seconds").pipe(Effect.timed, Effect.map(([waited]) => Duration.toMillis(waited)))
      assert.isAbove(waited, 300)
      yield* honest.calls.reportTaskResult({ taskId: "honest" })
      assert.deepStrictEqual(received, ["honest"])
      assert.isTrue(said.some((line) => line.includes("thousands of its calls had to be refused")))
    }).pipe(
      Effect.provide([
        limited({ strikes: { capacity: 20, perSecond: 0.001 }, closed: { capacity: 1, perSecond: 2 } }),
        Logger.layer([Logger.make(({ message }) => void said.push(String(message)))])
      ])
    )
  })

  it.live("beyond what one address may have is closed; when one ends there is room again", () =>
    Effect.gen(function*() {
      const { handlers } = collecting()
      const { port } = yield* serve(handlers)
      const idle = yield* Effect.forEach(Array.from({ length: 3 }), () => openSocket(port))
      const beyond = yield* openSocket(port)
      yield* Effect.timeout(beyond.closed, "5 seconds")
      idle[0]?.socket.destroy()
      const { connect: dial } = yield* connect(port)
      yield* dial("1 second").pipe(Effect.retry(Schedule.spaced("50 millis")), Effect.timeout("5 seconds"))
    }).pipe(Effect.provide(limited({ perAddress: 3 }))))

  it.live("is refused to an address that connects again and again", () =>
    Effect.gen(function*() {
      const { handlers } = collecting()
      const { port } = yield* serve(handlers)
      const kept = yield* Effect.forEach(Array.from({ length: 5 }), () => openSocket(port))
      yield* Effect.timeout((yield* openSocket(port)).closed, "5 seconds")
      assert.isTrue(kept.every(({ socket }) => !socket.closed))
    }).pipe(Effect.provide(limited({ rate: { capacity: 5, perSecond: 0.001 } }))))

  it.live("that says nothing, or nothing sensible, is closed", () =>
    Effect.gen(function*() {
      const { handlers } = collecting()
      const { port } = yield* serve(handlers)
      const [mute, web] = [yield* openSocket(port), yield* openSocket(port)]
      web.socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
      yield* Effect.timeout(web.closed, "5 seconds")
      yield* Effect.timeout(mute.closed, "5 seconds")
    }).pipe(Effect.provide(limited({ handshake: Duration.millis(300) }))))
})

const openSocket = Effect.fnUntraced(function*(port: number) {
  const socket = yield* Effect.acquireRelease(
    Effect.callback<net.Socket>((resume) => {
      const opened = net.connect(port, "127.0.0.1", () => resume(Effect.succeed(opened)))
      opened.on("error", () => {})
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
  const closed = Effect.callback<void>((resume) => {
    socket.resume()
    if (socket.closed) resume(Effect.void)
    else socket.once("close", () => resume(Effect.void))
  })
  return { socket, closed }
})
