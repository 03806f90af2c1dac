/**
 * A worker on a session's stream, over the project's own gRPC client and codec. It says only what a test makes it say, but
 * answers pings and acknowledges what it receives unless it is told not to.
 */
import { type TaskId, WorkerId } from "@englog/domain/Ids"
import * as SessionCodec from "@englog/rpc/grpc/SessionCodec"
import * as Session from "@englog/rpc/grpc/SessionMessages"
import type { AttemptOutcome, HeldTask, SessionToken, WorkerTask } from "@englog/rpc/grpc/WorkerMessages"
import { Deferred, Effect, Fiber, Queue, Result, Stream } from "effect"
import { type Calls, register, type RegistrationOptions, soon } from "./RegisteredWorker.ts"

export interface SessionWorkerOptions extends RegistrationOptions {
  readonly window?: number
  readonly held?: ReadonlyArray<HeldTask>
  /** False: pings are not answered. */
  readonly answersPings?: boolean
  /** False: receipt of tasks is not acknowledged. */
  readonly acknowledges?: boolean
  /** Shows another token than its own. */
  readonly token?: SessionToken
}

export const join = Effect.fnUntraced(function*(address: string, options: SessionWorkerOptions) {
  const worker = yield* register(address, options)
  return { ...worker, ...(yield* openStream(worker.calls, { ...options, token: options.token ?? worker.token })) }
})

/** A stream of a registered session. */
export const openStream = Effect.fnUntraced(function*(
  calls: Calls,
  options: Omit<SessionWorkerOptions, "token" | "kinds"> & { readonly token: SessionToken }
) {
  const worker_id = WorkerId.make(options.worker_id)
  const tasks = yield* Queue.unbounded<WorkerTask>()
  const commands = yield* Queue.unbounded<Session.FromServer["commands"][number]>()
  const revoked = yield* Queue.unbounded<HeldTask>()
  const refusedSteps = yield* Queue.unbounded<Session.RefusedStep>()
  const frames: Array<Session.FromServer> = []
  const held = new Map<TaskId, HeldTask>()
  const answers = new Map<number, Deferred.Deferred<Session.RefusedOutcome | "accepted">>()
  const up = yield* Queue.unbounded<ReturnType<typeof SessionCodec.encodeFromWorker>>()
  const told = new Map<number, TaskId>()
  let numbers = 0

  const say = (message: Partial<Session.FromWorker>) => Effect.asVoid(Queue.offer(up, SessionCodec.encodeFromWorker(Session.fromWorker(message))))

  const receive = Effect.fnUntraced(function*(message: Session.FromServer) {
    frames.push(message)
    for (const task of message.tasks) held.set(task.task_id, { task_id: task.task_id, attempt: task.attempt })
    if (message.delivery > 0 && options.acknowledges !== false) yield* say({ received_delivery: message.delivery })
    yield* Queue.offerAll(tasks, message.tasks)
    yield* Queue.offerAll(revoked, message.revoked_tasks)
    yield* Queue.offerAll(refusedSteps, message.refused_steps)
    for (const number of message.accepted) {
      const task_id = told.get(number)
      if (task_id !== undefined) held.delete(task_id)
      yield* Deferred.succeed(yield* answerOf(number), "accepted")
    }
    for (const one of message.refused) yield* Deferred.succeed(yield* answerOf(one.number), one)
    for (const command of message.commands) {
      if (command._tag !== "Ping") yield* Queue.offer(commands, command)
      else if (options.answersPings !== false) {
        yield* say({ ping_answer: { sequence: command.sequence, status: held.size > 0 ? "busy" : "idle", held_tasks: [...held.values()] } })
      }
    }
  })

  const answerOf = Effect.fnUntraced(function*(number: number) {
    const known = answers.get(number)
    if (known !== undefined) return known
    const made = yield* Deferred.make<Session.RefusedOutcome | "accepted">()
    answers.set(number, made)
    return made
  })

  const opening = SessionCodec.encodeOpening({
    worker_id,
    session_token: options.token,
    held_tasks: options.held ?? [],
    window: options.window ?? 0
  })
  for (const one of options.held ?? []) held.set(one.task_id, one)
  const fiber = yield* calls.session(Stream.concat(Stream.succeed(opening), Stream.fromQueue(up))).pipe(
    Stream.mapEffect(SessionCodec.decodeFromServer),
    Stream.runForEach(receive),
    Effect.result,
    Effect.forkScoped
  )

  /** Numbers of the reported outcomes. */
  const tell = Effect.fnUntraced(function*(outcomes: ReadonlyArray<HeldTask & { readonly outcome: AttemptOutcome }>) {
    const numbered = outcomes.map(({ attempt, outcome, task_id }) => ({ task_id, attempt, outcome, number: ++numbers, traceparent: "" }))
    for (const { number, task_id } of numbered) told.set(number, task_id)
    yield* say({ outcomes: numbered })
    return numbered.map(({ number }) => number)
  })
  const answered = (number: number) => soon(Effect.flatMap(answerOf(number), Deferred.await))

  return {
    tasks,
    frames,
    held,
    next: soon(Queue.take(tasks)),
    command: soon(Queue.take(commands)),
    revocation: soon(Queue.take(revoked)),
    refusedStep: soon(Queue.take(refusedSteps)),
    say,
    /** As protobuf, right or wrong. */
    sayRaw: (message: ReturnType<typeof SessionCodec.encodeFromWorker>) => Effect.asVoid(Queue.offer(up, message)),
    tell,
    answered,
    /** Reports one outcome and waits for the answer. */
    report: (task: HeldTask, outcome: AttemptOutcome) =>
      Effect.flatMap(tell([{ task_id: task.task_id, attempt: task.attempt, outcome }]), ([number]) => answered(number ?? 0)),
    complete: (task: HeldTask, result = "{}") =>
      Effect.flatMap(tell([{ task_id: task.task_id, attempt: task.attempt, outcome: { _tag: "Completed", result } }]), ([number]) => answered(number ?? 0)),
    cut: Effect.asVoid(Fiber.interrupt(fiber)),
    /** How the stream ended: OK, or code and message. */
    end: soon(Effect.map(Fiber.join(fiber), Result.match({ onSuccess: () => "OK", onFailure: (error) => `${error.code} ${error.message}` })))
  }
})

export type SessionWorker = Effect.Success<ReturnType<typeof join>>
