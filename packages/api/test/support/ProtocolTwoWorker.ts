/**
 * A protocol 2 worker over the project's own gRPC client and codec, which does by default what the contract asks of it:
 * it acknowledges pings, names what it holds, and notes commands. Each duty can be neglected.
 */
import type { TaskId } from "@englog/domain/Ids"
import type { GrpcError } from "@englog/rpc/grpc/GrpcError"
import * as HeartbeatCodec from "@englog/rpc/grpc/HeartbeatCodec"
import * as ReportCodec from "@englog/rpc/grpc/ReportCodec"
import * as TaskStreamCodec from "@englog/rpc/grpc/TaskStreamCodec"
import type { AttemptOutcome, HeldTask, ToWorker, WorkerStatus, WorkerTask } from "@englog/rpc/grpc/WorkerMessages"
import { Effect, Fiber, Option, Queue, Ref, Result, Stream } from "effect"
import { register, type RegistrationOptions, soon } from "./RegisteredWorker.ts"

export interface WorkerOptions extends RegistrationOptions {
  /** False: a worker that does not hear the server's pings. */
  readonly acknowledges?: boolean
  /** False: tasks and commands never reach it, though its stream is open and it acknowledges pings. */
  readonly receives?: boolean
  /** False: it registers, and is not heard of again. */
  readonly opens?: boolean
}

/** Registers, opens its stream and serves it until the scope ends. */
export const join = Effect.fnUntraced(function*(address: string, options: WorkerOptions) {
  const { calls, leave, token, worker_id } = yield* register(address, options)
  const proof = { worker_id, session_token: token }
  const tasks = yield* Queue.unbounded<WorkerTask>()
  const commands = yield* Queue.unbounded<Exclude<ToWorker, { readonly _tag: "Task" | "Ping" }>>()
  const held = new Map<TaskId, number>()
  const newestPing = yield* Ref.make(0n)
  const pings = yield* Queue.sliding<bigint>(1)

  const beat = (claims: { readonly held?: ReadonlyArray<HeldTask>; readonly ping?: bigint; readonly status?: WorkerStatus } = {}) =>
    Effect.gen(function*() {
      const acknowledged_ping = claims.ping ?? (options.acknowledges === false ? 0n : yield* Ref.get(newestPing))
      const held_tasks = claims.held ?? [...held].map(([task_id, attempt]) => ({ task_id, attempt }))
      const status = claims.status ?? (held_tasks.length > 0 ? "busy" : "idle")
      const beat = HeartbeatCodec.encodeHeartbeat({ ...proof, status, stats: Option.none(), held_tasks, acknowledged_ping })
      return yield* HeartbeatCodec.decodeHeartbeatAnswer(yield* calls.workerHeartbeat(beat))
    })

  const receive = Effect.fnUntraced(function*(message: ToWorker) {
    if (message._tag === "Ping") {
      yield* Ref.set(newestPing, message.sequence)
      yield* Queue.offer(pings, message.sequence)
      if (options.acknowledges !== false) yield* Effect.ignore(beat())
    } else if (options.receives !== false) {
      if (message._tag === "Task") {
        held.set(message.task.task_id, message.task.attempt)
        yield* Queue.offer(tasks, message.task)
      } else yield* Queue.offer(commands, message)
    }
  })

  const open = calls.streamTasks(TaskStreamCodec.encodeSubscription({ ...proof, kinds: [] })).pipe(
    Stream.mapEffect(TaskStreamCodec.decodeToWorker),
    Stream.runForEach(Option.match({ onNone: () => Effect.void, onSome: receive })),
    Effect.result,
    Effect.forkScoped
  )
  const stream = yield* Ref.make(options.opens === false ? yield* Effect.forkScoped(Effect.result(Effect.never)) : yield* open)

  const report = (task: HeldTask, outcome: AttemptOutcome) =>
    calls.reportTaskResult(ReportCodec.encodeReport({
      ...proof, task_id: task.task_id, attempt: task.attempt, outcome, started_at: Option.none(), completed_at: Option.none()
    })).pipe(
      Effect.map(ReportCodec.decodeReportAnswer),
      Effect.ensuring(Effect.sync(() => held.delete(task.task_id)))
    )

  return {
    worker_id,
    token,
    held,
    tasks,
    pings,
    next: soon(Queue.take(tasks)),
    command: soon(Queue.take(commands)),
    nextPing: soon(Queue.take(pings)),
    beat,
    report,
    complete: (task: HeldTask, result = "{}") => report(task, { _tag: "Completed", result }),
    progress: (task: HeldTask, progress: number) =>
      Effect.asVoid(calls.updateTaskProgress(ReportCodec.encodeProgress({ ...proof, ...pick(task), progress, message: "" }))),
    data: (task: HeldTask) => Effect.map(calls.getTaskData(ReportCodec.encodeTaskDataQuestion({ ...proof, ...pick(task) })), ({ data }) => data),
    begin: (task: HeldTask) => Effect.map(calls.beginEffect(ReportCodec.encodeBeginEffect({ ...proof, ...pick(task) })), ReportCodec.decodePermission),
    leave,
    /** Breaks the stream as a lost connection would. */
    cut: Ref.get(stream).pipe(Effect.flatMap(Fiber.interrupt), Effect.asVoid),
    /** Opens a new stream of the same session. */
    reopen: Effect.flatMap(open, (fiber) => Ref.set(stream, fiber)),
    /** How the present stream ended: OK or a status code. */
    end: Ref.get(stream).pipe(
      Effect.flatMap(Fiber.join),
      Effect.map(Result.match({ onSuccess: () => "OK", onFailure: (error) => error.code })),
      soon
    )
  }
})

const pick = ({ attempt, task_id }: HeldTask): HeldTask => ({ task_id, attempt })

/** The status code by which a call was refused; fails where it was not. */
export const refusal = <A>(call: Effect.Effect<A, GrpcError>) => Effect.map(Effect.flip(call), ({ code }) => code)
