/**
 * A gRPC server between a worker and the API that knows no message: it passes bytes on. While it is switched on, what the
 * worker reports (outcomes, progress, frames of its session) is repeated, at once and long after, and overtaken by what was
 * said later.
 */
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import * as grpc from "@grpc/grpc-js"
import { Effect, type Scope } from "effect"
import { type SeededRandom, split } from "./SeededRandom.ts"

export interface Switch {
  readonly random: SeededRandom
  on: boolean
  /** Messages that the API got more than once, or late. */
  repeated: number
  delayed: number
}

export const makeSwitch = (seed: number): Effect.Effect<Switch> =>
  Effect.sync(() => ({ random: split(seed, "echo"), on: false, repeated: 0, delayed: 0 }))

/** Answers the port on which it serves; it forwards to `target` of 127.0.0.1. */
export const serve = Effect.fnUntraced(function*(echo: Switch, target: number): Effect.fn.Return<number, never, Scope.Scope> {
  const upstream = yield* Effect.acquireRelease(
    Effect.sync(() => new grpc.Client(`127.0.0.1:${target}`, grpc.credentials.createInsecure(), { ...alive, "grpc.use_local_subchannel_pool": 1 })),
    (client) => Effect.sync(() => client.close())
  )
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => new grpc.Server(alive)),
    (server) => Effect.sync(() => server.forceShutdown())
  )
  server.addService(definition, Object.fromEntries(APIWorkerService.methods.map((method) => [method.name, handlerOf(echo, upstream, method)])))
  return yield* Effect.callback<number>((resume) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      resume(error === null ? Effect.succeed(port) : Effect.die(error)))
  )
})

/** As the worker itself asks, so that a way that fell silent is found out behind the echo as well. */
const alive = { "grpc.keepalive_time_ms": 4_000, "grpc.keepalive_timeout_ms": 3_000, "grpc.keepalive_permit_without_calls": 1 }

type Method = typeof APIWorkerService.methods[number]

const asItIs = (bytes: Buffer): Buffer => bytes
const pathOf = (method: Method): string => `/${APIWorkerService.typeName}/${method.name}`
const streams = (method: Method, side: "client" | "server"): boolean =>
  method.methodKind === "bidi_streaming" || method.methodKind === `${side}_streaming`

const definition = Object.fromEntries(APIWorkerService.methods.map((method) => [method.name, {
  path: pathOf(method),
  requestStream: streams(method, "client"),
  responseStream: streams(method, "server"),
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs
}]))

/** What a worker says of its tasks. Registration and heartbeats are not reports. */
const isReport = (method: Method): boolean => /report|progress/i.test(method.name)

const handlerOf = (echo: Switch, upstream: grpc.Client, method: Method): grpc.UntypedHandleCall => {
  if (streams(method, "client")) return bothWays(echo, upstream, method)
  return streams(method, "server") ? serverStream(upstream, method) : unary(echo, upstream, method)
}

const unary = (echo: Switch, upstream: grpc.Client, method: Method): grpc.handleUnaryCall<Buffer, Buffer> => (call, callback) => {
  const send = (answer: grpc.requestCallback<Buffer>) =>
    upstream.makeUnaryRequest(pathOf(method), asItIs, asItIs, call.request, call.metadata, { deadline: call.getDeadline() }, answer)
  const repeat = () => upstream.makeUnaryRequest(pathOf(method), asItIs, asItIs, call.request, call.metadata, () => {})
  const answer: grpc.requestCallback<Buffer> = (error, value) => error === null ? callback(null, value) : callback(error)
  if (!echo.on || !isReport(method)) return void send(answer)
  later(echo, () => send(answer))
  echo.repeated++
  if (echo.random.chance(0.5)) repeat()
  setTimeout(repeat, echo.random.between(300, 20_000)).unref()
}

/** Half of what is said is said a moment later than it was meant to. */
const later = (echo: Switch, action: () => void) => {
  if (echo.random.chance(0.5)) return action()
  echo.delayed++
  setTimeout(action, echo.random.between(20, 600))
}

const serverStream = (upstream: grpc.Client, method: Method): grpc.handleServerStreamingCall<Buffer, Buffer> => (call) => {
  const source = upstream.makeServerStreamRequest(pathOf(method), asItIs, asItIs, call.request, call.metadata)
  passDown(source, call)
}

const bothWays = (echo: Switch, upstream: grpc.Client, method: Method): grpc.handleBidiStreamingCall<Buffer, Buffer> => (call) => {
  const source = upstream.makeBidiStreamRequest(pathOf(method), asItIs, asItIs, call.metadata)
  let first = true
  call.on("data", (frame: Buffer) => {
    const write = () => void (source.writable && source.write(frame))
    // The first frame says who it is.
    if (first || !echo.on) write()
    else {
      later(echo, write)
      echo.repeated++
      if (echo.random.chance(0.5)) setTimeout(write, echo.random.between(0, 8_000)).unref()
    }
    first = false
  })
  call.on("end", () => source.end())
  passDown(source, call)
}

const passDown = (
  source: grpc.ClientReadableStream<Buffer> | grpc.ClientDuplexStream<Buffer, Buffer>,
  call: grpc.ServerWritableStream<Buffer, Buffer> | grpc.ServerDuplexStream<Buffer, Buffer>
) => {
  source.on("metadata", (metadata: grpc.Metadata) => call.sendMetadata(metadata))
  source.on("data", (frame: Buffer) => call.write(frame))
  source.on("end", () => call.end())
  source.on("error", (error: grpc.ServiceError) => call.emit("error", error))
  call.on("cancelled", () => source.cancel())
  call.on("error", () => {})
}
