/**
 * Calls a protobuf-es service through grpc-js: Effects for unary methods, Streams where the server or both sides stream.
 *
 * Interruption cancels the call on the server, `timeout` is a deadline that both sides keep, the current span travels as
 * `traceparent`. A stream is read only as fast as it is consumed (at most 16 messages wait in memory), and
 * written only as fast as the server reads.
 */
import type { DescService, Message } from "@bufbuild/protobuf"
import * as grpc from "@grpc/grpc-js"
import { Clock, Duration, Effect, type FileSystem, Option, type Scope, Stream } from "effect"
import * as HttpTraceContext from "effect/http/HttpTraceContext"
import { fromServiceError, GrpcError, isServiceError } from "./GrpcError.ts"
import {
  type CallObserver,
  type Calls,
  type DuplexCall,
  type Fields,
  type GrpcCallOptions,
  type GrpcMethod,
  messageCodec,
  methodPath,
  observed,
  recordStatus,
  rpcAttributes,
  type StreamCall,
  typedCalls,
  type UnaryCall
} from "./GrpcMethods.ts"
import { pullFrom, write } from "./MessagePipes.ts"
import { explainConnection } from "./ConnectionProblem.ts"
import { channelCredentials, type GrpcTlsError, type TlsFiles } from "./GrpcTls.ts"
import { MAX_ANSWER_BYTES, MAX_MESSAGE_BYTES } from "./WireLimits.ts"

export interface GrpcClientOptions<S extends DescService> {
  /** `host:port`. */
  readonly address: string
  readonly tls: TlsFiles
  /** Methods that make no span of their own and carry no trace: those called every few seconds, and endless streams. */
  readonly untraced?: ReadonlyArray<keyof S["method"] & string>
  readonly observe?: CallObserver
}

export interface GrpcClient<S extends DescService> {
  readonly address: string
  readonly calls: Calls<S>
  /** Connects now instead of at the first call; UNAVAILABLE where that takes longer than `timeout`. */
  readonly connect: (timeout: Duration.Input) => Effect.Effect<void, GrpcError>
  /** Waits until a connection that was made is no more. */
  readonly disconnected: Effect.Effect<void>
}

/** The connection closes with the scope. */
export const make = Effect.fnUntraced(function*<S extends DescService>(
  service: S,
  options: GrpcClientOptions<S>
): Effect.fn.Return<GrpcClient<S>, GrpcTlsError, Scope.Scope | FileSystem.FileSystem> {
  const credentials = yield* channelCredentials(options.tls)
  const channel = yield* Effect.acquireRelease(
    Effect.sync(() => new grpc.Client(options.address, credentials, clientOptions(options.tls))),
    (client) => Effect.sync(() => client.close())
  )
  const calls: Record<string, UnaryCall | StreamCall | DuplexCall> = {}
  for (const method of service.methods) {
    const traced = !(options.untraced ?? []).some((name) => name === method.localName)
    calls[method.localName] = method.methodKind === "bidi_streaming"
      ? duplexCall(channel, service, method, traced)
      : method.methodKind === "server_streaming"
      ? streamCall(channel, service, method, traced)
      : unaryCall(channel, service, method, traced, observed(method, options.observe))
  }
  return {
    address: options.address,
    calls: typedCalls(service, calls),
    connect: (timeout) => connect(channel, options, timeout),
    disconnected: disconnected(channel)
  }
})

/** Limits and keepalive mirror GrpcServer's. An own subchannel pool: a new client is not held back by an old one's back-off. */
const clientOptions = (tls: TlsFiles): grpc.ClientOptions => ({
  "grpc.keepalive_time_ms": 4_000,
  "grpc.keepalive_timeout_ms": 3_000,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.max_receive_message_length": MAX_ANSWER_BYTES,
  "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  "grpc.use_local_subchannel_pool": 1,
  ...Option.match(tls.serverName, {
    onNone: () => ({}),
    onSome: (name) => ({ "grpc.ssl_target_name_override": name, "grpc.default_authority": name })
  })
})

/** Watches the channel instead of waiting for it: grpc-js's own wait does not end when the address refuses. */
const connect = (
  client: grpc.Client,
  { address, tls }: { readonly address: string; readonly tls: TlsFiles },
  timeout: Duration.Input
) => {
  const channel = client.getChannel()
  const wait = (deadline: number): Effect.Effect<void, GrpcError> =>
    Effect.suspend(() => {
      const state = channel.getConnectivityState(true)
      if (state === grpc.connectivityState.READY) return Effect.void
      if (state === grpc.connectivityState.TRANSIENT_FAILURE) return Effect.flatMap(problemOf(client), fail)
      return Effect.callback<void, GrpcError>((resume) =>
        channel.watchConnectivityState(state, deadline, (error) =>
          resume(error === undefined ? wait(deadline) : fail("no answer in time")))
      )
    })
  const fail = (details: string) =>
    Effect.fail(new GrpcError({ code: "UNAVAILABLE", message: explainConnection(address, tls, details) }))
  return Effect.flatMap(Clock.currentTimeMillis, (now) => wait(now + Duration.toMillis(timeout)))
}

const disconnected = (client: grpc.Client): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const channel = client.getChannel()
    if (channel.getConnectivityState(false) !== grpc.connectivityState.READY) return resume(Effect.void)
    return channel.watchConnectivityState(grpc.connectivityState.READY, Infinity, () => resume(Effect.void))
  })

/** What grpc-js knows of a failed connection: it says so only to a call, which fails at once and reaches nobody. */
const problemOf = (client: grpc.Client) =>
  Effect.callback<string>((resume) => {
    const nothing = () => Buffer.alloc(0)
    const call = client.makeUnaryRequest("/", nothing, nothing, undefined, (error) => resume(Effect.succeed(error?.details ?? "")))
    return Effect.sync(() => call.cancel())
  })

const unaryCall = (
  channel: grpc.Client,
  service: DescService,
  method: GrpcMethod,
  traced: boolean,
  observe: ReturnType<typeof observed>
): UnaryCall => {
  const path = methodPath(service, method)
  const input = messageCodec(method.input)
  const output = messageCodec(method.output)
  const send = (fields: Fields, context: CallContext) =>
    Effect.callback<Message, GrpcError>((resume) => {
      const call = channel.makeUnaryRequest(
        path,
        input.serialize,
        output.deserialize,
        input.make(fields),
        context.metadata,
        context.options,
        (error, message) => resume(answerOf(error, message, method))
      )
      return Effect.sync(() => call.cancel())
    })
  return (fields, options) => {
    const call = callContext(traced, options).pipe(Effect.flatMap((context) => send(fields, context)))
    return observe(traced ? call.pipe(recordStatus, Effect.withSpan(...clientSpan(service, method))) : call)
  }
}

const streamCall = (channel: grpc.Client, service: DescService, method: GrpcMethod, traced: boolean): StreamCall => {
  const path = methodPath(service, method)
  const input = messageCodec(method.input)
  const output = messageCodec(method.output)
  const open = (fields: Fields, context: CallContext) =>
    Effect.acquireRelease(
      Effect.sync(() =>
        channel.makeServerStreamRequest(
          path,
          input.serialize,
          output.deserialize,
          input.make(fields),
          context.metadata,
          context.options
        )
      ),
      (call) => Effect.sync(() => call.cancel())
    )
  return (fields, options) => {
    const stream = Stream.fromPull(
      callContext(traced, options).pipe(
        Effect.flatMap((context) => open(fields, context)),
        Effect.map((call) => pullFrom(call, (error) => errorOf(error, method)))
      )
    ).pipe(Stream.scoped)
    const [name, span] = clientSpan(service, method)
    return traced ? stream.pipe(Stream.withSpan(name, span)) : stream
  }
}

const duplexCall = (channel: grpc.Client, service: DescService, method: GrpcMethod, traced: boolean): DuplexCall => {
  const path = methodPath(service, method)
  const input = messageCodec(method.input)
  const output = messageCodec(method.output)
  const open = (context: CallContext) =>
    Effect.acquireRelease(
      Effect.sync(() =>
        channel.makeBidiStreamRequest(path, input.serialize, output.deserialize, context.metadata, context.options)
      ),
      (call) => Effect.sync(() => call.cancel())
    )
  const [name, span] = clientSpan(service, method)
  return (requests, options) => {
    const stream = Stream.fromPull(Effect.gen(function*() {
      const call = yield* Effect.flatMap(callContext(traced, options), open)
      const pull = pullFrom(call, (error) => errorOf(error, method))
      // The end of the requests is the client's half of the stream; whatever the server still says is read.
      yield* Effect.forkScoped(
        Stream.runForEach(requests, (fields) => write(call, input.make(fields))).pipe(Effect.andThen(Effect.sync(() => call.end())))
      )
      return { pull }
    }).pipe(Effect.map(({ pull }) => pull))).pipe(Stream.scoped)
    return traced ? stream.pipe(Stream.withSpan(name, span)) : stream
  }
}

const answerOf = (error: grpc.ServiceError | null, message: Message | undefined, method: GrpcMethod) => {
  if (error !== null) return Effect.fail(fromServiceError(error, method.name))
  return message === undefined
    ? Effect.fail(new GrpcError({ code: "INTERNAL", message: `${method.name}: the server sent no message`, method: method.name }))
    : Effect.succeed(message)
}

const errorOf = (error: Error, method: GrpcMethod): GrpcError =>
  isServiceError(error)
    ? fromServiceError(error, method.name)
    : new GrpcError({ code: "UNKNOWN", message: error.message, method: method.name, cause: error })

interface CallContext {
  readonly metadata: grpc.Metadata
  readonly options: grpc.CallOptions
}

const callContext = Effect.fnUntraced(function*(traced: boolean, options: GrpcCallOptions | undefined) {
  const metadata = new grpc.Metadata()
  for (const [name, value] of Object.entries(options?.metadata ?? {})) metadata.set(name, value)
  const span = traced ? yield* Effect.option(Effect.currentSpan) : Option.none()
  if (Option.isSome(span)) {
    const { traceparent } = HttpTraceContext.toHeaders(span.value)
    if (traceparent !== undefined) metadata.set("traceparent", traceparent)
  }
  const now = yield* Clock.currentTimeMillis
  const context: CallContext = {
    metadata,
    options: options?.timeout === undefined
      ? {}
      : { deadline: now + Duration.toMillis(Duration.fromInputUnsafe(options.timeout)) }
  }
  return context
})

const clientSpan = (service: DescService, method: GrpcMethod) =>
  [
    `${service.typeName}/${method.name}`,
    { kind: "client", attributes: rpcAttributes(service, method) },
    { captureStackTrace: false }
  ] as const
