/**
 * Serves a protobuf-es service with Effect handlers over grpc-js.
 *
 * A handler's GrpcError becomes the status; a defect is logged and answered INTERNAL "internal error"; a cancelled call
 * interrupts its handler. Streams are written no faster than the client reads. The caller's trace continues.
 */
import type { DescService, Message } from "@bufbuild/protobuf"
import * as grpc from "@grpc/grpc-js"
import {
  Cause,
  Context,
  Duration,
  Effect,
  Exit,
  type Fiber,
  type FileSystem,
  FiberSet,
  Layer,
  Option,
  Schema,
  type Scope,
  Stream,
  type Tracer
} from "effect"
import * as Headers from "effect/http/Headers"
import * as HttpTraceContext from "effect/http/HttpTraceContext"
import type { GrpcError } from "./GrpcError.ts"
import {
  type ClientCertificate,
  type Fields,
  type GrpcCall,
  type GrpcMethod,
  handlerOfStream,
  handlerOfUnary,
  type Handlers,
  messageCodec,
  methodPath,
  recordStatus,
  rpcAttributes,
  type StreamHandler,
  type UnaryHandler
} from "./GrpcMethods.ts"
import { type GrpcTlsError, serverCredentials, type TlsFiles } from "./GrpcTls.ts"

export interface GrpcServerOptions<S extends DescService> {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly tls: TlsFiles
  /** How long a stop waits for running calls before it cuts them. Default 3 s. */
  readonly stopLimit?: Duration.Input
  /** Methods that make no span of their own: those called every few seconds, and streams that live for hours. */
  readonly untraced?: ReadonlyArray<keyof S["method"] & string>
}

// What goes wrong is told by typed errors and our own log; grpc-js would print it to stderr as well, without a word of context.
grpc.setLogVerbosity(grpc.logVerbosity.NONE)

/** The server could not start on this address. */
export class GrpcBindError extends Schema.TaggedError<GrpcBindError>()("GrpcBindError", {
  reason: Schema.Literals(["AddressInUse", "PermissionDenied", "AddressNotAvailable", "Other"]),
  host: Schema.String,
  port: Schema.Int,
  message: Schema.String,
  cause: Schema.Defect()
}) {}

export class GrpcServer extends Context.Service<GrpcServer, {
  readonly host: string
  /** The bound port, also where 0 was asked for. */
  readonly port: number
}>()("@englog/rpc/grpc/GrpcServer") {
  /** Listens as long as the layer lives. */
  static readonly layer = <S extends DescService>(service: S, handlers: Handlers<S>, options: GrpcServerOptions<S>) =>
    Layer.effect(GrpcServer, serve(service, handlers, options))
}

/** Listens as long as the scope lives; its end stops intake, waits `stopLimit` for running calls, then cuts the rest. */
export const serve = Effect.fnUntraced(function*<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
  options: GrpcServerOptions<S>
): Effect.fn.Return<
  GrpcServer["Service"],
  GrpcBindError | GrpcTlsError,
  Scope.Scope | FileSystem.FileSystem
> {
  const credentials = yield* serverCredentials(options.tls)
  const calls = yield* FiberSet.make<void>()
  const fork = yield* FiberSet.runtime(calls)()
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => new grpc.Server(serverOptions)),
    (running) => stop(running, options.stopLimit ?? Duration.seconds(3))
  )
  const implementation: Record<string, grpc.UntypedHandleCall> = {}
  const definition: Record<string, grpc.MethodDefinition<Message, Message>> = {}
  for (const method of service.methods) {
    const input = messageCodec(method.input)
    const output = messageCodec(method.output)
    const traced = !(options.untraced ?? []).some((name) => name === method.localName)
    const span = traced ? serverSpan(service, method) : untracedSpan
    definition[method.localName] = {
      path: methodPath(service, method),
      requestStream: false,
      responseStream: method.methodKind === "server_streaming",
      requestSerialize: input.serialize,
      requestDeserialize: input.deserialize,
      responseSerialize: output.serialize,
      responseDeserialize: output.deserialize
    }
    implementation[method.localName] = method.methodKind === "server_streaming"
      ? implementStream(handlerOfStream(handlers, method.localName), output.make, span, fork)
      : implementUnary(handlerOfUnary(handlers, method.localName), output.make, span, fork)
  }
  server.addService(definition, implementation)
  const port = yield* bind(server, credentials, options.host, options.port)
  return { host: options.host, port }
})

/** Seed 001's link: keepalive notices a silent peer after 4 + 3 s; payloads and results stay well below 8 MiB. */
const serverOptions: grpc.ServerOptions = {
  "grpc.keepalive_time_ms": 4_000,
  "grpc.keepalive_timeout_ms": 3_000,
  "grpc.max_receive_message_length": 8 * 1024 * 1024,
  "grpc.max_send_message_length": 8 * 1024 * 1024
}

type Fork = (effect: Effect.Effect<void>) => Fiber.Fiber<void>
type SpanOf = (call: GrpcCall) => <A>(effect: Effect.Effect<A, GrpcError>) => Effect.Effect<A, GrpcError>
type Status = Partial<grpc.StatusObject>
/** What both kinds of calls share; grpc-js does not export its own name for it. */
type SurfaceCall = Pick<
  grpc.ServerUnaryCall<Message, Message>,
  "cancelled" | "metadata" | "getPeer" | "getAuthContext" | "once"
>

const implementUnary =
  (handler: UnaryHandler, make: (fields: Fields) => Message, span: SpanOf, fork: Fork) =>
  (call: grpc.ServerUnaryCall<Message, Message>, answer: grpc.sendUnaryData<Message>): void => {
    const info = callInfo(call)
    const fiber = fork(
      Effect.suspend(() => handler(call.request, info)).pipe(
        Effect.map(make),
        span(info),
        Effect.exit,
        Effect.tap((exit) => logDefects(exit, call.getPath())),
        Effect.map((exit) => Exit.isSuccess(exit) ? answer(null, exit.value) : answer(statusOf(exit.cause)))
      )
    )
    interruptWhenCancelled(call, fiber)
  }

const implementStream =
  (handler: StreamHandler, make: (fields: Fields) => Message, span: SpanOf, fork: Fork) =>
  (call: grpc.ServerWritableStream<Message, Message>): void => {
    const info = callInfo(call)
    const fiber = fork(
      Stream.suspend(() => handler(call.request, info)).pipe(
        Stream.runForEach((fields) => write(call, make(fields))),
        span(info),
        Effect.exit,
        Effect.tap((exit) => logDefects(exit, call.getPath())),
        // grpc-js turns an emitted error into the call's status and ends it.
        Effect.map((exit) => {
          if (Exit.isSuccess(exit)) call.end()
          else call.emit("error", statusOf(exit.cause))
        })
      )
    )
    interruptWhenCancelled(call, fiber)
  }

/** Back-pressure: the next message waits until this one's buffer has drained to the client. */
const write = (call: grpc.ServerWritableStream<Message, Message>, message: Message) =>
  Effect.callback<void>((resume) => {
    if (call.write(message)) {
      resume(Effect.void)
      return
    }
    const drained = () => resume(Effect.void)
    call.once("drain", drained)
    return Effect.sync(() => call.removeListener("drain", drained))
  })

const interruptWhenCancelled = (call: SurfaceCall, fiber: Fiber.Fiber<void>): void => {
  if (call.cancelled) fiber.interruptUnsafe()
  else call.once("cancelled", () => fiber.interruptUnsafe())
}

const logDefects = (exit: Exit.Exit<unknown, GrpcError>, path: string) =>
  Exit.isFailure(exit) && Cause.hasDies(exit.cause)
    ? Effect.logError("gRPC handler failed unexpectedly", exit.cause).pipe(
      Effect.annotateLogs({ component: "grpc_server", operation: path })
    )
    : Effect.void

const statusOf = (cause: Cause.Cause<GrpcError>): Status =>
  Option.match(Cause.findErrorOption(cause), {
    onSome: (error) => ({ code: error.status, details: error.message }),
    onNone: () =>
      Cause.hasInterruptsOnly(cause)
        ? { code: grpc.status.CANCELLED, details: "cancelled" }
        : { code: grpc.status.INTERNAL, details: "internal error" }
  })

const callInfo = (call: SurfaceCall): GrpcCall => ({
  metadata: call.metadata,
  peer: call.getPeer(),
  clientCertificate: clientCertificate(call)
})

const clientCertificate = (call: SurfaceCall): Option.Option<ClientCertificate> =>
  Option.fromUndefinedOr(call.getAuthContext().sslPeerCertificate).pipe(
    // Node answers an empty object where the client sent none.
    Option.filter((certificate) => typeof certificate.fingerprint256 === "string"),
    Option.map((certificate) => ({
      commonName: [certificate.subject.CN].flat().join(","),
      alternativeNames: (certificate.subjectaltname ?? "").split(/,\s*/)
        .flatMap((name) => /^(?:DNS|URI):(.+)$/.exec(name)?.slice(1) ?? []),
      fingerprint: certificate.fingerprint256
    }))
  )

const untracedSpan: SpanOf = () => (effect) => effect

const serverSpan = (service: DescService, method: GrpcMethod): SpanOf => (call) => (effect) => {
  const parent = parentSpan(call.metadata)
  return effect.pipe(
    recordStatus,
    Effect.withSpan(`${service.typeName}/${method.name}`, {
      kind: "server",
      attributes: { ...rpcAttributes(service, method), "network.peer.address": call.peer },
      ...(Option.isSome(parent) ? { parent: parent.value } : { root: true })
    }, { captureStackTrace: false })
  )
}

const parentSpan = (metadata: grpc.Metadata): Option.Option<Tracer.ExternalSpan> =>
  HttpTraceContext.w3c(Headers.fromInput(
    ["traceparent", "tracestate"].flatMap((name) => metadata.get(name).map((value): [string, string] => [name, String(value)]))
  ))

const bind = (server: grpc.Server, credentials: grpc.ServerCredentials, host: string, port: number) =>
  Effect.callback<number, GrpcBindError>((resume) => {
    const authority = host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`
    server.bindAsync(authority, credentials, (error, bound) =>
      resume(error === null ? Effect.succeed(bound) : Effect.fail(bindError(error, host, port))))
  })

const bindError = (cause: Error, host: string, port: number): GrpcBindError => {
  const fail = (reason: GrpcBindError["reason"], message: string) => new GrpcBindError({ reason, host, port, message, cause })
  if (cause.message.includes("EADDRINUSE")) {
    return fail("AddressInUse", `gRPC port ${port} on ${host} is taken by another process; set GRPC_PORT to a free one`)
  }
  if (cause.message.includes("EACCES")) {
    return fail("PermissionDenied", `no permission to listen on gRPC port ${port}; set GRPC_PORT above 1023`)
  }
  if (cause.message.includes("EADDRNOTAVAIL") || cause.message.includes("ENOTFOUND")) {
    return fail("AddressNotAvailable", `${host} is not an address of this machine; set GRPC_HOST to one`)
  }
  return fail("Other", `cannot serve gRPC on ${host}:${port}: ${cause.message}`)
}

const stop = (server: grpc.Server, limit: Duration.Input) =>
  Effect.callback<void>((resume) => server.tryShutdown(() => resume(Effect.void))).pipe(
    Effect.timeoutOption(limit),
    Effect.andThen(Effect.sync(() => server.forceShutdown())),
    Effect.asVoid
  )
