/**
 * A worker as a stranger would write it from worker.proto alone: plain grpc-js and protobuf messages, protocol 1. It names no
 * protocol and no attempt, answers no pings and knows none of the project's codecs; numbers are those of the proto's enums.
 */
import {
  create, type DescMessage, type DescMethodUnary, fromBinary, type MessageInitShape, type MessageShape, toBinary
} from "@bufbuild/protobuf"
import { APIWorkerService } from "@englog/rpc/grpc/APIWorkerService"
import * as grpc from "@grpc/grpc-js"
import { Data, Deferred, Effect, Queue, Scope } from "effect"

export const INSIGHT_GENERATION = 1
export const WEEKLY_REPORT = 2
export const COMPLETED = 3
export const FAILED = 4
export const CANCELLED = 5

/** A gRPC status that is not OK, by its name. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly code: string
  readonly details: string
  /** Milliseconds after which to try again, where the server says so. */
  readonly retryAfter?: number
}> {}

const { method } = APIWorkerService
export type ContractTask = MessageShape<typeof method.streamTasks.output>
export type Registration = MessageInitShape<typeof method.registerWorker.input>
export type Result = Omit<MessageInitShape<typeof method.reportTaskResult.input>, "$typeName" | "$unknown">

/** The contract's methods on a channel of their own, which closes with the scope. */
export const connect = Effect.fnUntraced(function*(address: string, credentials = grpc.credentials.createInsecure()) {
  const channel = yield* Effect.acquireRelease(
    Effect.sync(() => new grpc.Client(address, credentials, { "grpc.use_local_subchannel_pool": 1 })),
    (client) => Effect.sync(() => client.close())
  )
  return {
    register: unary(channel, method.registerWorker),
    heartbeat: unary(channel, method.workerHeartbeat),
    report: unary(channel, method.reportTaskResult),
    progress: unary(channel, method.updateTaskProgress),
    health: unary(channel, method.healthCheck),
    data: unary(channel, method.getTaskData),
    leave: unary(channel, method.leaveSession),
    stream: openStream(channel)
  }
})

export type Calls = Effect.Success<ReturnType<typeof connect>>

export interface TaskStream {
  /** What was delivered and not taken yet, oldest first. */
  readonly delivered: Queue.Queue<ContractTask>
  /** The next task; fails where none comes within five seconds. */
  readonly next: Effect.Effect<ContractTask>
  /** The status with which the stream ended. */
  readonly end: Effect.Effect<string>
  /** Cuts the stream as a broken connection would. */
  readonly cut: Effect.Effect<void>
  /** Reads nothing any more, though the stream stays open. */
  readonly pause: Effect.Effect<void>
}

/** Registers and opens the task stream; both end with the scope. */
export const join = Effect.fnUntraced(function*(
  address: string,
  registration: Registration & { readonly workerId: string },
  credentials?: grpc.ChannelCredentials
) {
  const calls = yield* connect(address, credentials)
  const { sessionToken } = yield* calls.register(registration)
  const proof = { workerId: registration.workerId, sessionToken }
  const stream = yield* calls.stream(proof)
  return {
    ...stream,
    calls,
    proof,
    token: sessionToken,
    workerId: registration.workerId,
    beat: calls.heartbeat(proof),
    reopen: calls.stream(proof),
    report: (taskId: string, result: Result) => calls.report({ ...proof, taskId, ...result }),
    progress: (taskId: string, progress: number, message = "") => calls.progress({ ...proof, taskId, progress, message }),
    data: (taskId: string) => Effect.map(calls.data({ ...proof, taskId }), ({ data }) => data),
    leave: Effect.suspend(() => calls.leave({ ...proof, reason: "going home" }))
  }
})

export type ContractWorker = Effect.Success<ReturnType<typeof join>>

/** The status code by which a call was refused; fails where it was not. */
export const refusal = <A>(call: Effect.Effect<A, Refused>) => Effect.map(Effect.flip(call), ({ code }) => code)

const pathOf = (name: string) => `/${APIWorkerService.typeName}/${name}`

const refused = (error: { readonly code: number; readonly details: string; readonly metadata?: grpc.Metadata }) => {
  const [hint] = error.metadata?.get("grpc-retry-pushback-ms") ?? []
  return new Refused({
    code: grpc.status[error.code] ?? String(error.code),
    details: error.details,
    ...(hint === undefined ? {} : { retryAfter: Number(hint) })
  })
}

const unary = <I extends DescMessage, O extends DescMessage>(channel: grpc.Client, { input, name, output }: DescMethodUnary<I, O>) =>
(fields: MessageInitShape<I>): Effect.Effect<MessageShape<O>, Refused> =>
  Effect.callback((resume) => {
    const call = channel.makeUnaryRequest(
      pathOf(name),
      (message: MessageShape<I>) => Buffer.from(toBinary(input, message)),
      (bytes) => fromBinary(output, bytes),
      create(input, fields),
      new grpc.Metadata(),
      { deadline: Date.now() + 10_000 },
      (error, message) => resume(error !== null || message === undefined ? Effect.fail(refused(error ?? { code: 2, details: "no answer" })) : Effect.succeed(message))
    )
    return Effect.sync(() => call.cancel())
  })

const openStream = (channel: grpc.Client) =>
  Effect.fnUntraced(function*(fields: MessageInitShape<typeof method.streamTasks.input>): Effect.fn.Return<TaskStream, never, Scope.Scope> {
    const { input, name, output } = method.streamTasks
    const delivered = yield* Queue.unbounded<ContractTask>()
    const end = yield* Deferred.make<string>()
    const call = yield* Effect.acquireRelease(
      Effect.sync(() =>
        channel.makeServerStreamRequest(
          pathOf(name),
          (message: MessageShape<typeof input>) => Buffer.from(toBinary(input, message)),
          (bytes) => fromBinary(output, bytes),
          create(input, fields)
        )
      ),
      (call) => Effect.sync(() => call.cancel())
    )
    call.on("data", (task: ContractTask) => Queue.offerUnsafe(delivered, task))
    call.on("error", (error: grpc.ServiceError) => Deferred.doneUnsafe(end, Effect.succeed(refused(error).code)))
    call.on("end", () => Deferred.doneUnsafe(end, Effect.succeed("OK")))
    return {
      delivered,
      next: Effect.orDie(Effect.timeout(Queue.take(delivered), "5 seconds")),
      end: Effect.orDie(Effect.timeout(Deferred.await(end), "10 seconds")),
      cut: Effect.sync(() => call.cancel()),
      pause: Effect.sync(() => void call.pause())
    }
  })
