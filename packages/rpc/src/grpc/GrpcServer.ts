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
  Result,
  type Scope,
  Stream,
  type Tracer
} from "effect"
import * as Headers from "effect/http/Headers"
import * as HttpTraceContext from "effect/http/HttpTraceContext"
import { codeOfStatus, type GrpcCode, GrpcError, isServiceError, RETRY_TRAILER } from "./GrpcError.ts"
import {
  type CallObserver,
  type ClientCertificate,
  type Fields,
  type GrpcCall,
  type GrpcMethod,
  type DuplexHandler,
  handlerOfDuplex,
  handlerOfStream,
  handlerOfUnary,
  type Handlers,
  messageCodec,
  methodPath,
  observed,
  recordStatus,
  rpcAttributes,
  type StreamHandler,
  type UnaryHandler
} from "./GrpcMethods.ts"
import { pullFrom, write } from "./MessagePipes.ts"
import * as GrpcListener from "./GrpcListener.ts"
import { type Received, receive } from "./ReceivedMessage.ts"
import { MAX_ANSWER_BYTES, MAX_MESSAGE_BYTES } from "./WireLimits.ts"
import { type GrpcTlsError, serverTls, type TlsFiles } from "./GrpcTls.ts"

export interface GrpcServerOptions<S extends DescService> {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly tls: TlsFiles
  /** How long a stop waits for running calls before it cuts them. Default 3 s. */
  readonly stopLimit?: Duration.Input
  /** Methods that make no span of their own: those called every few seconds, and streams that live for hours. */
  readonly untraced?: ReadonlyArray<keyof S["method"] & string>
  readonly observe?: CallObserver
}

// What goes wrong is told by typed errors and our own log; grpc-js would print it to stderr as well, without a word of context.
grpc.setLogVerbosity(grpc.logVerbosity.NONE)

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
  GrpcListener.GrpcBindError | GrpcTlsError,
  Scope.Scope | FileSystem.FileSystem
> {
  const tls = yield* serverTls(options.tls)
  const listener = yield* GrpcListener.make({ host: options.host, port: options.port, tls })
  const mutual = Option.isSome(Option.flatMap(tls, ({ clientCa }) => clientCa))
  const calls = yield* FiberSet.make<void>()
  const fork = yield* FiberSet.runtime(calls)()
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => new grpc.Server(serverOptions)),
    (running) => stop(running, options.stopLimit ?? Duration.seconds(3))
  )
  const implementation: Record<string, grpc.UntypedHandleCall> = {}
  const definition: Record<string, grpc.MethodDefinition<Received, Message>> = {}
  const door: Door = { listener, mutual, fork }
  for (const method of service.methods) {
    const input = messageCodec(method.input)
    const output = messageCodec(method.output)
    const traced = !(options.untraced ?? []).some((name) => name === method.localName)
    const span = traced ? serverSpan(service, method) : untracedSpan
    const observe = observed(method, options.observe)
    definition[method.localName] = {
      path: methodPath(service, method),
      requestStream: method.methodKind === "bidi_streaming",
      responseStream: method.methodKind !== "unary",
      // Part of the type, but only clients send requests.
      requestSerialize: (request) => input.serialize(Result.getOrThrow(request)),
      requestDeserialize: receive(method.input),
      responseSerialize: output.serialize,
      responseDeserialize: output.deserialize
    }
    implementation[method.localName] = method.methodKind === "bidi_streaming"
      ? implementDuplex(handlerOfDuplex(handlers, method.localName), output.make, span, door)
      : method.methodKind === "server_streaming"
      ? implementStream(handlerOfStream(handlers, method.localName), output.make, span, door)
      : implementUnary(handlerOfUnary(handlers, method.localName), output.make, (call) => (effect) => observe(span(call)(effect)), door)
  }
  server.addService(definition, implementation)
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure())
  const port = yield* listener.listen((socket) => injector.injectConnection(socket))
  return { host: options.host, port }
})

/** Seed 001's link: keepalive notices a silent peer after 4 + 3 s. */
const serverOptions: grpc.ServerOptions = {
  "grpc.keepalive_time_ms": 4_000,
  "grpc.keepalive_timeout_ms": 3_000,
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
  "grpc.max_send_message_length": MAX_ANSWER_BYTES,
  // Calls of one connection at a time; a client waits with what is beyond.
  "grpc.max_concurrent_streams": 256
}

/** What every call passes. */
interface Door {
  readonly listener: GrpcListener.GrpcListener
  /** Every client has to show a certificate. */
  readonly mutual: boolean
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
}

/** The message of a call that may be made at all, or why not. */
const enter = (door: Door, call: Pick<grpc.ServerUnaryCall<Received, Message>, "request">, info: GrpcCall): Received =>
  Result.flatMap(admit(door, info), () => call.request)

const admit = ({ listener, mutual }: Door, info: GrpcCall): Result.Result<void, GrpcError> => {
  const verdict = listener.verdict(info.peer) ??
    (mutual && Option.isNone(info.clientCertificate) ? "this server demands a client certificate" : undefined)
  return verdict === undefined ? Result.void : Result.fail(new GrpcError({ code: "UNAUTHENTICATED", message: verdict }))
}

/** A refusal for the caller's own fault counts against its address. */
const strike = ({ listener }: Door, info: GrpcCall) => (exit: Exit.Exit<unknown, GrpcError>) =>
  Option.match(Exit.isFailure(exit) ? Cause.findErrorOption(exit.cause) : Option.none(), {
    onNone: () => Effect.void,
    onSome: ({ code }) => OWN_FAULT.has(code) ? listener.strike(info.peer) : Effect.void
  })

const OWN_FAULT: ReadonlySet<GrpcCode> = new Set([
  "INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ALREADY_EXISTS", "NOT_FOUND"
])

type SpanOf = (call: GrpcCall) => <A>(effect: Effect.Effect<A, GrpcError>) => Effect.Effect<A, GrpcError>
type Status = Partial<grpc.StatusObject>
/** What all kinds of calls share; grpc-js does not export its own name for it. */
interface SurfaceCall {
  readonly cancelled: boolean
  readonly metadata: grpc.Metadata
  readonly getPeer: () => string
  readonly getPath: () => string
  readonly getAuthContext: grpc.ServerUnaryCall<Received, Message>["getAuthContext"]
  readonly once: (event: "cancelled" | "drain", listener: () => void) => unknown
}

interface AnswerStream extends SurfaceCall {
  readonly write: (message: Message) => boolean
  readonly removeListener: (event: "drain", listener: () => void) => unknown
  readonly end: () => unknown
  readonly emit: (event: "error", status: Status) => boolean
}

const implementUnary =
  (handler: UnaryHandler, make: (fields: Fields) => Message, span: SpanOf, door: Door) =>
  (call: grpc.ServerUnaryCall<Received, Message>, answer: grpc.sendUnaryData<Message>): void => {
    const info = callInfo(call)
    const fiber = door.fork(
      Effect.flatMap(Effect.fromResult(enter(door, call, info)), (request) => handler(request, info)).pipe(
        Effect.map(make),
        span(info),
        Effect.exit,
        Effect.tap((exit) => logDefects(exit, call.getPath())),
        Effect.tap(strike(door, info)),
        Effect.map((exit) => Exit.isSuccess(exit) ? answer(null, exit.value) : answer(statusOf(exit.cause)))
      )
    )
    interruptWhenCancelled(call, fiber)
  }

const implementStream =
  (handler: StreamHandler, make: (fields: Fields) => Message, span: SpanOf, door: Door) =>
  (call: grpc.ServerWritableStream<Received, Message>): void => {
    const info = callInfo(call)
    const answers = Stream.unwrap(Effect.map(Effect.fromResult(enter(door, call, info)), (request) => handler(request, info)))
    runStream(call, answers, make, span, door, info)
  }

const implementDuplex =
  (handler: DuplexHandler, make: (fields: Fields) => Message, span: SpanOf, door: Door) =>
  (call: grpc.ServerDuplexStream<Received, Message>): void => {
    const info = callInfo(call)
    const requests = Stream.fromPull(Effect.sync(() => pullFrom<Received, GrpcError>(call, unreadable))).pipe(
      Stream.mapEffect((received) => Effect.fromResult(received))
    )
    const answers = Stream.unwrap(Effect.map(Effect.fromResult(admit(door, info)), () => handler(requests, info)))
    runStream(call, answers, make, span, door, info)
  }

/** Too large a message, for example; grpc-js gives the status it would answer. */
const unreadable = (error: Error): GrpcError =>
  isServiceError(error)
    ? new GrpcError({ code: codeOfStatus(error.code), message: error.details, cause: error })
    : new GrpcError({ code: "CANCELLED", message: "the stream broke", cause: error })

const runStream = (
  call: AnswerStream,
  answers: Stream.Stream<Fields, GrpcError>,
  make: (fields: Fields) => Message,
  span: SpanOf,
  door: Door,
  info: GrpcCall
): void => {
  const fiber = door.fork(
    Stream.runForEach(answers, (fields) => write(call, make(fields))).pipe(
      span(info),
      Effect.exit,
      Effect.tap((exit) => logDefects(exit, call.getPath())),
      Effect.tap(strike(door, info)),
      // grpc-js turns an emitted error into the call's status and ends it.
      Effect.map((exit) => {
        if (Exit.isSuccess(exit)) call.end()
        else call.emit("error", statusOf(exit.cause))
      })
    )
  )
  interruptWhenCancelled(call, fiber)
}

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
    onSome: (error) => ({ code: error.status, details: error.message, ...trailers(error) }),
    onNone: () =>
      Cause.hasInterruptsOnly(cause)
        ? { code: grpc.status.CANCELLED, details: "cancelled" }
        : { code: grpc.status.INTERNAL, details: "internal error" }
  })

const trailers = ({ retry_after }: GrpcError): Status => {
  if (retry_after === undefined) return {}
  const metadata = new grpc.Metadata()
  metadata.set(RETRY_TRAILER, String(retry_after))
  return { metadata }
}

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
      commonName: typeof certificate.subject?.CN === "string" ? certificate.subject.CN : "",
      alternativeNames: alternativeNames(certificate.subjectaltname ?? ""),
      fingerprint: certificate.fingerprint256
    }))
  )

/** Node quotes a name that could be taken for several; no name of ours needs that, so such names count for nothing. */
const alternativeNames = (listed: string): ReadonlyArray<string> =>
  listed.replace(/"(?:[^"\\]|\\.)*"/g, "").split(", ").flatMap((name) => /^(?:DNS|URI):(.+)$/.exec(name)?.slice(1) ?? [])

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

const stop = (server: grpc.Server, limit: Duration.Input) =>
  Effect.callback<void>((resume) => server.tryShutdown(() => resume(Effect.void))).pipe(
    Effect.timeoutOption(limit),
    Effect.andThen(Effect.sync(() => server.forceShutdown())),
    Effect.asVoid
  )
