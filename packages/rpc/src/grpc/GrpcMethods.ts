/**
 * Types and codecs of a protobuf-es service, and the one place where the type system has to be told something.
 *
 * A descriptor lists its methods as data, so a loop over them cannot know the message types of each name. `handlerOf…`
 * and `typedCalls` state that connection; every other file of the adapter stays fully typed.
 */
import {
  create,
  type DescMessage,
  type DescMethodBiDiStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary
} from "@bufbuild/protobuf"
import type * as grpc from "@grpc/grpc-js"
import { Cause, Clock, type Duration, Effect, Exit, Option, type Stream } from "effect"
import type { GrpcError } from "./GrpcError.ts"

/** What a handler may know about the call beside the message. */
export interface GrpcCall {
  readonly metadata: grpc.Metadata
  /** Address and port of the other side, e.g. `127.0.0.1:40312`. */
  readonly peer: string
  /** The verified client certificate; present only under mutual TLS. */
  readonly clientCertificate: Option.Option<ClientCertificate>
}

export interface ClientCertificate {
  /** Empty where it has none, or several. */
  readonly commonName: string
  /** DNS and URI names among the subject's alternative names. */
  readonly alternativeNames: ReadonlyArray<string>
  /** SHA-256, colon-separated hexadecimal. */
  readonly fingerprint: string
}

/**
 * One handler per method: an Effect for unary methods, a Stream for server-streaming ones, from a Stream to a Stream where both
 * sides stream. Services come by closure.
 */
export type Handlers<S extends DescService> = {
  readonly [K in keyof S["method"]]: S["method"][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, call: GrpcCall) => Effect.Effect<MessageInitShape<O>, GrpcError>
    : S["method"][K] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, call: GrpcCall) => Stream.Stream<MessageInitShape<O>, GrpcError>
    : S["method"][K] extends DescMethodBiDiStreaming<infer I, infer O>
      ? (requests: Stream.Stream<MessageShape<I>, GrpcError>, call: GrpcCall) => Stream.Stream<MessageInitShape<O>, GrpcError>
    : never
}

export interface GrpcCallOptions {
  /** After this the call fails with DEADLINE_EXCEEDED on both sides. None: no limit. */
  readonly timeout?: Duration.Input
  readonly metadata?: Readonly<Record<string, string>>
}

/** One function per method. Interrupting the Effect, or leaving the Stream, cancels the call on the server. */
export type Calls<S extends DescService> = {
  readonly [K in keyof S["method"]]: S["method"][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: GrpcCallOptions) => Effect.Effect<MessageShape<O>, GrpcError>
    : S["method"][K] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: GrpcCallOptions) => Stream.Stream<MessageShape<O>, GrpcError>
    : S["method"][K] extends DescMethodBiDiStreaming<infer I, infer O>
      ? (requests: Stream.Stream<MessageInitShape<I>>, options?: GrpcCallOptions) => Stream.Stream<MessageShape<O>, GrpcError>
    : never
}

/** A method's message before its type is known: the fields, by their names in TypeScript. */
export type Fields = Record<string, unknown>

export type UnaryHandler = (request: Message, call: GrpcCall) => Effect.Effect<Fields, GrpcError>
export type StreamHandler = (request: Message, call: GrpcCall) => Stream.Stream<Fields, GrpcError>
export type DuplexHandler = (requests: Stream.Stream<Message, GrpcError>, call: GrpcCall) => Stream.Stream<Fields, GrpcError>
export type UnaryCall = (request: Fields, options?: GrpcCallOptions) => Effect.Effect<Message, GrpcError>
export type StreamCall = (request: Fields, options?: GrpcCallOptions) => Stream.Stream<Message, GrpcError>
export type DuplexCall = (requests: Stream.Stream<Fields>, options?: GrpcCallOptions) => Stream.Stream<Message, GrpcError>

// The overloads below are the cast: `Handlers` and `Calls` derive each entry from the very descriptor the adapter loops
// over, so name, kind and message types agree by construction.
export function handlerOfUnary<S extends DescService>(handlers: Handlers<S>, name: string): UnaryHandler
export function handlerOfUnary(handlers: Record<string, unknown>, name: string): unknown {
  return handlers[name]
}

export function handlerOfStream<S extends DescService>(handlers: Handlers<S>, name: string): StreamHandler
export function handlerOfStream(handlers: Record<string, unknown>, name: string): unknown {
  return handlers[name]
}

export function handlerOfDuplex<S extends DescService>(handlers: Handlers<S>, name: string): DuplexHandler
export function handlerOfDuplex(handlers: Record<string, unknown>, name: string): unknown {
  return handlers[name]
}

export function typedCalls<S extends DescService>(service: S, calls: Record<string, UnaryCall | StreamCall | DuplexCall>): Calls<S>
export function typedCalls(_service: DescService, calls: unknown): unknown {
  return calls
}

export interface MessageCodec {
  readonly make: (fields: Fields) => Message
  readonly serialize: (message: Message) => Buffer
  readonly deserialize: (bytes: Uint8Array) => Message
}

export const messageCodec = (message: DescMessage): MessageCodec => ({
  make: (fields) => create(message, fields),
  serialize: (value) => {
    const bytes = toBinary(message, value)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  },
  deserialize: (bytes) => fromBinary(message, bytes)
})

export type GrpcMethod = DescService["methods"][number]

/** `/package.Service/Method`, the path of the method on the wire. */
export const methodPath = (service: DescService, method: GrpcMethod): string => `/${service.typeName}/${method.name}`

/** Span attributes by the OpenTelemetry conventions for RPC. */
export const rpcAttributes = (service: DescService, method: GrpcMethod) => ({
  "rpc.system.name": "grpc",
  "rpc.method": `${service.typeName}/${method.name}`
})

/** How a unary call ended; `code` is gRPC's name of it, OK or an error's. */
export interface CallEnd {
  readonly method: string
  readonly code: string
  readonly seconds: number
}

/** Called at the end of each unary call. */
export type CallObserver = (end: CallEnd) => Effect.Effect<void>

export const observed = (method: GrpcMethod, observe: CallObserver | undefined) =>
  <A>(call: Effect.Effect<A, GrpcError>): Effect.Effect<A, GrpcError> => {
    if (observe === undefined) return call
    return Effect.flatMap(Clock.monotonicTimeNanos, (began) =>
      Effect.onExit(call, (exit) =>
        Effect.flatMap(Clock.monotonicTimeNanos, (ended) =>
          observe({ method: method.name, code: codeOf(exit), seconds: Number(ended - began) / 1e9 }))))
  }

const codeOf = (exit: Exit.Exit<unknown, GrpcError>): string =>
  Exit.isSuccess(exit)
    ? "OK"
    : Option.match(Cause.findErrorOption(exit.cause), {
      onSome: (error) => error.code,
      onNone: () => Cause.hasInterruptsOnly(exit.cause) ? "CANCELLED" : "INTERNAL"
    })

/** Notes the status of a failed call on its span. */
export const recordStatus = <A>(call: Effect.Effect<A, GrpcError>) =>
  Effect.tapError(call, (error) => Effect.annotateCurrentSpan("rpc.status_code", error.code))
