/**
 * A network without sockets: workers' calls reach the gateway's handlers as bytes of the wire contract, late, cut off, in one
 * direction only, or twice. Streams keep their order, unary calls overtake each other. Whatever it decides comes from the
 * simulation's seed.
 */
import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf"
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import type { GrpcClient } from "@englog/rpc/grpc/GrpcClient"
import { GrpcError } from "@englog/rpc/grpc/GrpcError"
import {
  type DuplexCall,
  type DuplexHandler,
  type Fields,
  type GrpcCall,
  handlerOfDuplex,
  handlerOfUnary,
  type Handlers,
  type StreamCall,
  typedCalls,
  type UnaryCall,
  type UnaryHandler
} from "@englog/rpc/grpc/GrpcMethods"
import { Metadata } from "@grpc/grpc-js"
import { Cause, Clock, Deferred, Effect, Fiber, Latch, Option, Queue, Random, Schema, type Scope, Stream } from "effect"

type Service = typeof APIWorkerService

/** A server that listens: its handlers run in its scope, and end with it. */
interface Listener {
  readonly handlers: Handlers<Service>
  readonly scope: Scope.Scope
  /** Not that of the worker whose call it answers. */
  readonly clock: Clock.Clock
}

/** What a connection lets through. A gate that is shut holds whatever comes until it opens. */
export interface Connection {
  readonly worker: string
  readonly address: string
  readonly up: Latch.Latch
  readonly down: Latch.Latch
  /** Of the session's stream alone: everything else goes on. */
  readonly streamDown: Latch.Latch
  /** Known to the worker. */
  readonly broken: Deferred.Deferred<never, GrpcError>
  /** Known to the server. */
  readonly gone: Deferred.Deferred<never, GrpcError>
}

/** A worker was sent something that it had to acknowledge, and did not get it. */
export interface Deafness {
  readonly worker: string
  readonly from: number
  to: number
}

/** Milliseconds on the way, in each direction. */
const LATENCY = 4
const LATE = 400
/** A unary call comes twice, or late, once in so many times. */
const RARELY = 10

const unavailable = (message: string) => new GrpcError({ code: "UNAVAILABLE", message })

export class Network {
  readonly #listeners = new Map<string, Listener>()
  readonly connections = new Set<Connection>()
  readonly deafness: Array<Deafness> = []
  /** Attempts that a server sent to a worker, as `task attempt`. */
  readonly sent = new Set<string>()
  readonly #scope: Scope.Scope

  /** What is still on its way when nobody waits for it any more ends with the scope. */
  constructor(scope: Scope.Scope) {
    this.#scope = scope
  }

  /** Until the scope ends. */
  readonly listen = (address: string, handlers: Handlers<Service>) =>
    Effect.gen({ self: this }, function*() {
      const scope = yield* Effect.scope
      const listener = { handlers, scope, clock: yield* Clock.Clock }
      yield* Effect.acquireRelease(
        Effect.sync(() => void this.#listeners.set(address, listener)),
        () => Effect.andThen(Effect.sync(() => this.#forget(address, listener)), this.cut((one) => one.address === address))
      )
    })

  #forget(address: string, listener: Listener): void {
    if (this.#listeners.get(address) === listener) this.#listeners.delete(address)
  }

  /** The server is gone without a word; what it had accepted is cut off. */
  readonly vanish = (address: string) =>
    Effect.andThen(Effect.sync(() => this.#listeners.delete(address)), this.cut((one) => one.address === address))

  readonly cut = (which: (connection: Connection) => boolean) =>
    Effect.forEach([...this.connections].filter(which), (connection) => {
      this.connections.delete(connection)
      const error = unavailable("the connection broke")
      return Effect.andThen(Deferred.fail(connection.broken, error), Deferred.fail(connection.gone, error))
    }, { discard: true })

  /** How one worker reaches addresses, for as long as it has a network at all. */
  readonly dial = (worker: string, plugged: () => boolean) => ({ address }: { readonly address: string }) =>
    Effect.gen({ self: this }, function*() {
      const connection: Connection = {
        worker,
        address,
        up: Latch.makeUnsafe(true),
        down: Latch.makeUnsafe(true),
        streamDown: Latch.makeUnsafe(true),
        broken: Deferred.makeUnsafe(),
        gone: Deferred.makeUnsafe()
      }
      const client: GrpcClient<Service> = {
        address,
        connect: () =>
          Effect.andThen(
            onTheWay,
            Effect.suspend(() => {
              if (!plugged() || !this.#listeners.has(address)) return Effect.fail(unavailable(`nobody listens at ${address}`))
              this.connections.add(connection)
              return Effect.void
            })
          ),
        calls: this.#calls(connection),
        disconnected: Effect.ignore(Deferred.await(connection.broken))
      }
      // The server learns of it once word gets through.
      const closed = Effect.andThen(connection.up.await, this.cut((one) => one === connection))
      yield* Effect.addFinalizer(() =>
        Effect.andThen(Deferred.fail(connection.broken, unavailable("closed")), Effect.forkIn(Effect.asVoid(closed), this.#scope)))
      return client
    })

  #calls(connection: Connection) {
    const calls: Record<string, UnaryCall | StreamCall | DuplexCall> = {}
    for (const method of APIWorkerService.methods) {
      const name = method.localName
      const listener = Effect.suspend(() => {
        const found = this.#listeners.get(connection.address)
        return found === undefined ? Effect.fail(unavailable("the server is gone")) : Effect.succeed(found)
      })
      const unlessBroken = <A>(call: Effect.Effect<A, GrpcError>) => Effect.raceFirst(call, Deferred.await(connection.broken))
      if (method.methodKind === "bidi_streaming") {
        const call: DuplexCall = (requests) =>
          Stream.unwrap(Effect.map(listener, (to) =>
            duplex(connection, to, this, handlerOfDuplex(to.handlers, name), method, requests)))
        calls[name] = call
      } else if (method.methodKind === "unary") {
        const call: UnaryCall = (fields, options) =>
          unlessBroken(Effect.flatMap(listener, (to) => unary(connection, to, handlerOfUnary(to.handlers, name), method, fields))).pipe(
            Effect.timeoutOrElse({
              duration: options?.timeout ?? "1 hour",
              orElse: () => Effect.fail(new GrpcError({ code: "DEADLINE_EXCEEDED", message: `${name} took too long` }))
            })
          )
        calls[name] = call
      }
    }
    return typedCalls(APIWorkerService, calls)
  }
}

const callOf = (connection: Connection): GrpcCall => ({
  metadata: new Metadata(),
  peer: `${connection.worker}:1`,
  clientCertificate: Option.none()
})

interface Shapes {
  readonly input: DescMessage
  readonly output: DescMessage
}

/** Nothing but bytes passes. */
const asSent = (message: DescMessage, fields: Fields): Message => fromBinary(message, toBinary(message, create(message, fields)))

const onTheWay = Effect.flatMap(Random.next, (random) => Effect.sleep(Math.ceil(random * LATENCY)))

const strayed = Effect.gen(function*() {
  const late = (yield* Random.next) * RARELY < 1
  yield* Effect.sleep(Math.ceil((yield* Random.next) * (late ? LATE : LATENCY)))
})

/** The server's work goes on when the caller gives up. */
const unary = Effect.fnUntraced(function*(connection: Connection, to: Listener, handler: UnaryHandler, shapes: Shapes, fields: Fields) {
  const request = asSent(shapes.input, fields)
  const arrive = Effect.andThen(strayed, Effect.andThen(connection.up.await, Effect.suspend(() => handler(request, callOf(connection))))).pipe(
    Effect.provideService(Clock.Clock, to.clock)
  )
  const answered = yield* Deferred.make<Fields, GrpcError>()
  yield* Effect.forkIn(Deferred.into(arrive, answered), to.scope)
  if ((yield* Random.next) * RARELY < 1) yield* Effect.forkIn(Effect.ignore(arrive), to.scope)
  // Of a server that is gone nothing is heard but that.
  const answer = yield* Effect.catchCauseIf(Deferred.await(answered), Cause.hasInterruptsOnly, () => Effect.fail(unavailable("the server is gone")))
  yield* strayed
  yield* connection.down.await
  return asSent(shapes.output, answer)
})

/** Messages that fit on the way in one direction. */
const CAPACITY = 16

const duplex = (
  connection: Connection,
  to: Listener,
  { deafness, sent }: Pick<Network, "deafness" | "sent">,
  handler: DuplexHandler,
  shapes: Shapes,
  requests: Stream.Stream<Fields>
): Stream.Stream<Message, GrpcError> =>
  Stream.unwrap(Effect.gen(function*() {
    const up = yield* Queue.bounded<Message, GrpcError>(CAPACITY)
    const down = yield* Queue.bounded<Message, GrpcError>(CAPACITY)
    const carryUp = Stream.runForEach(requests, (fields) =>
      Effect.andThen(onTheWay, Effect.andThen(connection.up.await, Queue.offer(up, asSent(shapes.input, fields)))))
    const through = (fields: Fields) =>
      Effect.andThen(Effect.sync(() => attemptsIn(fields).forEach((attempt) => sent.add(attempt))), onTheWay).pipe(
        Effect.andThen(isToBeAcknowledged(fields) ? heard(connection, deafness) : Effect.void),
        Effect.andThen(connection.down.await),
        Effect.andThen(connection.streamDown.await)
      )
    const carryDown = Stream.runForEach(handler(Stream.fromQueue(up), callOf(connection)), (fields) =>
      Effect.andThen(through(fields), Queue.offer(down, asSent(shapes.output, fields)))).pipe(
        Effect.andThen(Effect.fail(unavailable("the stream ended"))),
        Effect.raceFirst(Deferred.await(connection.gone)),
        Effect.catch((error) => Effect.andThen(through({}), Queue.fail(down, error))),
        Effect.asVoid,
        Effect.provideService(Clock.Clock, to.clock)
      )
    const serving = yield* Effect.forkIn(carryDown, to.scope)
    yield* Effect.forkScoped(carryUp)
    yield* Effect.forkScoped(Effect.catch(Deferred.await(connection.broken), (error) => Queue.fail(down, error)))
    yield* Effect.addFinalizer(() => Effect.forkIn(Effect.andThen(connection.up.await, Fiber.interrupt(serving)), to.scope))
    return Stream.fromQueue(down)
  }))

const isPing = Schema.is(Schema.Struct({ command: Schema.Struct({ case: Schema.Literal("ping") }) }))

const isTask = Schema.is(Schema.Struct({ taskId: Schema.String, attempt: Schema.Finite }))
const attemptsIn = ({ tasks }: Fields): ReadonlyArray<string> =>
  Array.isArray(tasks) ? tasks.filter(isTask).map(({ attempt, taskId }) => `${taskId} ${attempt}`) : []

/** Tasks and pings; other commands are not waited for. */
const isToBeAcknowledged = ({ commands, tasks }: Fields): boolean =>
  Array.isArray(tasks) && tasks.length > 0 || Array.isArray(commands) && commands.some(isPing)

/** Notes for how long something waits to be heard. */
const heard = Effect.fnUntraced(function*(connection: Connection, deafness: Array<Deafness>) {
  if (connection.down.isOpen() && connection.streamDown.isOpen()) return
  const one: Deafness = { worker: connection.worker, from: yield* Clock.currentTimeMillis, to: Infinity }
  deafness.push(one)
  yield* Effect.andThen(connection.down.await, connection.streamDown.await).pipe(
    Effect.raceFirst(Effect.ignore(Deferred.await(connection.gone))),
    Effect.ensuring(Effect.map(Clock.currentTimeMillis, (now) => void (one.to = now)))
  )
})
