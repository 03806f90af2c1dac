/**
 * One session's stream in both directions (docs/decisions/0019). Down goes what waits in the session's mailbox, up to 64 tasks
 * in a message, no faster than the worker reads; up comes what the worker gathered in a tick, taken no faster than the queue
 * records it.
 */
import type { FromServer } from "@englog/rpc/grpc/SessionMessages"
import * as Session from "@englog/rpc/grpc/SessionMessages"
import * as Codec from "@englog/rpc/grpc/SessionCodec"
import type { GrpcError } from "@englog/rpc/grpc/GrpcError"
import { MAX_DELIVERY } from "@englog/rpc/grpc/WireLimits"
import { Clock, Context, Effect, FiberSet, Layer, Option, Pull, Queue, type Scope, Semaphore, Stream } from "effect"
import { warnUnlessOutage } from "../db/Outage.ts"
import { TaskOutcomes } from "../queue/TaskOutcomes.ts"
import { CallLimits } from "./CallLimits.ts"
import { endOf, exhausted, fail, unavailable } from "./GatewayErrors.ts"
import { Heartbeats } from "./Heartbeats.ts"
import { StreamAttachment } from "./StreamAttachment.ts"
import { type LiveSession, type Outgoing, WorkerSessions } from "./WorkerSessions.ts"
import { WorkerReports } from "./WorkerReports.ts"
import type { WorkerSessionRow } from "./WorkerSessionRepo.ts"

type Requests = Stream.Stream<Parameters<typeof Codec.decodeFromWorker>[0], GrpcError>
type Answers = Stream.Stream<ReturnType<typeof Codec.encodeFromServer>, GrpcError>

export class SessionStream extends Context.Service<SessionStream, {
  /** Opens the stream by its first message; `prove` says whose it is. */
  readonly open: (
    requests: Requests,
    prove: (opening: Session.SessionOpening) => Effect.Effect<WorkerSessionRow, GrpcError>
  ) => Effect.Effect<Answers, GrpcError, Scope.Scope>
}>()("@englog/api/cluster/SessionStream") {
  static readonly layer = Layer.effect(SessionStream, Effect.suspend(() => make))
}

/** From opening the stream to its first message. */
const OPENING_LIMIT = "10 seconds"
/** Messages of one session that are being recorded; what comes meanwhile waits in its connection. */
const IN_FLIGHT = 8
/** Of a worker that does not read its answers no more is read. */
const MAX_UNSENT = 1_024

const make = Effect.gen(function*() {
  const sessions = yield* WorkerSessions
  const attachment = yield* StreamAttachment
  const heartbeats = yield* Heartbeats
  const limits = yield* CallLimits
  const reports = yield* WorkerReports
  const outcomes = yield* TaskOutcomes

  /** All that waits, in one message. */
  const nextMessage = (session: LiveSession) =>
    Queue.takeBetween(session.mailbox, 1, MAX_DELIVERY).pipe(
      Effect.flatMap((waiting) => Effect.map(Clock.currentTimeMillis, (now) => messageOf(session, waiting, now))),
      Effect.tap(() => sessions.emptied(session)),
      Effect.map((message) => [Codec.encodeFromServer(message)] as const),
      Effect.mapError(endOf)
    )

  /** Takes one message of the worker; what has to be recorded goes on by itself, up to `IN_FLIGHT` at a time. */
  const hear = (session: LiveSession, permits: Semaphore.Semaphore, fork: (recording: Effect.Effect<void>) => void) =>
    Effect.fnUntraced(function*(request: Parameters<typeof Codec.decodeFromWorker>[0]) {
      const message = yield* Codec.decodeFromWorker(request)
      const { ping_answer, received_delivery, refused, refused_steps, returned_tasks, steps } = message
      const said = message.outcomes.length + refused.length + steps.length + refused_steps.length + returned_tasks.length
      yield* limits.said(session.row.id, Math.max(1, said)).pipe(Effect.catchTag("TooManyCalls", exhausted))
      if (received_delivery > 0) yield* sessions.received(session, received_delivery)
      if (message.window > 0) yield* sessions.setWindow(session, message.window)
      // A slot is free once its attempt has ended, however long it takes to record that.
      if (message.outcomes.length > 0) yield* sessions.freeAll(session, message.outcomes)
      const record = Effect.fnUntraced(function*(recording: Effect.Effect<void>) {
        yield* Semaphore.take(permits, 1)
        fork(Effect.ensuring(recording, Semaphore.release(permits, 1)))
      })
      // Recorded before the next message is read: the steps of an attempt come in their order, and before its outcome.
      if (steps.length > 0) yield* noteSteps(session, steps)
      if (refused.length + refused_steps.length > 0) yield* answer(session, { refused, refused_steps })
      if (message.outcomes.length > 0) {
        yield* record(reports.outcomes(session.row, message.outcomes).pipe(Effect.flatMap((answers) => answer(session, answers))))
      }
      if (returned_tasks.length > 0) yield* record(takeBack(session, returned_tasks))
      if (ping_answer !== undefined) yield* record(hearPing(session, ping_answer))
    })

  const answer = (session: LiveSession, answers: Partial<Pick<FromServer, "accepted" | "refused" | "refused_steps">>) =>
    Effect.asVoid(Queue.offer(session.mailbox, { _tag: "Answers", accepted: [], refused: [], refused_steps: [], ...answers }))

  const revoke = (session: LiveSession, held: FromServer["revoked_tasks"]) =>
    held.length === 0 ? Effect.void : Effect.andThen(sessions.freeAll(session, held), Queue.offer(session.mailbox, { _tag: "Revoked", held }))

  const noteSteps = Effect.fnUntraced(function*(session: LiveSession, steps: Session.FromWorker["steps"]) {
    const { refused, revoked } = yield* reports.steps(session.row, steps)
    yield* revoke(session, revoked)
    if (refused.length > 0) yield* answer(session, { refused_steps: refused })
  })

  const takeBack = (session: LiveSession, returned: Session.FromWorker["returned_tasks"]) =>
    Effect.forEach(returned, (held) => outcomes.release(held, session.row.id, "HandedBack"), { discard: true }).pipe(
      Effect.andThen(sessions.freeAll(session, returned)),
      // Then the heartbeats that do not name them give them back.
      Effect.catchCause((cause) => warnUnlessOutage("could not take back what a worker returned", cause))
    )

  const hearPing = (session: LiveSession, { held_tasks, sequence, status }: Session.PingAnswer) =>
    Effect.suspend(() => heartbeats.receive(session.row, { status, stats: noStats, held_tasks, acknowledged_ping: sequence })).pipe(
      Effect.flatMap(({ revoked_tasks }) => revoke(session, revoked_tasks)),
      Effect.catchCause((cause) => warnUnlessOutage("could not note that a worker answered", cause))
    )

  const open: SessionStream["Service"]["open"] = Effect.fnUntraced(function*(requests, prove) {
    const pull = yield* Stream.toPull(requests)
    const [first, ...early] = yield* pull.pipe(
      Pull.catchDone(() => fail("INVALID_ARGUMENT", "opening: the first message has to prove the session")),
      Effect.timeoutOrElse({
        duration: OPENING_LIMIT,
        orElse: () => fail("DEADLINE_EXCEEDED", "opening: the first message has to prove the session, and did not come")
      })
    )
    const opening = yield* Codec.decodeOpening(first)
    const row = yield* prove(opening)
    if (row.protocol !== 2) return yield* fail("FAILED_PRECONDITION", "protocol: this stream is for workers that announced protocol 2")
    const { revoked, running } = yield* heartbeats.arrive(row, opening.held_tasks).pipe(Effect.catchTag("SqlError", unavailable))
    const session = yield* attachment.open(row, running, opening.window).pipe(Effect.catchTag("SqlError", unavailable))
    yield* revoke(session, revoked)
    const fork = yield* FiberSet.makeRuntime<never, void>()
    const take = hear(session, yield* Semaphore.make(IN_FLIGHT), fork)
    const readOn = Effect.suspend(() => Queue.sizeUnsafe(session.mailbox) < MAX_UNSENT ? Effect.void : Effect.sleep("20 millis")).pipe(
      Effect.repeat({ while: () => Queue.sizeUnsafe(session.mailbox) >= MAX_UNSENT })
    )
    const listen = Effect.forEach(early, take, { discard: true }).pipe(
      Effect.andThen(Effect.forever(
        Effect.andThen(readOn, pull).pipe(Effect.flatMap((messages) => Effect.forEach(messages, take, { discard: true })))
      )),
      // The worker ended its half: it wants no more.
      Pull.catchDone(() => Effect.void),
      Effect.withTracerEnabled(false)
    )
    return Stream.fromPull(Effect.succeed(nextMessage(session))).pipe(Stream.interruptWhen(listen))
  }, Effect.withTracerEnabled(false))

  return SessionStream.of({ open })
})

/** What a ping's answer says nothing about. */
const noStats = Option.none()

const messageOf = (session: LiveSession, waiting: ReadonlyArray<Outgoing>, now: number): FromServer => {
  const tasks: Array<FromServer["tasks"][number]> = []
  const accepted: Array<number> = []
  const refused: Array<FromServer["refused"][number]> = []
  const refused_steps: Array<FromServer["refused_steps"][number]> = []
  const commands: Array<FromServer["commands"][number]> = []
  const revoked_tasks: Array<FromServer["revoked_tasks"][number]> = []
  for (const outgoing of waiting) {
    switch (outgoing._tag) {
      case "Task":
        tasks.push(outgoing.task)
        break
      case "Answers":
        accepted.push(...outgoing.accepted)
        refused.push(...outgoing.refused)
        refused_steps.push(...outgoing.refused_steps)
        break
      case "Revoked":
        revoked_tasks.push(...outgoing.held)
        break
      default:
        commands.push(outgoing)
    }
  }
  if (tasks.length > 0) session.unreceived.set(++session.deliveries, now)
  return { delivery: tasks.length > 0 ? session.deliveries : 0, tasks, accepted, refused, refused_steps, commands, revoked_tasks }
}
